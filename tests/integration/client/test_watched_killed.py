"""A watched training that is killed keeps every step it had committed, bit for bit."""

from __future__ import annotations

from pathlib import Path

from tests.soak.watched import kill_loops


def test_a_killed_training_loses_no_committed_step(tmp_path: Path):
    found = kill_loops(tmp_path, kills=1, seed=1)
    assert (found.kills, found.lost, found.mixed) == (1, [], [])
    assert found.steps > 1
