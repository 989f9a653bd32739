"""What a step did, read off the tensors after it: measured, never assumed.

The observer keeps a copy of the embedding as it was when it last looked. Rows that differ from it moved;
rows of the gradient that are not zero got a gradient; rows whose ids are in the batch were in the batch.
The three sets are equal for lazy updates of an untied embedding, and come apart otherwise.

Looking at every row costs little for a small matrix and is done at every step. For a large one with lazy
updates only the rows with a gradient are looked at, and the whole matrix every `verify_every` steps; a pulse
says which it was (`verified`).

Rows with a gradient are compared first, and the copy brought up to date with them; then the sleepers have
moved if, and only if, matrix and copy still differ: one comparison of memory.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from lamplighter.training.step import Learner, StepResult
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
        layer_of = {id(p): number for number, group in enumerate(layers.values()) for p in group}
        self._layer_of = np.array([layer_of[id(p)] for p in learner.model.parameters()])
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

        scalars = torch.cat((result.loss.view(1), result.clip_scale.view(1), result.gradient_norms))
        numbers = scalars.cpu().numpy()
        loss, scale = float(numbers[0]), numbers[1]
        squares = np.bincount(self._layer_of, weights=numbers[2:].astype(np.float64) ** 2)
        gradient_ids, gradient_norms = self._gradient()
        moved_ids, moved_distances, vectors = self._moved(gradient_ids, whole)
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
            layer_norms=np.sqrt(squares).astype(np.float32),
            verified=whole,
        )

    def _gradient(self) -> tuple[UInts, Floats]:
        """Rows with a non-zero gradient, and the norm of each."""
        gradient = self._weight.grad
        assert gradient is not None
        if gradient.is_sparse:
            norms = torch.linalg.vector_norm(gradient.values(), dim=1).cpu().numpy()
            ids = gradient.indices()[0].cpu().numpy()
            kept = norms > 0
            return ids[kept].astype(np.uint32), norms[kept]
        norms = torch.linalg.vector_norm(gradient, dim=1).cpu().numpy()
        ids = np.flatnonzero(norms)
        return ids.astype(np.uint32), norms[ids]

    def _moved(self, gradient_ids: UInts, whole: bool) -> tuple[UInts, Floats, Floats | None]:
        """Rows that are not as they were, how far each went, and where it is now (None: over half moved)."""
        if self._sparse:
            moved, distances, vectors = self._catch_up(gradient_ids)
            if not whole or torch.equal(self._weight.detach(), self._seen):
                return moved, distances, vectors
            # Some sleeper moved all the same. Rows just caught up with are no longer seen to differ.
            others = (self._weight.detach() != self._seen).any(dim=1).nonzero().flatten().cpu().numpy()
            more, further, elsewhere = self._catch_up(others.astype(np.uint32))
            order = np.argsort(np.concatenate((moved, more)))
            return (
                np.concatenate((moved, more))[order],
                np.concatenate((distances, further))[order],
                np.concatenate((vectors, elsewhere))[order] if 2 * len(order) <= len(self.touches) else None,
            )
        distances = torch.linalg.vector_norm(self._weight.detach() - self._seen, dim=1).cpu().numpy()
        moved = np.flatnonzero(distances).astype(np.uint32)
        few = 2 * len(moved) <= len(self.touches)
        vectors = self._weight.detach().cpu().numpy()[moved] if few else None
        self._seen.copy_(self._weight.detach())
        return moved, distances[moved], vectors

    def _catch_up(self, ids: UInts) -> tuple[UInts, Floats, Floats]:
        """Of some rows: those that moved, how far, and where to; the copy then holds them as they are."""
        rows = torch.from_numpy(ids.astype(np.int64)).to(self._seen.device)
        now = self._weight.detach()[rows]
        distances = torch.linalg.vector_norm(now - self._seen[rows], dim=1).cpu().numpy()
        self._seen[rows] = now
        vectors = now.cpu().numpy()
        kept = distances > 0
        return (ids, distances, vectors) if kept.all() else (ids[kept], distances[kept], vectors[kept])


def unique_rows(ids: NDArray[np.int64], vocabulary: int) -> tuple[UInts, UInts]:
    """The cheap way to the touched rows of an untied embedding: the distinct ids, sorted, and their counts."""
    if vocabulary <= SMALL:
        counts = np.bincount(ids.reshape(-1), minlength=vocabulary)
        rows = np.flatnonzero(counts)
        return rows.astype(np.uint32), counts[rows].astype(np.uint32)
    rows, counts = np.unique(ids, return_counts=True)
    return rows.astype(np.uint32), counts.astype(np.uint32)
