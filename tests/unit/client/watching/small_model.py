"""A small model with tied weights that returns its loss as nanoGPT's does, and a loop's own record of what it did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import lamplighter

V, D = 40, 8
TOKENS = [f"word{i}" for i in range(V)]


class SmallModel(nn.Module):
    def __init__(self, *, tied: bool = True, sparse: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.wte = nn.Embedding(V, D, sparse=sparse)
        self.mid = nn.Linear(D, D)
        self.head = nn.Linear(D, V, bias=False)
        if tied:
            self.head.weight = self.wte.weight

    def forward(self, ids: Tensor, targets: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        logits = self.head(torch.tanh(self.mid(self.wte(ids))))
        loss = None
        if targets is not None:
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        return logits, loss


def batch(rows: int = 2) -> Tensor:
    return torch.randint(0, V, (rows, 5))


class OwnRecord:
    """Notes of a loop about its own steps, to compare with the record."""

    def __init__(self, weight: Any) -> None:
        self._weight: Tensor = weight
        self.ids: list[Tensor] = []
        self.losses: list[float] = []
        self.matrices = [self._matrix()]
        self.norms: list[np.ndarray[Any, Any]] = []

    def note_gradient(self) -> None:
        assert self._weight.grad is not None
        self.norms.append(self._weight.grad.to_dense().float().norm(dim=1).numpy().copy())

    def note_step(self, ids: list[Tensor], loss: float) -> None:
        self.ids.append(torch.cat([one.flatten() for one in ids]))
        self.losses.append(loss)
        self.matrices.append(self._matrix())

    def _matrix(self) -> np.ndarray[Any, Any]:
        return self._weight.detach().to(torch.float32, copy=True).numpy()

    def assert_equals(self, path: Path) -> None:
        run = lamplighter.open(path)
        pulses = list(run.steps())
        assert len(pulses) == len(self.ids)
        for number, pulse in enumerate(pulses):
            counts = np.bincount(self.ids[number].numpy(), minlength=len(self._weight))
            np.testing.assert_array_equal(pulse.batch_ids, np.flatnonzero(counts))
            np.testing.assert_array_equal(pulse.batch_counts, counts[counts > 0])
            np.testing.assert_allclose(pulse.loss, self.losses[number], rtol=1e-6)
            before, after = self.matrices[number : number + 2]
            moved = np.flatnonzero((before.view(np.uint32) != after.view(np.uint32)).any(axis=1))
            np.testing.assert_array_equal(pulse.moved_ids, moved)
            distances = np.linalg.norm(after - before, axis=1)[moved]
            np.testing.assert_allclose(pulse.moved_distances, distances, rtol=1e-5)
            if self.norms:
                norms = self.norms[number]
                np.testing.assert_array_equal(pulse.gradient_ids, np.flatnonzero(norms))
                np.testing.assert_allclose(pulse.gradient_norms, norms[norms != 0], rtol=1e-5)
        for step in run.snapshot_steps().tolist():
            np.testing.assert_array_equal(run.snapshot(step), self.matrices[step])


@contextmanager
def compared(watched: Any, model: Any, weight: Any = None, **options: Any) -> Iterator[OwnRecord]:
    """Watch a model in this block, and compare the record with the notes of its loop."""
    watcher = watched(model, **options)
    own = OwnRecord(model.wte.weight if weight is None else weight)
    yield own
    watcher.close()
    own.assert_equals(watcher.folder)
