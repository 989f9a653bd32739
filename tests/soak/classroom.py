"""A soak test of the class: viewers join and leave all the time (`python -m tests.soak.classroom`).

A run goes on while twenty viewers join each second, watch it for a moment, and leave: politely, by dropping the connection, or
because the presenter removes them. The presenter removes whoever has gone, too. When all are gone, the server must have
as many descriptors as before and hardly more memory than after its warm-up.

Prints one JSON line; exits with 1 if a goal was missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import websockets

from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from tests.application import Application
from tests.class_client import CLASSROOM, ClassClient
from tests.unit.serving.folders import FakeTrainer, layout, make_run

MOST_GROWTH = 8 * 2**20
"""Bytes of memory that the server may have more at the end than after its warm-up: some 700 for each viewer of ten minutes."""
MOST_DESCRIPTORS = 4
"""Descriptors that it may have more after all are gone than before the first came: files that it reads now."""
MOST_LOG = 2**20
"""Bytes of log."""
_WARM_UP = 0.2
"""Part of the time after which memory is measured."""
_LONGEST_STAY = 3.0
_STEPS_PER_SECOND = 5.0
_LEAST_RATE = 0.9
_REMOVED = 4403
"""The code that the socket of a viewer who was removed is closed with."""


class LiveRun:
    """A run that goes on in a thread, a few steps a second and a layout every two."""

    def __init__(self, runs: Path) -> None:
        self.run = make_run(RunStore(runs), steps=1_000_000)
        self._trainer = FakeTrainer(self.run).begin()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._train, daemon=True)

    @property
    def step(self) -> int:
        """Return the newest step."""
        return self._trainer.step

    def __enter__(self) -> LiveRun:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._trainer.end()

    def _train(self) -> None:
        with LayoutsWriter(self.run.layouts_path) as layouts:
            while not self._end.wait(1 / _STEPS_PER_SECOND):
                self._trainer.train_one()
                # Only what the steps need is kept, or the memory of this process would grow instead.
                self._trainer.matrices.pop(self._trainer.step - 1, None)
                if self._trainer.step % int(2 * _STEPS_PER_SECOND) == 0:
                    layouts.commit(layout(1, self._trainer.step))


class Churn:
    """Viewers who join, watch for a moment, and leave."""

    def __init__(self, application: Application, run_id: str, rate: float, seed: int) -> None:
        self.joined = 0
        self.ends: Counter[str] = Counter()
        """The ways in which viewers left."""
        self.faults: Counter[str] = Counter()
        self.messages = 0
        self.bytes = 0
        self._application = application
        self._way_in = ClassClient(application)
        self._run_id = run_id
        self._rate = rate
        self._choose = random.Random(seed)

    async def go_on(self, seconds: float) -> None:
        """Let viewers come and go for so long. Returns when the last one has gone."""
        begun = time.monotonic()
        removing = asyncio.create_task(self._remove())
        watching: set[asyncio.Task[None]] = set()
        try:
            number = 0
            while (now := time.monotonic() - begun) < seconds:
                # Those who come late because the machine was busy come all the same.
                while number < now * self._rate and len(watching) < 10 * self._rate * _LONGEST_STAY:
                    task = asyncio.create_task(self._visit())
                    watching.add(task)
                    task.add_done_callback(watching.discard)
                    number += 1
                await asyncio.sleep(0.5 / self._rate)
            await asyncio.gather(*watching)
        finally:
            removing.cancel()

    async def _visit(self) -> None:
        stay = self._choose.uniform(0.2, _LONGEST_STAY)
        how = self._choose.choice(("closed", "dropped", "removed"))
        try:
            cookie = await self._join()
            self.joined += 1
            async with websockets.connect(
                f"{self._way_in.url.replace('http', 'ws', 1)}/api/runs/{self._run_id}/beats",
                origin=websockets.Origin(self._way_in.url),
                additional_headers={"Cookie": cookie},
                compression=None,
                max_size=None,
                open_timeout=30,
                close_timeout=5,
                proxy=None,
            ) as socket:
                told = await self._watch(socket, 30 if how == "removed" else stay)
                if told is None and how == "dropped":
                    socket.transport.abort()
        except (OSError, websockets.WebSocketException, asyncio.IncompleteReadError, ValueError) as error:
            self.faults[f"{type(error).__name__}: {error}"[:120]] += 1
            return
        if told == _REMOVED:
            self.ends["removed"] += 1
        elif told is None and how != "removed":
            self.ends[how] += 1
        else:
            # The presenter removes somebody every second, and these waited for half a minute.
            self.faults[f"closed with {told}, not removed"] += 1

    async def _join(self) -> str:
        """Join by the link. Returns the cookie.

        Raises:
            ValueError: the class does not let this viewer in.
        """
        status, headers = await asyncio.to_thread(self._join_in_thread)
        if status != 204:
            raise ValueError(f"joining: {status}")
        return headers["set-cookie"].partition(";")[0]

    def _join_in_thread(self) -> tuple[int, dict[str, str]]:
        status, _, headers = self._way_in.ask("POST", "/api/class/join", {"code": self._way_in.secret})
        return status, headers

    async def _watch(self, socket: websockets.ClientConnection, seconds: float) -> int | None:
        """Receive for so long. Returns the code with which the server closed the socket; None if it did not.

        Raises:
            ValueError: the first messages are not those of a class.
        """
        kinds: set[str] = set()
        try:
            async with asyncio.timeout(seconds):
                async for data in socket:
                    self.messages += 1
                    self.bytes += len(data)
                    if isinstance(data, str):
                        kinds.add(json.loads(data)["type"])
        except TimeoutError:
            if not {"hello", "class"} <= kinds:
                raise ValueError(f"told only {sorted(kinds)}") from None
            return None
        except websockets.ConnectionClosed:
            pass
        return socket.close_code or 1006

    async def _remove(self) -> None:
        """Remove, as the presenter, those who have gone and a third of those who are here, again and again; take the
        newest link each time."""
        while True:
            try:
                await asyncio.to_thread(self._remove_once)
            except (OSError, AssertionError) as error:
                self.faults[f"presenter: {error}"[:120]] += 1
            await asyncio.sleep(1)

    def _remove_once(self) -> None:
        described = self._application.get("/api/class")
        self._way_in.secret = described["link"].rpartition("#")[2]
        now = time.time()
        for member in described["members"]:
            aged = now - member["joined"] > 2 * _LONGEST_STAY
            if aged or (member["connected"] and self._choose.random() < 1 / 3):
                # It may have gone by itself meanwhile only if somebody else removed it, and nobody does.
                self._application.change("DELETE", f"/api/class/members/{member['id']}")


def measure(server: psutil.Process) -> tuple[int, int]:
    """Return the bytes of memory and the number of descriptors of the server."""
    return int(server.memory_info().rss), server.num_fds()


async def soak(minutes: float, rate: float, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Let viewers come and go for so many minutes. Returns the figures."""
    with tempfile.TemporaryDirectory(prefix="soak-class-") as folder:
        runs = Path(folder)
        with LiveRun(runs) as live, Application(runs, "serve", "--no-workers", *CLASSROOM) as application:
            server = psutil.Process(application.process.pid)
            # One viewer first, so that what the server loads once is there before anything is counted.
            await Churn(application, live.run.id, 1, seed).go_on(1)
            await asyncio.sleep(3)
            _, before = measure(server)
            churn = Churn(application, live.run.id, rate, seed)
            begun = time.monotonic()
            going = asyncio.create_task(churn.go_on(60 * minutes))
            samples: list[tuple[float, int, int]] = []
            while not going.done():
                await asyncio.wait([going], timeout=2)
                samples.append((time.monotonic() - begun, *measure(server)))
                if len(samples) % 10 == 0:
                    say(
                        f"{churn.joined} joined, {samples[-1][1] / 2**20:.1f} MB, {samples[-1][2]} descriptors"
                    )
            await going
            took = time.monotonic() - begun
            for member in application.get("/api/class")["members"]:
                application.change("DELETE", f"/api/class/members/{member['id']}")
            await asyncio.sleep(3)
            _, after = measure(server)
            steps = live.step
            application.process.send_signal(signal.SIGTERM)
            stopping = time.monotonic()
            code = await asyncio.to_thread(application.process.wait, 20)
            stopped = time.monotonic() - stopping
            log = len(application.log)
    measured = [memory for at, memory, _ in samples if at >= _WARM_UP * 60 * minutes]
    fifth = max(1, len(measured) // 5)
    first, last = statistics.median(measured[:fifth]), statistics.median(measured[-fifth:])
    return {
        "minutes": round(took / 60, 2),
        "joined": churn.joined,
        "joined_per_second": round(churn.joined / took, 2),
        "left": dict(sorted(churn.ends.items())),
        "faults": dict(churn.faults.most_common(5)),
        "messages": churn.messages,
        "megabytes": round(churn.bytes / 2**20, 1),
        "steps": steps,
        "memory_mb": [round(first / 2**20, 1), round(last / 2**20, 1)],
        "descriptors": [before, max(found for _, _, found in samples), after],
        "log_bytes": log,
        "stop_seconds": round(stopped, 2),
        "met": last - first <= MOST_GROWTH
        and after - before <= MOST_DESCRIPTORS
        and log <= MOST_LOG
        and code == 0
        and not churn.faults
        and churn.joined >= _LEAST_RATE * rate * 60 * minutes,
    }


def main() -> int:
    """Run the class's soak. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.classroom", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="0.2 to 600  [default: 10]")
    parser.add_argument("--rate", type=float, default=20, help="joins a second, 1 to 50  [default: 20]")
    parser.add_argument("--seed", type=int, default=0, help="who leaves when, and how  [default: 0]")
    chosen = parser.parse_args()
    if not 0.2 <= chosen.minutes <= 600 or not 1 <= chosen.rate <= 50:
        parser.error("0.2 to 600 minutes, and 1 to 50 joins a second")
    # On SIGTERM, still end the server.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(143))
    begun = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - begun:6.1f} s  {what}", file=sys.stderr, flush=True)

    report = asyncio.run(soak(chosen.minutes, chosen.rate, chosen.seed, say))
    print(json.dumps(report), flush=True)
    return 0 if report["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
