"""A soak test of the class: viewers join and leave all the time (`python -m tests.soak.classroom`).

A run goes on while twenty viewers join each second, watch it for a moment, and leave: politely, by dropping the
connection, or because the presenter removes them. The presenter also removes viewers who have gone. When all are gone,
the server must have as many descriptors as before and hardly more memory than after its warm-up.

Prints one JSON line; exits with 1 if a goal was missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tests.soak.churn import Churn
from tests.soak.live_run import LiveRun
from tests.support.application import Application
from tests.support.classroom.class_client import CLASSROOM

MAX_GROWTH = 8 * 2**20
"""Bytes of memory that the server may gain after its warm-up, by its usual growth: some 700 for each viewer of ten minutes."""
MAX_DESCRIPTORS = 4
"""Descriptors that it may have more after all are gone than before the first came: files that it reads now."""
MAX_LOG = 2**20
"""Bytes of log."""
_WARM_UP = 0.2
"""Part of the time after which memory is measured."""
_LEAST_RATE = 0.9


def usual_growth(samples: list[tuple[float, int]]) -> float:
    """Return the growth from the first sample to the last one by the median of the slopes between any two: a leak shows,
    and one busy moment does not.

    Args:
        samples: seconds and bytes.
    """
    slopes = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for number, earlier in enumerate(samples)
        for later in samples[number + 1 :]
    ]
    return statistics.median(slopes) * (samples[-1][0] - samples[0][0]) if slopes else 0.0


def measure(server: psutil.Process) -> tuple[int, int]:
    """Return the bytes of memory and the number of descriptors of the server."""
    return int(server.memory_info().rss), server.num_fds()


async def soak(minutes: float, rate: float, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Let viewers come and go for so many minutes. Returns the figures."""
    with tempfile.TemporaryDirectory(prefix="soak-class-") as folder:
        runs = Path(folder)
        with (
            LiveRun(runs) as live,
            Application(runs, "serve", "--no-workers", "--class-size", "2000", *CLASSROOM) as application,
        ):
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
    measured = [(at, memory) for at, memory, _ in samples if at >= _WARM_UP * 60 * minutes]
    growth = usual_growth(measured)
    return {
        "minutes": round(took / 60, 2),
        "joined": churn.joined,
        "joined_per_second": round(churn.joined / took, 2),
        "left": dict(sorted(churn.ends.items())),
        "faults": dict(churn.faults.most_common(5)),
        "messages": churn.messages,
        "megabytes": round(churn.bytes / 2**20, 1),
        "steps": steps,
        "greeted_p50_p99_s": [
            round(value, 3) for value in (np.quantile(churn.greeted, (0.5, 0.99)) if churn.greeted else ())
        ],
        "memory_mb": [round(found / 2**20, 1) for _, found in (measured[0], measured[-1])],
        "memory_growth_mb": round(growth / 2**20, 2),
        "descriptors": [before, max(found for _, _, found in samples), after],
        "log_bytes": log,
        "stop_seconds": round(stopped, 2),
        "met": growth <= MAX_GROWTH
        and after - before <= MAX_DESCRIPTORS
        and log <= MAX_LOG
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
