"""The recorded runs that the tests of the examiner ask."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.training.worker import train
from tests.support.runs import make_run
from tests.support.village import Village, record_village
from tests.unit.examination.retaken import RECIPES, SHAPE, STEPS


@pytest.fixture(scope="session")
def village(tmp_path_factory: pytest.TempPathFactory) -> Village:
    """Return a village that was trained once; tests must leave it as it is."""
    return record_village(tmp_path_factory.mktemp("village"))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a function that returns a trained run by the name of its recipe; tests must leave it as it is."""

    @functools.cache
    def run_of(name: str) -> RunFolder:
        folder = tmp_path_factory.mktemp(name)
        # Steps that move most rows are kept at keyframes only.
        cadence = {"keyframe_every": 1}
        run = make_run(folder, **{"steps": STEPS, "model": SHAPE, "cadence": cadence, **RECIPES[name]})
        train(run)
        return run

    return run_of
