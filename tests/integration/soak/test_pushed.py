"""A run that is pushed arrives exactly once, however its pusher and the server are killed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.tour)])
def test_nothing_is_lost_and_nothing_doubled(kills: int) -> None:
    command = [sys.executable, "-m", "tests.soak.pushed", "--kills", str(kills), "--seed", "1"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = json.loads(ended.stdout)
    assert (found["kills"], found["lost"], found["doubled"]) == (kills, 0, 0)
    assert found["steps"] > kills
