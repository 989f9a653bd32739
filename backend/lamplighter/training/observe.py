"""What a step did, read off the tensors after it: measured, never assumed.

The observer keeps a copy of the embedding as it was when it last looked. Rows that differ from it moved;
rows of the gradient that are not zero got a gradient; rows whose ids are in the batch were in the batch.
The three sets are equal for lazy updates of an untied embedding, and come apart otherwise.

Looking at every row costs little for a small matrix and is done at every step. For a large one with lazy
updates only the rows with a gradient are looked at, and the whole matrix every `verify_every` steps; a pulse
says which it was (`verified`).
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lamplighter.training.step import Learner, StepResult, norms_of
from lamplighter.wire.frames import NEVER, Floats, UInts

SMALL = 1 << 18
"""Elements of a matrix that is compared whole at every step: about 0.1 ms."""


@dataclass(frozen=True)
class Observation:
    """What one step did. Sets are sorted token ids."""

    step: int
    loss: float
    batch_ids: UInts
    batch_counts: UInts
    gradient_ids: UInts
    gradient_norms: Floats
    """Before clipping."""
    moved_ids: UInts
    moved_distances: Floats
    moved_vectors: Floats | None
    """Shape (moved, D), after the step; None where more than half of the matrix moved."""
    layer_norms: Floats
    """Before clipping, in the order of `Observer.layers`."""
    verified: bool

    @property
    def finite(self) -> bool:
        """Whether loss, gradients and moved rows are all finite numbers."""
        return bool(
            np.isfinite(self.loss)
            and np.isfinite(self.layer_norms).all()
            and np.isfinite(self.moved_distances).all()
        )

    def digest(self) -> bytes:
        """16 bytes that are equal when the step is computed again and nothing differs."""
        digest = hashlib.blake2b(struct.pack("<If", self.step, self.loss), digest_size=16)
        for array in (self.batch_ids, self.gradient_norms, self.moved_ids, self.moved_distances):
            digest.update(np.ascontiguousarray(array).data)
        digest.update(np.ascontiguousarray(self.layer_norms).data)
        if self.moved_vectors is not None:
            digest.update(np.ascontiguousarray(self.moved_vectors).data)
        return digest.digest()


class Observer:
    """Watches the embedding of a learner. Takes V x D numbers of memory for its copy."""

    def __init__(self, learner: Learner, verify_every: int) -> None:
        """Look at the embedding as it is now; whole every `verify_every` steps, or always if it is small."""
        self._weight = learner.model.embedding.weight
        self._seen = self._weight.detach().clone()
        self._sparse = learner.model.embedding.sparse
        self._always_whole = not self._sparse or self._seen.numel() <= SMALL
        self._verify_every = verify_every
        layers = learner.model.layers()
        self.layers = list(layers)
        self._parameters = [parameter for group in layers.values() for parameter in group]
        self._layer_of = np.repeat(np.arange(len(layers)), [len(group) for group in layers.values()])
        vocabulary = self._seen.shape[0]
        self.touches: UInts = np.zeros(vocabulary, dtype=np.uint32)
        self.last_lit: UInts = np.full(vocabulary, NEVER, dtype=np.uint32)

    def embedding(self) -> Floats:
        """A copy of the matrix as last seen, shape (V, D)."""
        return self._seen.cpu().numpy().copy()

    def restore(self, touches: UInts, last_lit: UInts) -> None:
        """Look at the embedding afresh, with the counts as they were at that point."""
        self._seen = self._weight.detach().clone()
        self.touches, self.last_lit = touches, last_lit

    @torch.no_grad()
    def observe(self, step: int, ids: NDArray[np.int64], result: StepResult) -> Observation:
        """Look at what a step did, right after it.

        Args:
            step: its number.
            ids: the token ids the model read, any shape, on the host.
            result: what `train_step` returned.
        """
        batch_ids, batch_counts = unique_rows(ids, len(self.touches))
        self.touches[batch_ids] += 1
        self.last_lit[batch_ids] = step
        whole = self._always_whole or step % self._verify_every == 0

        norms = norms_of([_values(p) for p in self._parameters])
        scalars = torch.cat((torch.stack((result.loss, result.clip_scale)), norms)).cpu().numpy()
        loss, scale = float(scalars[0]), scalars[1]
        squares = np.bincount(self._layer_of, weights=scalars[2:].astype(np.float64) ** 2)

        gradient_ids, gradient_norms = self._gradient()
        moved_ids, moved_distances = self._moved(gradient_ids, whole)
        moved = torch.from_numpy(moved_ids.astype(np.int64)).to(self._seen.device)
        vectors: Floats | None = None
        if 2 * len(moved_ids) <= len(self.touches):
            rows = self._weight.detach()[moved]
            self._seen[moved] = rows
            vectors = rows.cpu().numpy()
        else:
            self._seen.copy_(self._weight.detach())
        return Observation(
            step=step,
            loss=loss,
            batch_ids=batch_ids,
            batch_counts=batch_counts,
            gradient_ids=gradient_ids,
            gradient_norms=gradient_norms / scale,
            moved_ids=moved_ids,
            moved_distances=moved_distances,
            moved_vectors=vectors,
            layer_norms=(np.sqrt(squares) / scale).astype(np.float32),
            verified=whole,
        )

    def _gradient(self) -> tuple[UInts, Floats]:
        """Rows with a non-zero gradient, and the norm of each."""
        gradient = self._weight.grad
        assert gradient is not None
        values = _values(self._weight)
        norms = torch.linalg.vector_norm(values, dim=1).cpu().numpy()
        if gradient.is_sparse:
            ids = gradient.indices()[0].cpu().numpy()
            kept = norms > 0
            return ids[kept].astype(np.uint32), norms[kept]
        ids = np.flatnonzero(norms)
        return ids.astype(np.uint32), norms[ids]

    def _moved(self, gradient_ids: UInts, whole: bool) -> tuple[UInts, Floats]:
        """Rows that are not as they were, and how far each went."""
        if whole:
            change = self._weight.detach() - self._seen
            distances = torch.linalg.vector_norm(change, dim=1).cpu().numpy()
            ids = np.flatnonzero(distances).astype(np.uint32)
            return ids, distances[ids]
        rows = torch.from_numpy(gradient_ids.astype(np.int64)).to(self._seen.device)
        change = self._weight.detach()[rows] - self._seen[rows]
        distances = torch.linalg.vector_norm(change, dim=1).cpu().numpy()
        kept = distances > 0
        return gradient_ids[kept], distances[kept]


def unique_rows(ids: NDArray[np.int64], vocabulary: int) -> tuple[UInts, UInts]:
    """The cheap way to the touched rows of an untied embedding: the distinct ids, sorted, and their counts."""
    if vocabulary <= SMALL:
        counts = np.bincount(ids.reshape(-1), minlength=vocabulary)
        rows = np.flatnonzero(counts)
        return rows.astype(np.uint32), counts[rows].astype(np.uint32)
    rows, counts = np.unique(ids, return_counts=True)
    return rows.astype(np.uint32), counts.astype(np.uint32)


def _values(parameter: Tensor) -> Tensor:
    gradient = parameter.grad
    assert gradient is not None, "a layer got no gradient"
    return gradient.values() if gradient.is_sparse else gradient
