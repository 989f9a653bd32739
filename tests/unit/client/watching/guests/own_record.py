"""A loop's own record of what it did, to compare with the record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

Vector = np.ndarray[Any, Any]


class OwnRecord:
    """Notes of a loop about its own steps."""

    def __init__(self, weight: Any) -> None:
        """Begin with the matrix before the first step. The weight is a parameter (V, D) of torch."""
        self._weight: Tensor = weight
        self.read: list[Tensor] | None = []
        """The ids that were read since the last step; None: they are not to be known."""
        self.found: list[float] = []
        """The losses that were found since."""
        self.counts: list[Vector | None] = []
        self.losses: list[float] = []
        self.matrices = [self._matrix()]
        self.norms: list[Vector | None] = []
        """The norms of the rows' gradients; an empty array: they are not compared."""
        self.rates: list[float] = []

    def note_pass(self, ids: Tensor, loss: float) -> None:
        if self.read is not None:
            self.read.append(ids.flatten().long())
        self.found.append(loss)

    def note_gradient(self, optimizer: Any) -> None:
        """Note what the optimiser is given."""
        gradient = self._weight.grad
        self.norms.append(
            None if gradient is None else gradient.to_dense().float().norm(dim=1).numpy().copy()
        )
        groups = getattr(optimizer, "param_groups", [])
        own = [group for group in groups if any(one is self._weight for one in group["params"])]
        self.rates.append(float(own[0].get("lr", np.nan)) if own else np.nan)

    def note_step(self) -> None:
        """Note what the optimiser made of it. The passes since the last step are of this one."""
        counted = None if self.read is None else np.zeros(len(self._weight), int)
        for ids in self.read or []:
            counted += np.bincount(ids.numpy(), minlength=len(self._weight))
        self.counts.append(counted)
        self.losses.append(float(np.mean(self.found)) if self.found else np.nan)
        self.matrices.append(self._matrix())
        self.forget()

    def forget(self) -> None:
        """Forget the passes since the last step."""
        self.read, self.found = None if self.read is None else [], []

    def _matrix(self) -> Vector:
        return self._weight.detach().float().numpy().copy()

    def assert_equals(self, path: Path, *, kept: bool = False) -> None:
        """Compare with a record; `kept`: which has the matrix of each step."""
        import lamplighter

        run = lamplighter.open(path)
        pulses = list(run.steps())
        assert len(pulses) == len(self.counts)
        for number, pulse in enumerate(pulses):
            counts, norms, rate = self.counts[number], self.norms[number], self.rates[number]
            assert pulse.batch_known == (counts is not None)
            if counts is not None:
                np.testing.assert_array_equal(pulse.batch_ids, np.flatnonzero(counts))
                np.testing.assert_array_equal(pulse.batch_counts, counts[counts > 0])
            np.testing.assert_allclose(pulse.loss, self.losses[number], rtol=1e-6)
            before, after = self.matrices[number : number + 2]
            moved = np.flatnonzero((before.view(np.uint32) != after.view(np.uint32)).any(axis=1))
            np.testing.assert_array_equal(pulse.moved_ids, moved)
            distances = np.linalg.norm(after - before, axis=1)[moved]
            np.testing.assert_allclose(pulse.moved_distances, distances, rtol=1e-5)
            assert pulse.gradient_known == (norms is not None)
            if norms is not None and norms.size:
                np.testing.assert_array_equal(pulse.gradient_ids, np.flatnonzero(norms))
                np.testing.assert_allclose(pulse.gradient_norms, norms[norms != 0], rtol=1e-5)
            if not np.isnan(rate):
                np.testing.assert_allclose(pulse.learning_rate, rate, rtol=1e-6)
        steps = run.snapshot_steps().tolist()
        assert not kept or steps == list(range(len(self.matrices)))
        for step in steps:
            np.testing.assert_array_equal(run.snapshot(step), self.matrices[step])
