"""Hostile clients beside honest ones: whether presenter and viewers notice, and whether the server recovers.

A server that may open 256 files meets 400 idle sockets, viewers that ping without pause, slow readers of a large file,
clients that reconnect twenty times a second, and players at full speed (`hostile_clients.py`). Five honest viewers
watch a run, and a presenter asks and changes something ten times a second, each time over a new connection.

Then one viewer of a class requests the most expensive responses over 200 connections. The others each send one of the
page's requests a second. Three rounds, each first quiet and then with the flood. Loopback only; about six minutes.
"""

from __future__ import annotations

import contextlib
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

from benchmarks.support import hostile_clients
from benchmarks.support.presenter import Presenter
from benchmarks.support.report import report
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.wire.pulse_frames import Pulse
from tests.support.application import Application, Viewer
from tests.support.classroom.class_client import CLASSROOM, ClassClient
from tests.support.folders import FakeTrainer, make_run
from tests.support.served import PacedTrainer

DESCRIPTORS, VIEWERS, STEPS_PER_SECOND, SECONDS, CALM_SECONDS = 256, 5, 10, 45.0, 60.0
CLASS_VIEWERS, ROUNDS, CLASS_SECONDS, STEPS, PAUSE = 12, 3, 40.0, 500, 1.0
MAX_TIMES, MAX_MORE = 1.3, 100.0
"""The maximum cost of the flood for the slowest viewer: a multiple of its 95th percentile in the quiet class, or a
number of ms more."""
_TIMEOUT = 20.0
_KINDS = ("runs", "steps", "runs", "steps", "relations")
"""The kinds of requests of a viewer, sent in turn."""
_LIMITED = f'ulimit -n {DESCRIPTORS}; exec "$0" -m lamplighter "$@"'
_STOP_AT_LOG_BYTES = 30_000_000
"""A server that logs this much has failed; the attack ends early, to spare the disk."""


