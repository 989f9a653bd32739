"""A clock that cannot be set."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lamplighter.platform.steady_clock import SteadyClock, steady_clock


def test_ignores_changes_of_the_systems_clock() -> None:
    wall, uptime = [1.8e9], [100.0]
    clock = SteadyClock(lambda: wall[0], lambda: uptime[0])
    assert clock() == 1.8e9
    wall[0] += 43_200
    uptime[0] += 5
    assert clock() == 1.8e9 + 5


def test_the_process_clock_shows_the_time_of_day(monkeypatch: pytest.MonkeyPatch) -> None:
    now = steady_clock()
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert now <= steady_clock() < now + 600


@pytest.mark.parametrize(
    ("wall", "uptime", "boot", "passed"),
    [
        (60, 60, "a", 60),
        (60 + 43_200, 60, "a", 60),
        (60 - 43_200, 60, "a", 60),
        (43_200, 3_600, "b", 43_200),
        (60, -400, "b", 60),
        (-60, -400, "b", 0),
        (43_200, 3_600, None, 43_200),
    ],
)
def test_measures_time_since_another_processs_moment(
    wall: float, uptime: float, boot: str | None, passed: float
) -> None:
    then = SteadyClock(lambda: 1.8e9, lambda: 500.0, boot and "a")
    now = SteadyClock(lambda: 1.8e9 + wall, lambda: 500.0 + uptime, boot)
    assert now.seconds_since(then(), then.uptime(), then.boot) == pytest.approx(passed)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems name no boot")
def test_two_processes_agree_on_the_boot_id() -> None:
    code = "from lamplighter.platform.steady_clock import steady_clock; print(steady_clock.boot)"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == steady_clock.boot is not None
