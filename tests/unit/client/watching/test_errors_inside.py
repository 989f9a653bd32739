"""An error in every function of ours: the loop does not notice, one warning names it, and the record up to there is right.

Ctrl-C at every line of ours: it reaches the loop, the loop can go on, and what is recorded is what was.
"""

from __future__ import annotations

import warnings
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch

import lamplighter
from tests.unit.client.watching import small_model
from tests.unit.client.watching.guests.guest import count_global_hooks
from tests.unit.client.watching.planted_trouble import PlantedTrouble
from tests.unit.client.watching.small_model import TOKENS, SmallModel, batch

When = Literal["beginning", "second step", "end"]


BEFORE_ANY_GUARD = (
    "whole_number",
    "_processes",
    "Recorder.__exit__",
    "Recorder.close_after",
    "Watcher._close",
)
"""Functions that check an argument, ask the environment, or only begin to guard."""
GUARDS = ("GuestHooks", "_is_capturing", "_remove")
"""The guard itself, and what it calls outside of itself."""


@dataclass
class Played:
    """The matrices and batches of a loop, and the warnings about it."""

    matrices: list[np.ndarray[Any, Any]] = field(default_factory=list)
    batches: list[list[int]] = field(default_factory=list)
    said: list[warnings.WarningMessage] = field(default_factory=list)
    folder: Path | None = None


def play(folder: Path | None, trouble: PlantedTrouble | None = None, when: When = "beginning") -> Played:
    """Train for four steps; in one part of the loop there is trouble."""
    played = Played()
    model = SmallModel(tied=False, sparse=True)
    weight: Any = model.wte.weight
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watcher = None

    def part(name: str) -> Any:
        return trouble.here() if trouble and name == when else nullcontext()

    with warnings.catch_warnings(record=True) as played.said:
        warnings.simplefilter("always")
        if folder is not None:
            with part("beginning"):
                watcher = lamplighter.watch(model, TOKENS, folder)
        played.matrices.append(weight.detach().numpy().copy())
        for step in range(4):
            ids = batch(1)
            with part("second step" if step == 1 else ""):
                loss: Any = model(ids, ids)[1]
                loss.backward()
                optimizer.step()
            optimizer.zero_grad()
            played.batches.append(ids.unique().tolist())
            played.matrices.append(weight.detach().numpy().copy())
        if watcher is not None:
            with part("end"):
                watcher.close()
            played.folder = watcher.folder
    return played


@pytest.mark.parametrize(
    ("when", "where"),
    [
        ("second step", "client/watching"),
        *(pytest.param(when, "", marks=pytest.mark.tour) for when in ("beginning", "second step", "end")),
    ],
)
def test_an_error_in_every_function(tmp_path: Path, when: When, where: str):
    hooks = count_global_hooks()
    alone = play(None)
    play(tmp_path / "first")
    found = PlantedTrouble()
    play(tmp_path / "found", found, when)
    assert len(found.places) > 20
    for number, (place, function) in enumerate(found.places.items()):
        if where not in place[0] or function in BEFORE_ANY_GUARD or function.startswith(GUARDS):
            continue
        trouble = PlantedTrouble(place, ZeroDivisionError("planted"))
        played = play(tmp_path / str(number), trouble, when)
        assert trouble.happened, place
        np.testing.assert_array_equal(played.matrices, alone.matrices)
        assert played.batches == alone.batches
        assert count_global_hooks() == hooks, place
        check_record(played, place)


def check_record(played: Played, place: object) -> None:
    recorded = 0
    if played.folder is not None:
        run = lamplighter.open(played.folder)
        pulses = list(run.steps())
        recorded = len(pulses)
        assert [pulse.batch_ids.tolist() for pulse in pulses] == played.batches[:recorded], place
        last = int(run.snapshot_steps()[-1])
        np.testing.assert_array_equal(run.snapshot(last), played.matrices[last])
    said = [str(one.message) for one in played.said]
    assert len(said) <= 1, (place, said)
    if recorded < 4:
        assert said, place
        assert "planted" in said[0], place
    assert {one.filename for one in played.said} <= {__file__, small_model.__file__}, place


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
