"""A class of five hundred on one machine: delays, bytes, the presenter's answers, and the remaining pace of training.

The application trains the default run with its map, all on the same cores. The viewers are bare sockets in separate
processes at the lowest priority, and a delay ends when the kernel has received a beat, as on a phone with its own
processor. Then fifty of the viewers are hostile (`hostile.py`), compared with the peaceful class, and last the plain
way is compared with ours (`plain.py`). Loopback only; about four minutes.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.classroom.class_run import ClassRun
from benchmarks.classroom.clients import Crowd, percentile
from benchmarks.classroom.joining import measure_joining
from benchmarks.support.presenter import Presenter
from benchmarks.support.report import report
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.wire.layout_frames import Method
from tests.support.application import Application
from tests.support.classroom.class_client import CLASSROOM, ClassClient
from tests.support.runs import wait_for_step
from tests.support.waiting import wait_until

VIEWERS, HOSTILE, PROCESSES = 500, 50, 4
WARM_STEPS, QUIET_SECONDS, SECONDS = 300, 20.0, 40.0
PLAIN_VIEWERS, TOKENS, BATCH, PLAIN_FRAMES = 200, 2_000, 160, 30


def measure_all() -> bool:
    """Measure and print. Returns whether the goals are met."""
    met, peaceful = _measure_class(hostile=False)
    met_hostile, attacked = _measure_class(hostile=True)
    unit = "of the peaceful class's p99"
    met_ratio = report(
        "classroom_hostile_ratio", attacked / peaceful, unit, peaceful_ms=peaceful, hostile_ms=attacked
    )
    return all([met, met_hostile, met_ratio, _measure_plain_way(), measure_joining()])


def _measure_class(*, hostile: bool) -> tuple[bool, float]:
    """Return whether the goals are met, and the 99th percentile of the delays in ms."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Application(Path(folder), "serve", *CLASSROOM) as application,
    ):
        run = application.start_run({"corpus": {"kind": "lamptown"}, "steps": 100_000})
        wait_for_step(run, WARM_STEPS, 240)
        wait_until(lambda: _has_map(run), "a map", 240)
        server = psutil.Process(application.process.pid)
        client = ClassClient(application)
        cookies = [_join(client) for _ in range(VIEWERS)]
        before = _pace(run, QUIET_SECONDS)
        honest = cookies[HOSTILE:] if hostile else cookies
        log_bytes = len(application.log)
        with contextlib.ExitStack() as stack:
            if hostile:
                stack.enter_context(_attack(client.url, run, cookies[:HOSTILE]))
            crowd = stack.enter_context(_crowd(client.url, run, honest))
            presenter = _presenter(application, run)
            presenter.start()
            time.sleep(3)
            crowd.count()
            used, peak, first = sum(server.cpu_times()[:2]), 0.0, read_status(run).step
            begun = time.monotonic()
            while time.monotonic() - begun < SECONDS:
                time.sleep(0.25)
                peak = max(peak, server.memory_info().rss / 1e6)
            lasted, last = time.monotonic() - begun, read_status(run).step
            used = sum(server.cpu_times()[:2]) - used
            tally, client_seconds = crowd.end()
            presenter.stopped.set()
            presenter.join()
        log_bytes = len(application.log) - log_bytes
        time.sleep(2)
        after = _pace(run, QUIET_SECONDS)
        application.ask(run, "stop")
        application.wait_until_over(run)
    rate = tally.bytes / lasted / len(honest)
    share = (last - first) / lasted / float(np.mean([before, after]))
    name, p99 = "classroom_hostile" if hostile else "classroom", percentile(tally.delays, 0.99)
    met = [
        report(
            name,
            p99,
            "ms from the end of a step to its viewers, p99",
            median=percentile(tally.delays, 0.5),
            viewers=len(honest),
            hostile=HOSTILE if hostile else 0,
            beats=tally.beats,
            beats_a_second=tally.beats / lasted / len(honest),
            server_processor_share=used / lasted,
            client_processor_share=client_seconds / lasted,
            load=os.getloadavg()[0],
        ),
        report(
            f"{name}_lost",
            tally.missed + tally.skips + tally.closed,
            "beats out of order, skips and closed viewers",
            not_in_order=tally.missed,
            skipped=tally.skips,
            closed=tally.closed,
        ),
        report(f"{name}_bytes_each", rate, "bytes a second for each viewer"),
        report(
            f"{name}_presenter",
            float(np.percentile(presenter.milliseconds, 99)),
            "ms, the presenter's requests, p99",
            median=float(np.median(presenter.milliseconds)),
        ),
        report(f"{name}_presenter_failed", presenter.failed, "of the presenter's requests failed"),
        report(
            f"{name}_training",
            share,
            "of the steps/s without viewers",
            before=before,
            meanwhile=(last - first) / lasted,
            after=after,
        ),
        report(f"{name}_memory", peak, "MB of the server at most"),
        report(f"{name}_log", log_bytes, "bytes logged"),
    ]
    return all(met), p99


