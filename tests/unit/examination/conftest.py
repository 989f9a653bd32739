"""The recorded runs for the tests of the examiner."""

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
    """Return a village that was trained once; tests must not change it."""
    return record_village(tmp_path_factory.mktemp("village"))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a function from a recipe's name to a trained run; tests must not change it."""

    @functools.cache
    def run_of(name: str) -> RunFolder:
        folder = tmp_path_factory.mktemp(name)
        # Steps that move most rows are kept only at keyframes.
        cadence = {"keyframe_every": 1}
        run = make_run(folder, **{"steps": STEPS, "model": SHAPE, "cadence": cadence, **RECIPES[name]})
        train(run)
        return run

    return run_of
