"""A short soak of the class: all who join leave, and the server stays as it was."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.mark.tour
def test_viewers_come_and_go_and_leave_nothing_behind() -> None:
    command = [sys.executable, "-m", "tests.soak.classroom", "--minutes", "0.2", "--rate", "5"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    report = json.loads(ended.stdout)
    assert report["faults"] == {}
    assert sum(report["left"].values()) == report["joined"]
    assert set(report["left"]) == {"closed", "dropped", "removed"}
