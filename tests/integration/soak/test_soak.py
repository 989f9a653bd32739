"""A short soak: twenty kills across all processes, and no step lost, half visible or mixed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.soak.processes import PLACES


@pytest.mark.tour
def test_twenty_kills_lose_nothing() -> None:
    # Its own process, so that its many children end with it.
    command = [sys.executable, "-m", "tests.soak", "--kills", "20", "--seed", "1", "--steps", "300"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    report = json.loads(ended.stdout)
    assert (report["lost"], report["half_visible"], report["mixed"]) == (0, 0, 0)
    assert report["kills"] >= 20
    assert all(report["by_place"][place] >= 2 for place in PLACES), report
    assert report["by_process"]["server"] >= 2
    assert set(report["by_process"]) == {"trainer", "projector", "analyst", "server", "exporter"}
