"""A class of which one viewer floods the server: what every other viewer waits, beside a quiet class.

One viewer asks over 200 connections, from a process of its own, for what takes longest to compute. The others each ask
once a second for something that a page asks for. Three rounds, each first quiet and then with the flood.
"""

from __future__ import annotations

import http.client
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil

from benchmarks import hostile_flood
from benchmarks.report import report
from lamplighter.runfolder.run_folder import RunFolder
from tests.application import Application
from tests.class_client import CLASSROOM, ClassClient

VIEWERS, ROUNDS, SECONDS, STEPS, PAUSE = 12, 3, 40.0, 500, 1.0
MOST_TIMES, MOST_MORE = 1.3, 100.0
"""The most that the flood may cost the slowest viewer: so many times its 95th percentile in the quiet class, or so many ms more."""
_TIMEOUT = 20.0
_KINDS = ("runs", "steps", "runs", "steps", "relations")
"""The kinds of requests of a viewer, in turn."""


def measure_fairness() -> bool:
    """Measure and print. Returns whether the goal is met."""
    with tempfile.TemporaryDirectory() as folder:
        with Application(Path(folder), "serve") as training:
            run = training.start_run({"corpus": {"kind": "lamptown"}, "steps": STEPS})
            training.wait_until_over(run, 300)
        with Application(Path(folder), "serve", "--no-workers", *CLASSROOM) as application:
            rounds = [_measure_round(application, run) for _ in range(ROUNDS)]
    worst = max(rounds, key=lambda one: one["flooded_ms"] - one["most_ms"])
    return report(
        "hostile_class",
        max(one["flooded_ms"] / one["most_ms"] for one in rounds),
        "of what the slowest other viewer's p95 may be, with one viewer's flood; the largest of three rounds",
        slowest_round=worst,
        rounds=[[one["quiet_ms"], one["flooded_ms"]] for one in rounds],
        failed=sum(one["failed"] for one in rounds),
        viewers=VIEWERS,
        connections=hostile_flood.CONNECTIONS,
        load=os.getloadavg()[0],
    )


def _measure_round(application: Application, run: RunFolder) -> dict[str, float]:
    quiet = _watch(application, run)
    flooding = ClassClient(application)
    assert flooding.join() == 204
    base = f"/api/runs/{run.id}/geometry"
    paths = [f"{base}/relations?step={{step}}", f"{base}/ranks?step={{step}}&pairs=1-2"]
    words = [sys.executable, "-m", "benchmarks.hostile_flood", flooding.url, flooding.cookie, *paths]
    with subprocess.Popen(words) as flood:
        try:
            time.sleep(3)
            flooded = _watch(application, run)
        finally:
            flood.kill()
    _wait_until_idle(application)
    application.change("DELETE", "/api/class/members")
    before = _slowest(quiet)
    sides: dict[str, float] = {
        "quiet_ms": before,
        "most_ms": max(MOST_TIMES * before, before + MOST_MORE),
        "flooded_ms": _slowest(flooded),
        "failed": sum(one.failed for one in [*quiet, *flooded]),
    }
    for kind in dict.fromkeys(_KINDS):
        for name, side in (("quiet", quiet), ("flooded", flooded)):
            sides[f"{kind}_{name}_ms"] = float(
                np.percentile([took for one in side for took in one.milliseconds[kind]], 95)
            )
    return sides


def _slowest(viewers: Sequence[_Viewer]) -> float:
    """Return the 95th percentile of the viewer for whom it is largest."""
    return max(float(np.percentile(one.all(), 95)) for one in viewers)


class _Viewer(threading.Thread):
    """A viewer who asks something again and again over one connection, and notes how long each answer takes."""

    def __init__(self, application: Application, run: RunFolder, number: int) -> None:
        super().__init__(daemon=True)
        self.milliseconds: dict[str, list[float]] = {kind: [] for kind in _KINDS}
        self.failed = 0
        self.stopped = threading.Event()
        self._random = random.Random()
        self._run = run
        self._client = ClassClient(application)
        assert self._client.join() == 204

    def all(self) -> Sequence[float]:
        return [took for kind in self.milliseconds.values() for took in kind]

    def run(self) -> None:
        connection = http.client.HTTPConnection(self._client.authority, timeout=_TIMEOUT)
        turn = self._random.randrange(len(_KINDS))
        while not self.stopped.wait(PAUSE * self._random.uniform(0.5, 1.5)):
            turn += 1
            kind = _KINDS[turn % len(_KINDS)]
            begun = time.monotonic()
            try:
                connection.request("GET", self._path(kind), headers={"Cookie": self._client.cookie})
                answer = connection.getresponse()
                answer.read()
                failed = answer.status != 200
            except (OSError, http.client.HTTPException):
                connection.close()
                failed = True
            self.failed += failed
            self.milliseconds[kind].append(1e3 * (_TIMEOUT if failed else time.monotonic() - begun))
        connection.close()

    def _path(self, kind: str) -> str:
        step = self._random.randrange(STEPS - 100)
        return {
            "runs": "/api/runs",
            "steps": f"/api/runs/{self._run.id}/steps?from={step + 1}&to={step + 100}&every=1&format=frame",
            "relations": f"/api/runs/{self._run.id}/geometry/relations?step={step}",
        }[kind]


def _wait_until_idle(application: Application) -> None:
    """Wait until the server has answered what was asked of it."""
    server = psutil.Process(application.process.pid)
    while server.cpu_percent(1.0) > 20:
        pass


def _watch(application: Application, run: RunFolder) -> list[_Viewer]:
    viewers = [_Viewer(application, run, number) for number in range(VIEWERS)]
    for viewer in viewers:
        viewer.start()
    time.sleep(SECONDS)
    for viewer in viewers:
        viewer.stopped.set()
    for viewer in viewers:
        viewer.join(_TIMEOUT)
    return viewers
