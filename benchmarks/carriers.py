"""A class that one server does not carry alone: an owner and a relay, or files of a stock nginx.

The run is written without training (`class_run.py`), at ten steps a second. Loopback only.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from pathlib import Path
from typing import Any

import psutil

from benchmarks.support.class_run import ClassRun, join
from benchmarks.support.crowd import Crowd, Tally, following
from benchmarks.support.processes import processor_seconds, running
from benchmarks.support.report import report
from lamplighter.runfolder.run_store import RunStore
from lamplighter.wire.beat_frames import Beat
from lamplighter.wire.envelope import decode_envelope
from lamplighter.wire.frames import decode
from tests.support.application import Application
from tests.support.classroom.class_client import CLASSROOM, ClassClient
from tests.support.classroom.segment_viewer import split_segment
from tests.support.machine.nats_server import NatsServer, free_port
from tests.support.waiting import wait_until

SERVED, PROCESSES = 450, 2
"""Viewers of each server, and processes that they sit in."""
MOVING = 40
FANOUT_SECONDS = 20.0
TOKENS, BATCH = 2_000, 160
FILE_VIEWERS, SOCKETS = 2_000, 500
BROADCAST_TOKENS = 2_400
BROADCAST_SECONDS = 30.0
_NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    keepalive_requests 1000000;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{ listen 127.0.0.1:{port}; root {folder}/site; }}
}}
"""


def measure_fanout() -> None:
    """Measure the delay of the beats of a class at its owner and at a relay, with as many viewers at each.

    A delay ends when the kernel has received a beat, as in the benchmark of one class. About a minute.
    """
    _measure_delay()