def _measure_plain_way() -> bool:
    ours, ours_seconds, ours_bytes = _ours()
    plain, plain_seconds, plain_bytes = _plain_way()
    sides = {
        "ours": {"frames": ours, "ms": 1e3 * ours_seconds / ours, "bytes": ours_bytes / ours},
        "plain": {"frames": plain, "ms": 1e3 * plain_seconds / plain, "bytes": plain_bytes / plain},
        "viewers": PLAIN_VIEWERS,
        "tokens": TOKENS,
    }
    times = (plain_seconds / plain) / (ours_seconds / ours)
    met = report("classroom_processor", times, "times less processor time a frame than plainly", **sides)
    less = (plain_bytes / plain) / (ours_bytes / ours)
    return report("classroom_bytes", less, "times fewer bytes a frame than plainly", **sides) and met


def _ours() -> tuple[int, float, int]:
    """Return the beats delivered, the seconds of processor time of the server, and all bytes of the viewers."""
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder))
        words = ("serve", "--no-workers", *CLASSROOM)
        with ClassRun(store, TOKENS, BATCH) as made, Application(Path(folder), *words) as application:
            client = ClassClient(application)
            server = psutil.Process(application.process.pid)
            with _crowd(client.url, made.run, [_join(client) for _ in range(PLAIN_VIEWERS)]) as crowd:
                time.sleep(2)
                crowd.count()
                used = sum(server.cpu_times()[:2])
                time.sleep(SECONDS / 2)
                used = sum(server.cpu_times()[:2]) - used
                tally, _ = crowd.end()
    return tally.beats, used, tally.bytes


def _plain_way() -> tuple[int, float, int]:
    """Return the frames delivered, the seconds of processor time of the server, and all bytes of the viewers."""
    words = [str(number) for number in (TOKENS, BATCH, PLAIN_FRAMES)]
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.classroom.plain", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdin is not None
        assert server.stdout is not None
        port = int(server.stdout.readline())
        order: dict[str, Any] = {"port": port, "run": "", "cookies": [], "plain": PLAIN_VIEWERS // PROCESSES}
        crowd = Crowd([order] * PROCESSES)
        crowd.count()
        server.stdin.write("begin\n")
        server.stdin.flush()
        sent, seconds = server.stdout.readline().split()
        time.sleep(2)
        tally, _ = crowd.end()
    finally:
        server.kill()
        server.communicate()
    return int(sent), float(seconds), tally.bytes


@contextlib.contextmanager
def _crowd(url: str, run: RunFolder, cookies: list[str]) -> Generator[Crowd]:
    port = int(url.rpartition(":")[2])
    crowd = Crowd(
        [
            {"port": port, "run": run.id, "cookies": cookies[number::PROCESSES], "plain": 0}
            for number in range(PROCESSES)
        ]
    )
    try:
        yield crowd
    finally:
        crowd.kill()


@contextlib.contextmanager
def _attack(url: str, run: RunFolder, cookies: list[str]) -> Generator[None]:
    words = [sys.executable, "-m", "benchmarks.support.hostile_clients", "class", url, run.id, *cookies]
    attack = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
        assert attack.poll() is None, "the attack ended early"
    finally:
        attack.kill()
        attack.wait()


def _presenter(application: Application, run: RunFolder) -> Presenter:
    view = ("POST", "/api/class/view", f'{{"query": "run={run.id}"}}')
    reading = [
        ("GET", "/api/session", None),
        ("GET", f"/api/runs/{run.id}", None),
        ("GET", "/api/class", None),
    ]
    return Presenter(application, [*reading, view, *reading, ("GET", "/static/lamp.svg", None)])


def _join(client: ClassClient) -> str:
    assert client.join() == 204
    return client.cookie


def _has_map(run: RunFolder) -> bool:
    with contextlib.suppress(FileNotFoundError), LayoutsReader(run.layouts_path) as layouts:
        return any(entry.method is Method.UMAP for entry in layouts.layout_entries(0))
    return False


def _pace(run: RunFolder, seconds: float) -> float:
    """Return the training speed over a few seconds, in steps a second."""
    begun, first = time.monotonic(), read_status(run).step
    time.sleep(seconds)
    return (read_status(run).step - first) / (time.monotonic() - begun)