class _Server:
    """The server's process, seen from outside."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._process = psutil.Process(application.process.pid)
        self._lines = 0
        self.log_bytes = 0
        self.peak = 0.0

    def look(self) -> tuple[int, float]:
        """Return the open descriptors and the resident megabytes, and keep log and peak up to date."""
        new = self._application.said[self._lines :]
        self._lines += len(new)
        self.log_bytes += sum(len(line) + 1 for line in new)
        megabytes = self._process.memory_info().rss / 1e6
        self.peak = max(self.peak, megabytes)
        return self._process.num_fds(), megabytes


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder))
        finished = FakeTrainer(make_run(store, steps=2_000)).begin().train(2_000)
        finished.end()
        trainer = FakeTrainer(make_run(store, steps=1_000_000)).begin()
        command = ["sh", "-c", _LIMITED, sys.executable]
        with Application(Path(folder), "serve", "--no-workers", command=command) as application:
            met = _measure(application, trainer, finished.run.id)
        trainer.crash()
    return measure_fairness() and met


def _measure(application: Application, trainer: FakeTrainer, finished: str) -> bool:
    server = _Server(application)
    change = ("POST", f"/api/runs/{trainer.run.id}/requests")
    presenter = Presenter(
        application,
        (
            ("GET", "/api/session", None),
            ("GET", f"/api/runs/{trainer.run.id}", None),
            (*change, '{"kind": "pause"}'),
            ("GET", "/static/lamp.svg", None),
            (*change, '{"kind": "resume"}'),
        ),
    )
    with contextlib.ExitStack() as stack:
        viewers = [stack.enter_context(Viewer(application, trainer.run.id, "pulse")) for _ in range(VIEWERS)]
        with PacedTrainer(trainer, STEPS_PER_SECOND):
            presenter.start()
            time.sleep(3)
            before, quiet = server.look(), list(presenter.milliseconds)
            first = trainer.step
            lasted = _attack(application, finished, server)
            last = trainer.step
            presenter.stopped.set()
            presenter.join()
            time.sleep(2)
        back, after = _calm_down(server, before)
    expected = (last - first) * VIEWERS
    delivered = sum(_steps_delivered(viewer, first, last) for viewer in viewers)
    measured = presenter.milliseconds[len(quiet) :]
    met = report(
        "hostile",
        float(np.percentile(measured, 99)),
        "ms, the presenter's requests, p99",
        median=float(np.median(measured)),
        quiet_p99=float(np.percentile(quiet, 99)),
        requests=len(measured),
        attack_seconds=lasted,
        limit=DESCRIPTORS,
        idle=hostile_clients.IDLE,
    )
    met &= report("hostile_failed", presenter.failed, "of the presenter's requests failed")
    met &= report("hostile_beats", delivered / expected, "of the beats delivered", expected=expected)
    met &= report("hostile_log", server.log_bytes, "bytes logged")
    met &= report("hostile_memory", server.peak, "MB at most")
    return (
        report(
            "hostile_recovery",
            CALM_SECONDS + 1 if back is None else back,
            f"s until descriptors and memory are back, {CALM_SECONDS + 1:g} if they are not",
            before={"descriptors": before[0], "megabytes": before[1]},
            after={"descriptors": after[0], "megabytes": after[1]},
        )
        and met
    )


def _attack(application: Application, run_id: str, server: _Server) -> float:
    """Start the hostile clients. Returns the seconds until they were stopped."""
    hostile = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.support.hostile_clients", "server", application.url, run_id]
    )
    begun = time.monotonic()
    try:
        while time.monotonic() - begun < SECONDS and server.log_bytes < _STOP_AT_LOG_BYTES:
            server.look()
            time.sleep(0.25)
    finally:
        hostile.kill()
        hostile.wait()
    return time.monotonic() - begun


def _calm_down(server: _Server, before: tuple[int, float]) -> tuple[float | None, tuple[int, float]]:
    """Wait until descriptors and memory are back to normal. Returns the seconds, None if they are not, and the last
    values.

    Memory counts as back within 50 MB, because an allocator keeps some, which a second attack reuses.
    """
    begun = time.monotonic()
    while True:
        now = server.look()
        waited = time.monotonic() - begun
        if now[0] <= before[0] + 4 and now[1] <= before[1] + 50:
            return waited, now
        if waited > CALM_SECONDS:
            return None, now
        time.sleep(0.5)


def _steps_delivered(viewer: Viewer, first: int, last: int) -> int:
    pulses: Sequence[Pulse] = [frame for _, frame in viewer.frames if isinstance(frame, Pulse)]
    return sum(max(0, min(pulse.step, last) - max(pulse.first_step, first + 1) + 1) for pulse in pulses)


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
        viewers=CLASS_VIEWERS,
        connections=hostile_clients.FLOOD_CONNECTIONS,
        load=os.getloadavg()[0],
    )


def _measure_round(application: Application, run: RunFolder) -> dict[str, float]:
    quiet = _watch(application, run)
    flooding = ClassClient(application)
    assert flooding.join() == 204
    base = f"/api/runs/{run.id}/geometry"
    paths = [f"{base}/relations?step={{step}}", f"{base}/ranks?step={{step}}&pairs=1-2"]
    words = [
        sys.executable,
        "-m",
        "benchmarks.support.hostile_clients",
        "flood",
        flooding.url,
        flooding.cookie,
        *paths,
    ]
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
        "most_ms": max(MAX_TIMES * before, before + MAX_MORE),
        "flooded_ms": _slowest(flooded),
        "failed": sum(one.failed for one in [*quiet, *flooded]),
    }
    for kind in dict.fromkeys(_KINDS):
        for name, side in (("quiet", quiet), ("flooded", flooded)):
            sides[f"{kind}_{name}_ms"] = float(
                np.percentile([took for one in side for took in one.milliseconds[kind]], 95)
            )
    return sides


def _slowest(viewers: Sequence[_ClassViewer]) -> float:
    """Return the 95th percentile of the viewer for whom it is largest."""
    return max(float(np.percentile(one.all(), 95)) for one in viewers)


class _ClassViewer(threading.Thread):
    """A viewer that sends requests repeatedly over one connection, and records the time of each response."""

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
    """Wait until the server has answered all requests."""
    server = psutil.Process(application.process.pid)
    while server.cpu_percent(1.0) > 20:
        pass


def _watch(application: Application, run: RunFolder) -> list[_ClassViewer]:
    viewers = [_ClassViewer(application, run, number) for number in range(CLASS_VIEWERS)]
    for viewer in viewers:
        viewer.start()
    time.sleep(CLASS_SECONDS)
    for viewer in viewers:
        viewer.stopped.set()
    for viewer in viewers:
        viewer.join(_TIMEOUT)
    return viewers
