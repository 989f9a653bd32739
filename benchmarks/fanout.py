"""A class of two servers that share a NATS broker: the delay of the beats at both, and what the death of one does.

The run is written without training (`classroom/class_run.py`). A delay ends when the kernel has received a beat, as in the
benchmark of one class. Then viewers that connect again as a page does have answered a question, and one server is
killed. Loopback only; about a minute.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from pathlib import Path

from benchmarks.classroom.class_run import ClassRun
from benchmarks.classroom.clients import Crowd, percentile
from benchmarks.support.report import report
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from tests.support.application import Application
from tests.support.classroom.class_client import CLASSROOM, ClassClient
from tests.support.classroom.moving_viewer import MovingViewer
from tests.support.machine.nats_server import Link, NatsServer, free_port
from tests.support.waiting import wait_until

VIEWERS, PROCESSES = 500, 2
"""Viewers of each server, and processes that they sit in."""
MOVING = 40
SECONDS = 20.0
TOKENS, BATCH = 2_000, 160


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    return all([_measure_delay(), _measure_death()])


def _measure_delay() -> bool:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        nats = NatsServer(folder / "nats")
        stack.callback(nats.stop)
        made = stack.enter_context(ClassRun(RunStore(folder / "runs"), TOKENS, BATCH))
        words = ("serve", "--no-workers", *CLASSROOM, "--class-size", str(2 * VIEWERS), "--broker", nats.url)
        servers = [stack.enter_context(Application(folder / "runs", *words)) for _ in range(2)]
        crowds: list[Crowd] = []
        for server in servers:
            client = ClassClient(server)
            cookies = _join_all(server)
            crowds.append(_crowd(client, made.run, cookies))
            stack.callback(crowds[-1].kill)
        time.sleep(3)
        for crowd in crowds:
            crowd.count()
        time.sleep(SECONDS)
        tallies = [crowd.end()[0] for crowd in crowds]
    delays: dict[int, int] = {}
    for tally in tallies:
        for delay, count in tally.delays.items():
            delays[delay] = delays.get(delay, 0) + count
    conditions = {
        "median": percentile(delays, 0.5),
        "p99_of_each_server": str([percentile(tally.delays, 0.99) for tally in tallies]),
        "viewers": 2 * VIEWERS,
        "beats": sum(tally.beats for tally in tallies),
        "load": os.getloadavg()[0],
    }
    p99 = percentile(delays, 0.99)
    met = report("fanout", p99, "ms from the end of a step to the viewers of two servers, p99", **conditions)
    lost = sum(tally.missed + tally.skips + tally.closed for tally in tallies)
    return report("fanout_lost", lost, "beats out of order, skips and closed viewers") and met


def _measure_death() -> bool:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        nats = NatsServer(folder / "nats")
        stack.callback(nats.stop)
        made = stack.enter_context(ClassRun(RunStore(folder / "runs"), TOKENS, BATCH))
        ports = [free_port(), free_port()]
        door = Link(*ports)
        stack.callback(door.close)
        address = ("--class-behind", f"http://127.0.0.1:{door.port}", "--trust-proxy", "127.0.0.1")
        first, second = (
            Application(
                folder / "runs",
                *("serve", "--no-workers", "--classroom", "--class-host", "127.0.0.1"),
                *("--class-port", str(port), "--broker", nats.url, *address),
            )
            for port in ports
        )
        stack.callback(second.close)
        stack.callback(first.close)
        viewers: list[MovingViewer] = []
        for _ in range(MOVING):
            client = ClassClient(first)
            _join(client)
            viewers.append(MovingViewer(client, made.run.id))
            stack.callback(viewers[-1].close)
        question = first.post("/api/class/question", {"run": made.run.id, "about": "lit_next", "steps": 1})
        wait_until(lambda: all(one.question.get("id") == question["id"] for one in viewers), "the question")
        for one in viewers:
            one.predict(question["id"], 5.0)
        wait_until(lambda: all(one.question["answered"] == MOVING for one in viewers), "the answers")
        beats, connections = {one: one.beats for one in viewers}, {one: one.connections for one in viewers}
        first.kill()
        killed = time.monotonic()
        wait_until(lambda: not all(one.is_connected for one in viewers), "those who are cut off")
        wait_until(lambda: all(one.is_connected for one in viewers), "all viewers at one server")
        moved = [one for one in viewers if one.connections > connections[one]]
        slowest = max(one.told_at for one in moved) - killed
        for one in viewers:
            # What may have been underway comes again.
            one.predict(question["id"], 5.0)
        closed = second.change("PATCH", "/api/class/question", {"state": "closed"})
        owned = time.monotonic() - killed
        wait_until(lambda: all(one.beats > beats[one] for one in viewers), "beats")
    met = report(
        "fanout_moved",
        slowest,
        "s from the death of a server until its last viewer is told of the class by the other",
        moved=len(moved),
        presenter_seconds=owned,
        load=os.getloadavg()[0],
    )
    return report("fanout_miscounted", abs(closed["answered"] - MOVING), "answers lost or doubled") and met


def _join_all(server: Application) -> list[str]:
    # Each waits until the owner's state with it stands in the broker, and many are written together.
    clients = [ClassClient(server)] * VIEWERS
    with ThreadPoolExecutor(16) as together:
        return list(together.map(_join, map(copy, clients)))


def _join(client: ClassClient) -> str:
    assert client.join() == 204
    return client.cookie


def _crowd(client: ClassClient, run: RunFolder, cookies: list[str]) -> Crowd:
    port = int(client.url.rpartition(":")[2])
    return Crowd(
        [
            {"port": port, "run": run.id, "cookies": cookies[number::PROCESSES], "plain": 0}
            for number in range(PROCESSES)
        ]
    )
