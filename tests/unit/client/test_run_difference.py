"""`run.difference(other)`: the difference between two folders, from Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lamplighter
from lamplighter.runfolder.run_store import RunStore
from tests.support.folders import make_run
from tests.support.synthetic_runs.compared_runs import fork_of, trained_parent


def test_a_fork_from_python(tmp_path: Path) -> None:
    parent = trained_parent(tmp_path)
    fork = fork_of(parent, 10).train(12)
    run, other = lamplighter.open(fork.run.path), lamplighter.open(parent.run.path)
    found = run.difference(other, np.int64(7))
    assert (found.steps.step, found.steps.other_step) == (7, 17)
    np.testing.assert_allclose(
        found.rows.raw(), np.linalg.norm(run.snapshot(7) - other.snapshot(17), axis=1), rtol=1e-6
    )
    assert found.first is not None
    assert found.first.step is None
    assert run.difference(parent.run.path, 5, other_step=3).steps.other_step == 3
    with pytest.raises(lamplighter.InputError, match="whole number"):
        run.difference(other, 1.5)  # pyright: ignore[reportArgumentType]
    with pytest.raises(lamplighter.InputError, match="has not begun"):
        run.difference(make_run(RunStore(tmp_path)).path)
    for trainer in (parent, fork):
        trainer.crash()
