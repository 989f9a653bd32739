"""Hostile clients beside honest ones: whether presenter and viewers notice, and whether the server recovers.

A server that may open 256 files meets 400 idle sockets, viewers that ping without pause, slow readers of a large file,
clients that reconnect twenty times a second, and players at full speed (`hostile_clients.py`). Five honest viewers
watch a run, and a presenter asks and changes something ten times a second, each time over a new connection.

Then one viewer of a class requests the most expensive responses over 200 connections. The others each send one of the
page's requests a second. Three rounds, each first quiet and then with the flood. Loopback only; about six minutes.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil

from benchmarks.support import hostile_clients
from benchmarks.support.class_run import join
from benchmarks.support.report import report
from benchmarks.support.server import Request, Requester, WatchedServer, attacked, start_presenter
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.wire.pulse_frames import Pulse
from tests.support.application import Application, Follower
from tests.support.classroom.class_client import CLASSROOM, ClassClient
from tests.support.folders import FakeTrainer, make_run
from tests.support.served import PacedTrainer

DESCRIPTORS, VIEWERS, STEPS_PER_SECOND, SECONDS, CALM_SECONDS = 256, 5, 10, 45.0, 60.0
CLASS_VIEWERS, ROUNDS, CLASS_SECONDS, STEPS, PAUSE = 12, 3, 40.0, 500, 1.0
MAX_TIMES, MAX_MORE = 1.3, 100.0
"""The maximum cost of the flood for the slowest viewer: a multiple of its 95th percentile in the quiet class, or a
number of ms more."""
_KINDS = ("runs", "steps", "runs", "steps", "relations")
"""The kinds of requests of a viewer, sent in turn."""
_LIMITED = f'ulimit -n {DESCRIPTORS}; exec "$0" -m lamplighter "$@"'
_STOP_AT_LOG_BYTES = 30_000_000
"""A server that logs this much has failed; the attack ends early, to spare the disk."""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder))
        finished = FakeTrainer(make_run(store, steps=2_000)).begin().train(2_000)
        finished.end()
        trainer = FakeTrainer(make_run(store, steps=1_000_000)).begin()
        command = ["sh", "-c", _LIMITED, sys.executable]
        with Application(Path(folder), "serve", "--no-workers", command=command) as application:
            _measure(application, trainer, finished.run.id)
        trainer.crash()
    measure_fairness()


def _measure(application: Application, trainer: FakeTrainer, finished: str) -> None:
    server = WatchedServer(application)
    change = ("POST", f"/api/runs/{trainer.run.id}/requests")
    requests = (
        ("GET", "/api/session", None),
        ("GET", f"/api/runs/{trainer.run.id}", None),
        (*change, '{"kind": "pause"}'),
        ("GET", "/static/lamp.svg", None),
        (*change, '{"kind": "resume"}'),
    )
    with contextlib.ExitStack() as stack:
        viewers = [
            stack.enter_context(Follower(application, trainer.run.id, ("pulse",))) for _ in range(VIEWERS)
        ]
        with PacedTrainer(trainer, STEPS_PER_SECOND):
            presenter = start_presenter(application, requests)
            time.sleep(3)
            before, quiet = server.look(), presenter.milliseconds
            first = trainer.step
            begun = time.monotonic()
            with attacked("server", application.url, finished):
                while time.monotonic() - begun < SECONDS and server.log_bytes < _STOP_AT_LOG_BYTES:
                    server.look()
                    time.sleep(0.25)
            lasted = time.monotonic() - begun
            last = trainer.step
            presenter.stop()
            time.sleep(2)
        back, after = _calm_down(server, before)
    expected = (last - first) * VIEWERS
    delivered = sum(_steps_delivered(viewer, first, last) for viewer in viewers)
    measured = presenter.milliseconds[len(quiet) :]
    report(
        "hostile",
        np.percentile(measured, 99),
        "ms, the presenter's requests, p99",
        median=np.median(measured),
        quiet_p99=np.percentile(quiet, 99),
        requests=len(measured),
        attack_seconds=lasted,
        limit=DESCRIPTORS,
        idle=hostile_clients.IDLE,
    )
    report("hostile_failed", presenter.failed, "of the presenter's requests failed")
    report("hostile_beats", delivered / expected, "of the beats delivered", expected=expected)
    report("hostile_log", server.log_bytes, "bytes logged")
    report("hostile_memory", server.peak, "MB at most")
    report(
        "hostile_recovery",
        CALM_SECONDS + 1 if back is None else back,
        f"s until descriptors and memory are back, {CALM_SECONDS + 1:g} if they are not",
        before={"descriptors": before[0], "megabytes": before[1]},
        after={"descriptors": after[0], "megabytes": after[1]},
    )


def _calm_down(server: WatchedServer, before: tuple[int, float]) -> tuple[float | None, tuple[int, float]]:
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


def _steps_delivered(viewer: Follower, first: int, last: int) -> int:
    pulses: Sequence[Pulse] = [frame for _, frame in viewer.frames if isinstance(frame, Pulse)]
    return sum(max(0, min(pulse.step, last) - max(pulse.first_step, first + 1) + 1) for pulse in pulses)


def measure_fairness() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        with Application(Path(folder), "serve") as training:
            run = training.start_run({"corpus": {"kind": "lamptown"}, "steps": STEPS})
            training.wait_until_over(run, 300)
        with Application(Path(folder), "serve", "--no-workers", *CLASSROOM) as application:
            rounds = [_measure_round(application, run) for _ in range(ROUNDS)]
    worst = max(rounds, key=lambda one: one["flooded_ms"] - one["most_ms"])
    report(
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
    join(flooding)
    base = f"/api/runs/{run.id}/geometry"
    paths = [f"{base}/relations?step={{step}}", f"{base}/ranks?step={{step}}&pairs=1-2"]
    with attacked("flood", flooding.url, flooding.cookie, *paths):
        time.sleep(3)
        flooded = _watch(application, run)
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
                np.percentile([took for one in side for took in one.took[kind]], 95)
            )
    return sides


def _slowest(viewers: Sequence[Requester]) -> float:
    """Return the 95th percentile of the viewer for whom it is largest."""
    return max(np.percentile(one.milliseconds, 95) for one in viewers)


def _start_viewer(application: Application, run: RunFolder) -> Requester:
    """Let one more viewer send the page's requests in turn, over one connection."""
    client, draw = ClassClient(application), random.Random()
    turn = draw.randrange(len(_KINDS))

    def choose(count: int) -> Request:
        kind, step = _KINDS[(turn + count) % len(_KINDS)], draw.randrange(STEPS - 100)
        paths = {
            "runs": "/api/runs",
            "steps": f"/api/runs/{run.id}/steps?from={step + 1}&to={step + 100}&every=1&format=frame",
            "relations": f"/api/runs/{run.id}/geometry/relations?step={step}",
        }
        return kind, "GET", paths[kind], None

    viewer = Requester(
        client.authority,
        {"Cookie": join(client)},
        choose,
        pause=lambda: PAUSE * draw.uniform(0.5, 1.5),
        timeout=20.0,
        keep_alive=True,
    )
    viewer.start()
    return viewer


def _wait_until_idle(application: Application) -> None:
    """Wait until the server has answered all requests."""
    server = psutil.Process(application.process.pid)
    while server.cpu_percent(1.0) > 20:
        pass


def _watch(application: Application, run: RunFolder) -> list[Requester]:
    viewers = [_start_viewer(application, run) for _ in range(CLASS_VIEWERS)]
    time.sleep(CLASS_SECONDS)
    for viewer in viewers:
        viewer.stop()
    return viewers
