"""An error in every function of ours: the loop does not notice, one warning names it, and the record up to there is right."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from dataclasses import dataclass, field
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
