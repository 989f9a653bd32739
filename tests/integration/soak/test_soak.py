"""A short soak: kills across all processes, and no step lost, half visible or mixed; twenty of them in the tour.

A short soak of the class: all who join leave, and the server stays as it was.
The page's soak counts the gaps that it exists to find.
A run that is pushed arrives exactly once, however its pusher and the server are killed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.soak.classroom import usual_growth
from tests.soak.page import count_steps
from tests.soak.processes import PLACES


@pytest.mark.parametrize("kills", [4, pytest.param(20, marks=pytest.mark.tour)])
def test_kills_lose_nothing(kills: int) -> None:
    # Its own process, so that its many children end with it.
    words = f"--kills {kills} --seed 1 --steps {max(100, 15 * kills)}".split()
    command = [sys.executable, "-m", "tests.soak", *words]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    report = json.loads(ended.stdout)
    assert (report["lost"], report["half_visible"], report["mixed"]) == (0, 0, 0)
    assert min(report["kills"] - kills, report["by_process"]["server"] - 2) >= 0
    if kills == 20:
        assert all(report["by_place"][place] >= 2 for place in PLACES), report
        assert set(report["by_process"]) == {"trainer", "projector", "analyst", "server", "exporter"}


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


def received(stretches: list[tuple[int, int]], gaps: list[tuple[int, int, bool]]) -> dict[str, Any]:
    return {
        "stretches": [{"first": first, "last": last} for first, last in stretches],
        "gaps": [{"first": first, "last": last, "fetched": fetched} for first, last, fetched in gaps],
    }


def test_steps_are_told_or_read() -> None:
    heard = count_steps(received([(5, 9), (13, 20)], [(1, 4, True), (10, 12, True)]), 20)
    assert (heard.by_beat, heard.from_record, heard.unaccounted) == (13, 7, [])


def test_what_neither_told_is_found() -> None:
    heard = count_steps(received([(5, 9), (14, 18)], [(1, 4, True), (10, 12, False)]), 20)
    assert heard.unaccounted == [10, 11, 12, 13, 19, 20]


@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.tour)])
def test_nothing_is_lost_and_nothing_doubled(kills: int) -> None:
    command = [sys.executable, "-m", "tests.soak.pushed", "--kills", str(kills), "--seed", "1"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = json.loads(ended.stdout)
    assert (found["kills"], found["lost"], found["doubled"]) == (kills, 0, 0)
    assert found["steps"] > kills
