"""A short soak of the class: all who join leave, and the server stays as it was."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.soak.classroom import usual_growth


@pytest.mark.tour
def test_viewers_come_and_go_and_leave_nothing_behind() -> None:
    command = [sys.executable, "-m", "tests.soak.classroom", "--minutes", "0.2", "--rate", "5"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    report = json.loads(ended.stdout)
    assert report["faults"] == {}
    assert sum(report["left"].values()) == report["joined"]
    assert set(report["left"]) == {"closed", "dropped", "removed"}


def test_a_leak_grows_and_a_busy_moment_does_not() -> None:
    calm = [(2.0 * number, 100 + number % 3) for number in range(100)]
    assert abs(usual_growth(calm)) < 3
    busy = [(at, found + (50 if at > 60 else 0)) for at, found in calm]
    assert usual_growth(busy) < 15
    leaking = [(at, found + int(at)) for at, found in busy]
    assert 180 < usual_growth(leaking) < 260
    assert usual_growth(calm[:1]) == 0
