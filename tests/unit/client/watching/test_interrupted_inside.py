"""Ctrl-C at every line of ours: it reaches the loop, the loop can go on, and what is recorded is what was."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

import lamplighter
from tests.unit.client.watching.planted_trouble import PlantedTrouble
from tests.unit.client.watching.small_model import TOKENS, SmallModel, batch


class Loop:
    """A loop that goes on when it is interrupted, and its notes."""

    def __init__(self, folder: Path) -> None:
        self.model = SmallModel(tied=False, sparse=True)
        self.weight: Any = self.model.wte.weight
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        self.watcher = lamplighter.watch(self.model, TOKENS, folder, on_error="raise", keyframe_every=10_000)
        self.matrices: list[np.ndarray[Any, Any]] = [self.weight.detach().numpy().copy()]
        """The matrix before the first step and after each."""
        self.batches: list[list[int]] = []
        self.interrupts = 0

    def step(self, trouble: PlantedTrouble | None = None) -> None:
        try:
            with trouble.here() if trouble else nullcontext():
                ids = batch(1)
                self.batches.append(ids.unique().tolist())
                loss: Any = self.model(ids, ids)[1]
                loss.backward()
                self.optimizer.step()
        except KeyboardInterrupt:
            self.interrupts += 1
        self.optimizer.zero_grad()
        self.matrices.append(self.weight.detach().numpy().copy())


def test_an_interrupt_at_every_line(tmp_path: Path):
    loop = Loop(tmp_path / "mine")
    loop.step()
    found = PlantedTrouble(lines=True)
    loop.step(found)
    assert len(found.places) > 200
    happened = 0
    for place in found.places:
        trouble = PlantedTrouble(place, KeyboardInterrupt(), lines=True)
        loop.step()
        loop.step(trouble)
        happened += trouble.happened
        assert loop.interrupts == happened, place
    loop.step()
    # Some lines are those of a certain step.
    assert happened > 0.9 * len(found.places)
    loop.watcher.close()
    run = lamplighter.open(tmp_path / "mine")
    pulses = list(run.steps())
    assert (run.status.phase, run.status.step) == ("finished", len(pulses))
    # An interrupt loses the step under way, or the one before that is being written, and no other.
    taken = sum(not np.array_equal(*pair) for pair in pairwise(loop.matrices))
    assert taken - happened <= len(pulses) <= taken
    recorded = Counter(str(pulse.batch_ids.tolist()) for pulse in pulses)
    assert recorded <= Counter(map(str, loop.batches))
    known = {matrix.tobytes() for matrix in loop.matrices}
    snapshots = [run.snapshot(step) for step in run.snapshot_steps()]
    assert len(snapshots) == len(pulses) + 1
    assert all(snapshot.tobytes() in known for snapshot in snapshots)
    assert np.array_equal(snapshots[-1], loop.matrices[-1])
