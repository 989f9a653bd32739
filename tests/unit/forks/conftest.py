"""A small trained run to fork."""

from __future__ import annotations

import pytest

from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.training.worker import train
from tests.support.runs import make_run


@pytest.fixture(scope="session")
def parent(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Train a run of 260 steps, with the optimiser `lazy`. Tests copy it before they change anything in it."""
    run = make_run(
        tmp_path_factory.mktemp("parent"),
        steps=260,
        cadence={"keyframe_every": 20, "checkpoint_every": 50, "waypoint_every": 30, "verify_every": 10},
    )
    assert train(run) is Phase.FINISHED
    return run
