"""Notes of what a trainer gave its model and did to its weight, taken beside the record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

import lamplighter

V, CONTEXT, BATCH, STEPS = 64, 8, 4, 200
TOKENS = [f"Ġword{i}" for i in range(V - 4)]


class Texts(torch.utils.data.Dataset[Any]):
    """Rows of a text that repeats itself, so that a loss falls."""

    def __init__(self, rows: int) -> None:
        choose = torch.Generator().manual_seed(0)
        starts = torch.randint(0, V, (rows, 1), generator=choose)
        self.ids = (starts + torch.arange(CONTEXT) * 3) % V

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"input_ids": self.ids[index], "labels": self.ids[index]}


class OwnNotes:
    """Notes of each optimiser step."""

    def __init__(self) -> None:
        self.waiting: list[torch.Tensor] = []
        self.ids: list[torch.Tensor] = []
        self.losses: list[float] = []
        self.matrices: list[np.ndarray[Any, Any]] = []

    def end_step(self, weight: torch.Tensor) -> None:
        self.ids.append(torch.cat([one.flatten() for one in self.waiting]))
        self.waiting.clear()
        self.matrices.append(weight.detach().numpy().copy())

    def assert_recorded(self, folder: Path, steps: int = STEPS) -> list[float]:
        """Compare ids and moved rows with the record. Returns the recorded losses."""
        pulses = list(lamplighter.open(folder).steps())
        assert len(pulses) == len(self.ids) == steps
        for number, pulse in enumerate(pulses):
            counts = np.bincount(self.ids[number].numpy(), minlength=V)
            np.testing.assert_array_equal(pulse.batch_ids, np.flatnonzero(counts))
            np.testing.assert_array_equal(pulse.batch_counts, counts[counts > 0])
            before, after = self.matrices[number : number + 2]
            moved = np.flatnonzero((before.view(np.uint32) != after.view(np.uint32)).any(axis=1))
            np.testing.assert_array_equal(pulse.moved_ids, moved)
        return [pulse.loss for pulse in pulses]


def folder_of(callback: Any) -> Path:
    """Return the folder of the run that a callback recorded."""
    return callback.watcher.folder