@contextlib.contextmanager
def _written() -> Generator[tuple[contextlib.ExitStack, Path, str, str]]:
    """Write a run beside a broker. Yields what is closed at the end, the folder of runs, the run and the broker's address."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        nats = NatsServer(folder / "nats")
        stack.callback(nats.stop)
        made = stack.enter_context(ClassRun(RunStore(folder / "runs"), TOKENS, BATCH))
        yield stack, folder / "runs", made.run.id, nats.url


def _measure_delay() -> None:
    with _written() as (stack, runs, run, broker):
        words = ("serve", "--no-workers", *CLASSROOM, "--class-size", str(2 * SERVED), "--broker", broker)
        owner = stack.enter_context(Application(runs, *words))
        port = free_port()
        listener = ("--class-host", "127.0.0.1", "--class-port", str(port))
        relay = subprocess.Popen(
            [sys.executable, "-m", "lamplighter", "serve", "--relay", broker, *listener],
            stdout=subprocess.DEVNULL,
        )
        stack.callback(relay.wait)
        stack.callback(relay.kill)
        at_owner, at_relay = ClassClient(owner), ClassClient(owner)
        at_relay.url = f"http://127.0.0.1:{port}"
        wait_until(lambda: _lets_in(copy(at_relay)), "the relay")
        crowds = [
            stack.enter_context(following(client.url, run, _join_all(client), PROCESSES))
            for client in (at_owner, at_relay)
        ]
        time.sleep(3)
        for crowd in crowds:
            crowd.count()
        time.sleep(FANOUT_SECONDS)
        tallies = [crowd.end()[0] for crowd in crowds]
    whole = Tally()
    for tally in tallies:
        whole.add(tally)
    report(
        "fanout",
        whole.percentile(0.99),
        "ms from the end of a step to the viewers of an owner and a relay, p99",
        median=whole.percentile(0.5),
        p99_of_each_server=str([tally.percentile(0.99) for tally in tallies]),
        viewers=2 * SERVED,
        beats=whole.beats,
        load=os.getloadavg()[0],
    )
    lost = whole.missed + whole.skips + whole.closed
    report("fanout_lost", lost, "beats out of order, skips and closed viewers")


def _lets_in(client: ClassClient) -> bool:
    with contextlib.suppress(OSError):
        return client.join() == 204
    return False


def _join_all(client: ClassClient) -> list[str]:
    clients = [client] * SERVED
    with ThreadPoolExecutor(16) as together:
        return list(together.map(join, map(copy, clients)))


def measure_broadcast() -> bool:
    """Measure a broadcast to 2,000 viewers through nginx, beside the sockets of a class: processor time and bytes of each.

    `lamplighter broadcast` writes the run into a folder, and 2,000 connections ask nginx for the manifest and the new segment once
    a second. Then 500 viewers follow such a run over the sockets of a server. A viewer of files costs the processor time of
    nginx, one of sockets that of the server with 500 viewers less that with one. At how many viewers one core of nginx is full
    is extrapolated from that, not seen. About two minutes. It needs nginx (Debian: apt-get install nginx), and returns whether
    there is one.
    """
    if shutil.which("nginx") is None:
        print("broadcast needs nginx: apt-get install nginx", file=sys.stderr)
        return False
    files, sockets = _measure_files(), _measure_sockets()
    share = files["microseconds"] / sockets["microseconds"]
    report("broadcast_processor", share, "of a socket's processor time", files=files, sockets=sockets)
    report("broadcast_bytes", files["bytes"], "bytes a second for each viewer")
    full = 1e6 / files["microseconds"]
    report("broadcast_viewers", full, "viewers fill one core of nginx, extrapolated")
    report("broadcast_late", files["late"], "s from a step to its file, mean of those shown")
    report("broadcast_failed", files["failed"], "answers that were no success", answers=files["answers"])
    return True


def _measure_files() -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as made:
        folder = Path(made)
        # nginx's worker runs as another user.
        folder.chmod(0o755)
        site = folder / "site"
        with ClassRun(RunStore(folder / "runs"), BROADCAST_TOKENS, BATCH) as written:
            words = ("broadcast", "--runs", written.run.path.parent, written.run.id, site)
            with running("lamplighter", *words) as broadcast:
                wait_until((site / "live" / "manifest.json").exists, "the manifest", 60)
                with _nginx(folder) as (port, worker):
                    return _follow(port, worker, psutil.Process(broadcast.pid), site / "live")


def _follow(port: int, worker: psutil.Process, writer: psutil.Process, live: Path) -> dict[str, float]:
    crowd = Crowd([{"port": port, "files": FILE_VIEWERS // PROCESSES}] * PROCESSES)
    crowd.count()
    begun = time.monotonic()
    before = processor_seconds(worker), processor_seconds(writer)
    late: list[float] = []
    while time.monotonic() - begun < BROADCAST_SECONDS:
        late += _wait_for_segment(live)
    lasted = time.monotonic() - begun
    used, wrote = processor_seconds(worker) - before[0], processor_seconds(writer) - before[1]
    tally, _ = crowd.end()
    return {
        "viewers": FILE_VIEWERS,
        "microseconds": 1e6 * used / FILE_VIEWERS / lasted,
        "nginx_share": used / lasted,
        "writer_share": wrote / lasted,
        "late": sum(late) / len(late),
        "answers": tally.messages,
        "segments": tally.beats,
        "failed": tally.failed,
        "bytes": tally.bytes / FILE_VIEWERS / lasted,
    }


def _wait_for_segment(live: Path) -> list[float]:
    """Wait for the next segment. Returns the seconds from each of its steps that are shown until now."""
    manifest = json.loads((live / "manifest.json").read_text(encoding="utf-8"))
    segment = live / manifest["name"] / f"{manifest['sequence'] + 1:06}.bin"
    wait_until(segment.exists, "a segment", 20)
    now = time.time()
    parts = [part for _, data in split_segment(segment.read_bytes()) for part in decode_envelope(data)]
    frames = [decode(part) for part in parts if isinstance(part, bytes)]
    return [now - frame.time for frame in frames if isinstance(frame, Beat)]


@contextlib.contextmanager
def _nginx(folder: Path) -> Generator[tuple[int, psutil.Process]]:
    """Serve a folder's site. Yields the port, and the process that does the work."""
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, port=port), encoding="utf-8")
    process = psutil.Popen(["nginx", "-c", str(config), "-e", str(folder / "error.log")])
    try:
        wait_until(lambda: bool(process.children()), "nginx", 10)
        yield port, process.children()[0]
    finally:
        process.terminate()
        process.wait()


def _measure_sockets() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as made:
        runs = Path(made)
        with (
            ClassRun(RunStore(runs), BROADCAST_TOKENS, BATCH) as written,
            Application(runs, "serve", *CLASSROOM) as application,
        ):
            server = psutil.Process(application.process.pid)
            client = ClassClient(application)
            cookies = [join(client) for _ in range(SOCKETS)]
            shares, size = [], 0.0
            for count in (1, SOCKETS):
                with following(client.url, written.run.id, cookies[:count], PROCESSES) as crowd:
                    time.sleep(3)
                    crowd.count()
                    before, begun = processor_seconds(server), time.monotonic()
                    time.sleep(BROADCAST_SECONDS)
                    lasted = time.monotonic() - begun
                    shares.append((processor_seconds(server) - before) / lasted)
                    size = crowd.end()[0].bytes / lasted / count
    alone, together = shares
    return {
        "viewers": SOCKETS,
        "microseconds": 1e6 * (together - alone) / (SOCKETS - 1),
        "bytes": size,
        "server_share": together,
        "server_share_of_one": alone,
    }
