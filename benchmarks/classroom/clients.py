"""Viewers in a separate process at the lowest priority: `python -m benchmarks.classroom.clients`.

They follow their parent's orders line by line: where to connect, when to start counting, when to report and end.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.classroom.seat import PlainSeat, Reading, Seat, Tally

_LOWEST = 19


class Crowd:
    """Processes full of viewers."""

    def __init__(self, orders: Sequence[dict[str, Any]]) -> None:
        """Start a process for each order (the arguments of `_connect`), and wait until all are connected."""
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.classroom.clients"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in orders
        ]
        for process, order in zip(self._processes, orders, strict=True):
            self._say(process, json.dumps(order))
        self.connected = sum(int(self._hear(process)) for process in self._processes)

    def count(self) -> None:
        """Start counting."""
        for process in self._processes:
            self._say(process, "count")
            self._hear(process)

    def end(self) -> tuple[Tally, float]:
        """Return the counts of all, and their processor seconds since the start of counting; end the processes."""
        for process in self._processes:
            self._say(process, "end")
        whole, seconds = Tally(), 0.0
        for process in self._processes:
            answer = json.loads(self._hear(process))
            seconds += answer.pop("seconds")
            for delay, count in answer.pop("delays").items():
                whole.delays[int(delay)] = whole.delays.get(int(delay), 0) + count
            for name, value in answer.items():
                setattr(whole, name, getattr(whole, name) + value)
        self.kill()
        return whole, seconds

    def kill(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.kill()
            process.communicate()

    def _say(self, process: subprocess.Popen[str], line: str) -> None:
        assert process.stdin is not None
        process.stdin.write(line + "\n")
        process.stdin.flush()

    def _hear(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "a process of viewers has ended"
        return line


def percentile(delays: dict[int, int], share: float) -> float:
    """Return the delay in ms that a share of beats did not exceed."""
    wanted, seen = share * sum(delays.values()), 0
    for delay in sorted(delays):
        seen += delays[delay]
        if seen >= wanted:
            return float(delay)
    return float("nan")


def _connect(port: int, run: str, cookies: Sequence[str], plain: int) -> list[Seat]:
    """Connect a viewer for each cookie, and a number of `plain` ones."""
    path = f"/api/runs/{run}/beats"
    return [Seat(port, path, cookie) for cookie in cookies] + [PlainSeat(port) for _ in range(plain)]


def main() -> None:
    """Follow the parent's orders."""
    os.setpriority(os.PRIO_PROCESS, 0, _LOWEST)
    seats = _connect(**json.loads(sys.stdin.readline()))
    reading, tally = Reading(), Tally()
    with selectors.DefaultSelector() as selector:
        for seat in seats:
            selector.register(seat.socket, selectors.EVENT_READ, seat)
        os.set_blocking(sys.stdin.fileno(), False)
        selector.register(sys.stdin, selectors.EVENT_READ, None)
        told = False
        begun = 0.0
        while True:
            order = ""
            for key, _ in selector.select(1.0):
                if key.data is None:
                    order = sys.stdin.readline()
                    if not order:
                        return
                elif not key.data.read(reading, tally):
                    selector.unregister(key.fileobj)
            if not told and all(seat.joined for seat in seats):
                told = True
                print(len(seats), flush=True)
            if order.strip() == "count":
                tally, begun = Tally(), time.process_time()
                print("counting", flush=True)
            elif order.strip() == "end":
                print(json.dumps(asdict(tally) | {"seconds": time.process_time() - begun}), flush=True)


if __name__ == "__main__":
    main()
