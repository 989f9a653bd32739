"""Observation of training steps: effects are measured on the tensors after each step, never assumed.

The observer keeps a copy of the embedding from the previous observation. Three sets of rows are measured: rows in
the batch, rows with a non-zero gradient, and moved rows, which differ from the copy. The sets are equal for
lazy updates of an untied embedding, and differ otherwise.

A small matrix is compared in full at every step, which is cheap. For a large matrix with lazy updates only the rows
with a gradient are compared, and the whole matrix every `verify_every` steps; the field `verified` of a pulse records
which.

Rows with a gradient are compared first and updated in the copy. Other rows have moved if and only if matrix and copy
still differ, which takes one memory comparison.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from lamplighter.model.learner import Learner
from lamplighter.model.step import StepResult
from lamplighter.wire.binary import Floats, UInts
from lamplighter.wire.pulse_frames import StepEffects
from lamplighter.wire.row_frames import NEVER
from lamplighter.wire.top_losses import TopLosses, keep_largest

SMALL = 1 << 18
"""Maximum elements of a matrix that is compared in full at every step; takes about 0.1 ms."""
_MAX_COUNTED_ROWS = 1 << 18
"""Largest vocabulary whose rows are counted in an array instead of sorted."""


@dataclass(frozen=True, kw_only=True)
class Observation(StepEffects):
    """The effects of one step, with the rows that it moved."""

    moved_vectors: Floats | None
    """The moved rows after the step, shape (moved, D); None if more than half of the matrix moved."""
    top_losses: TopLosses
    """The predictions with the largest losses."""

    @property
    def is_finite(self) -> bool:
        """Return whether the loss, the gradient norms and the moved distances are all finite."""
        return bool(
            np.isfinite(self.loss)
            and np.isfinite(self.layer_norms).all()
            and np.isfinite(self.moved_distances).all()
        )

    def digest(self) -> bytes:
        """Return a 16-byte digest that is equal when a recomputed step gives exactly the same numbers."""
        digest = hashlib.blake2b(struct.pack("<If", self.step, self.loss), digest_size=16)
        for array in (self.batch_ids, self.gradient_norms, self.moved_ids, self.moved_distances):
            digest.update(np.ascontiguousarray(array).data)
        digest.update(np.ascontiguousarray(self.layer_norms).data)
        if self.moved_vectors is not None:
            digest.update(np.ascontiguousarray(self.moved_vectors).data)
        return digest.digest()


@dataclass(frozen=True)
class RowEffects:
    """What one step did to the rows of a matrix."""

    gradient_ids: UInts
    """The rows with a non-zero gradient, ascending."""
    gradient_norms: Floats
    """Their norms on the tensors, that is, after clipping."""
    moved_ids: UInts
    """The rows that moved, ascending."""
    moved_distances: Floats
    moved_vectors: Floats | None
    """The moved rows after the step, shape (moved, D); None if more than half of the matrix moved."""
    verified: bool
    """Whether every row was compared."""


class RowObserver:
    """The observer of the rows of an embedding. Its copy takes as much memory as the rows."""

    def __init__(self, embedding: nn.Embedding, verify_every: int) -> None:
        """Copy the embedding; compare it in full every `verify_every` steps, or always if it is small."""
        self._weight = embedding.weight
        self._previous = self._weight.detach().clone()
        self._sparse = embedding.sparse
        rows, dim = self._previous.shape
        self._always_full = not self._sparse or rows * dim <= SMALL
        self._verify_every = verify_every

    def __len__(self) -> int:
        return len(self._previous)

    def last_matrix(self) -> Floats:
        """Return a copy of the matrix at the last measurement, shape (V, D)."""
        return self._previous.cpu().numpy().copy()

    def copy_again(self) -> None:
        """Take the matrix as it is now for the one before the next step."""
        self._previous = self._weight.detach().clone()

    @torch.no_grad()
    def observe_rows(self, step: int) -> RowEffects:
        """Measure what a step did, right after it."""
        whole = self._always_full or step % self._verify_every == 0
        gradient_ids, gradient_norms = self._rows_with_gradient()
        return RowEffects(gradient_ids, gradient_norms, *self._moved_rows(gradient_ids, whole), whole)

    def _rows_with_gradient(self) -> tuple[UInts, Floats]:
        """Return the rows with a non-zero gradient, and their norms."""
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

    def _moved_rows(self, gradient_ids: UInts, whole: bool) -> tuple[UInts, Floats, Floats | None]:
        """Return the moved rows, their distances, and their new vectors (None if more than half moved)."""
        if self._sparse:
            moved, distances, vectors = self._update_copy(gradient_ids)
            if not whole or torch.equal(self._weight.detach(), self._previous):
                return moved, distances, vectors
            # Some row without a gradient moved. Rows already updated in the copy no longer differ.
            others = (self._weight.detach() != self._previous).any(dim=1).nonzero().flatten().cpu().numpy()
            more, further, elsewhere = self._update_copy(others.astype(np.uint32))
            order = np.argsort(np.concatenate((moved, more)))
            return (
                np.concatenate((moved, more))[order],
                np.concatenate((distances, further))[order],
                np.concatenate((vectors, elsewhere))[order] if 2 * len(order) <= len(self) else None,
            )
        distances = torch.linalg.vector_norm(self._weight.detach() - self._previous, dim=1).cpu().numpy()
        moved = np.flatnonzero(distances).astype(np.uint32)
        few = 2 * len(moved) <= len(self)
        vectors = self._weight.detach().cpu().numpy()[moved] if few else None
        self._previous.copy_(self._weight.detach())
        return moved, distances[moved], vectors

    def _update_copy(self, ids: UInts) -> tuple[UInts, Floats, Floats]:
        """Return which of the rows `ids` moved, their distances and new vectors, and update them in the copy."""
        rows = torch.from_numpy(ids.astype(np.int64)).to(self._previous.device)
        now = self._weight.detach()[rows]
        distances = torch.linalg.vector_norm(now - self._previous[rows], dim=1).cpu().numpy()
        self._previous[rows] = now
        vectors = now.cpu().numpy()
        kept = distances > 0
        return (ids, distances, vectors) if kept.all() else (ids[kept], distances[kept], vectors[kept])


class Observer:
    """The observer of a learner's steps, with the number of batches that each row has been in."""

    def __init__(self, learner: Learner, verify_every: int) -> None:
        """Copy the embedding; compare it in full every `verify_every` steps, or always if it is small."""
        self._rows = RowObserver(learner.model.embedding, verify_every)
        layers = learner.model.layers()
        self.layers = list(layers)
        layer_of = {id(p): number for number, group in enumerate(layers.values()) for p in group}
        self._layer_of = np.array([layer_of[id(p)] for p in learner.model.parameters()])
        vocabulary = len(self._rows)
        self.touches: UInts = np.zeros(vocabulary, dtype=np.uint32)
        self.last_lit: UInts = np.full(vocabulary, NEVER, dtype=np.uint32)

    def embedding(self) -> Floats:
        """Return a copy of the matrix at the last observation, shape (V, D)."""
        return self._rows.last_matrix()

    def restore(self, touches: UInts, last_lit: UInts) -> None:
        """Copy the embedding again after a checkpoint was loaded, and set the counts saved with it."""
        self._rows.copy_again()
        self.touches, self.last_lit = touches, last_lit

    def observe(self, step: int, ids: NDArray[np.int64], result: StepResult) -> Observation:
        """Measure the effects of a step, right after it. `ids`: the token ids in the batch, any shape, on the
        host.
        """
        batch_ids, batch_counts = count_distinct_rows(ids, len(self.touches))
        self.touches[batch_ids] += 1
        self.last_lit[batch_ids] = step
        scalars = torch.cat((result.loss.view(1), result.clip_scale.view(1), result.gradient_norms))
        numbers = scalars.cpu().numpy()
        loss, scale = float(numbers[0]), numbers[1]
        squares = np.bincount(self._layer_of, weights=numbers[2:].astype(np.float64) ** 2)
        rows = self._rows.observe_rows(step)
        return Observation(
            step=step,
            loss=loss,
            batch_ids=batch_ids,
            batch_counts=batch_counts,
            gradient_ids=rows.gradient_ids,
            gradient_norms=rows.gradient_norms / scale,
            moved_ids=rows.moved_ids,
            moved_distances=rows.moved_distances,
            moved_vectors=rows.moved_vectors,
            layer_norms=np.sqrt(squares).astype(np.float32),
            verified=rows.verified,
            top_losses=keep_largest(result.token_losses.cpu().numpy()),
        )


def count_distinct_rows(ids: NDArray[np.int64], vocabulary: int) -> tuple[UInts, UInts]:
    """Return the distinct ids, sorted, and their counts: the touched rows of an untied embedding."""
    if vocabulary <= _MAX_COUNTED_ROWS:
        counts = np.bincount(ids.reshape(-1), minlength=vocabulary)
        rows = np.flatnonzero(counts)
        return rows.astype(np.uint32), counts[rows].astype(np.uint32)
    rows, counts = np.unique(ids, return_counts=True)
    return rows.astype(np.uint32), counts.astype(np.uint32)
