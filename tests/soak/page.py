"""A soak test of the page: one page watches a run for a long time (`python -m tests.soak.page`).

A run trains at full speed while headless Chromium watches it, goes offline and back now and then, and visits
one panel after another. The page's memory may grow by at most a tenth after its warm-up, and every trained
step must have come in a pulse, or be in a gap that the page knows and has read from the record.

Prints one JSON line; exits with 1 if a goal was missed.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, Page, sync_playwright

from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from tests.browser.chromium import launch_arguments
from tests.browser.pages import wait_for
from tests.support.application import Application
from tests.support.waiting import wait_until

WARM_UP = 60.0
"""Least seconds of warm-up, during which every visit also happens once: until then libraries are loaded."""
FILLED = 1_200
"""Least number of steps: the page keeps this many points of the loss series (`loss-series.ts`), which grow
until then.
"""
MAX_GROWTH = 0.1
_OF_ONE = 3
"""Measurements per sample, of which the median counts."""
_OF_AN_END = 5
"""Most samples whose median stands for the beginning or the end: a single one is up to 2 % off."""
_MEGABYTE = 2**20
_DROP_EVERY = 25.0
"""Least seconds between two losses of the network."""
_A_MINUTE = 250_000_000
"""Largest number of bytes that a minute of the run takes, at a hundred steps a second."""
_PANELS = ("step", "matrix", "measures", "cost", "map", "run", "export")
"""The tabs of the lab."""


@dataclass
class Memory:
    """The page's memory after garbage collection."""

    heap: int
    """Bytes of objects, and of the arrays that they own outside the heap proper."""
    nodes: int
    """Number of DOM nodes, including those that belong to no document any more."""
    listeners: int


def median(found: list[Memory]) -> Memory:
    """Return the median of each figure."""
    names = ("heap", "nodes", "listeners")
    return Memory(*(int(statistics.median(getattr(one, name) for one in found)) for name in names))


@dataclass
class StepCounts:
    """The number of steps by how the page learned of them."""

    steps: int
    by_beat: int
    from_record: int
    unaccounted: list[int] = field(default_factory=list[int])


def count_steps(received: dict[str, Any], steps: int) -> StepCounts:
    """Count the steps from 1 on that reached the page.

    Args:
        received: `received` of the page's test hooks.
        steps: the last step of the run.
    """
    told: set[int] = set()
    for stretch in received["stretches"]:
        told.update(range(stretch["first"], stretch["last"] + 1))
    read: set[int] = set()
    for gap in received["gaps"]:
        if gap["fetched"]:
            read.update(range(gap["first"], gap["last"] + 1))
    every = set(range(1, steps + 1))
    return StepCounts(steps, len(told & every), len((read - told) & every), sorted(every - told - read))


class WatchedPage:
    """A page in Chromium, and the visits and losses it goes through."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self._context = context
        self.faults: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(f"{error}\n{error.stack}"))
        self._tools: CDPSession = context.new_cdp_session(self.page)
        self._tools.send("Performance.enable")
        self.offline = 0
        self._looks = 0
        self.page.goto(url, timeout=120_000)
        wait_for(self.page, "window.__lamplighter?.step > 0", 120)
        wait_for(self.page, "window.__lamplighter.shown !== null", 120)

    @property
    def received(self) -> dict[str, Any]:
        """Return the page's own count of frames and gaps received."""
        return self.page.evaluate("window.__lamplighter.received")

    @property
    def step(self) -> int:
        """Return the newest step that the page has received."""
        return self.page.evaluate("window.__lamplighter.step")

    def visit_next(self) -> None:
        """Visit the next view or panel, and return to the resting view."""
        looks: list[Callable[[], None]] = [
            *(lambda name=name: self._open_tab(name) for name in _PANELS),
            lambda: self._press("open-runs"),
            lambda: self._press_in_menu("map-linear"),
            self._beside,
        ]
        self._choose(self._looks)
        looks[self._looks % len(looks)]()
        self._looks += 1
        self.page.wait_for_timeout(2_000)
        self.show_resting_view()

    @property
    def visited_all(self) -> bool:
        """Return whether every view and panel was visited once."""
        return self._looks >= len(_PANELS) + 3

    def show_resting_view(self) -> None:
        """Open the view and panel at which memory is measured."""
        self._press_in_menu("map-umap")
        self._open_tab("step")
        self.page.wait_for_timeout(700)

    def cut_network(self, seconds: float) -> None:
        """Cut the network for a while, then wait for the page to reconnect."""
        opened = self.received["frames"]["census"]
        self._context.set_offline(True)
        self.page.wait_for_timeout(1e3 * seconds)
        self._context.set_offline(False)
        self.offline += 1
        wait_for(self.page, f"window.__lamplighter.received.frames.census > {opened}", 60)

    def memory(self) -> Memory:
        """Collect garbage and measure, `_OF_ONE` times. Returns the medians."""
        found: list[Memory] = []
        for _ in range(_OF_ONE):
            self.page.wait_for_timeout(500)
            # Objects freed by the first collection may hold others that only a second one frees.
            for _ in range(2):
                self._tools.send("HeapProfiler.collectGarbage")
            usage = self._tools.send("Runtime.getHeapUsage")
            told = self._tools.send("Performance.getMetrics")["metrics"]
            metrics = {one["name"]: int(one["value"]) for one in told}
            heap = int(usage["usedSize"] + usage.get("backingStorageSize", 0))
            found.append(Memory(heap, metrics["Nodes"], metrics["JSEventListeners"]))
        return median(found)

    def _choose(self, number: int) -> None:
        self.page.get_by_test_id("search").fill("abcdefghiklmnoprstuw"[number % 20])
        self.page.get_by_test_id("found").first.dispatch_event("click", timeout=60_000)

    def _open_tab(self, name: str) -> None:
        self._press("level-lab")
        self._press(f"tab-{name}")

    def _beside(self) -> None:
        self._press_in_menu("beside-open")
        self.page.wait_for_timeout(2_000)
        self._press_in_menu("beside-open")

    def _press_in_menu(self, name: str) -> None:
        self._press("page-menu")
        self._press(name)
        self.page.keyboard.press("Escape")

    def _press(self, name: str) -> None:
        # A dispatched event, not a mouse click: a click waits for the page to be still, and on a busy machine
        # the map never is.
        self.page.get_by_test_id(name).dispatch_event("click", timeout=60_000)


def recorded_steps(run: RunFolder) -> int:
    """Check that every step of a run is recorded. Returns the last one."""
    with MatrixHistory(run) as history:
        last = history.steps.newest_step()[1]
        assert set(history.steps.digests(1, last)) == set(range(1, last + 1)), f"{run.id} has gaps itself"
        return last


def soak(minutes: float, say: Callable[[str], None]) -> dict[str, Any]:
    """Watch a run for so many minutes. Returns the figures."""
    begun = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="soak-page-") as folder,
        Application(Path(folder), "serve") as application,
        sync_playwright() as playwright,
    ):
        # Steps dropped from the record cannot be visited, so the budget suffices for a fast machine.
        run = application.start_run({"steps": 1_000_000, "disk_budget": int(minutes * _A_MINUTE) + 10**9})
        browser = playwright.chromium.launch(**launch_arguments())  # pyright: ignore[reportArgumentType]
        context = browser.new_context(viewport={"width": 1280, "height": 720})
        watcher = WatchedPage(context, f"{application.url}/?run={run.id}")
        say("the page is there")
        samples: list[tuple[float, Memory]] = []
        watched = time.monotonic()
        while (gone := time.monotonic() - watched) < 60 * minutes or len(samples) < 2:
            if gone > WARM_UP and watcher.visited_all and watcher.step > FILLED:
                samples.append((gone, watcher.memory()))
                say(f"step {watcher.step}, {samples[-1][1]}")
            watcher.visit_next()
            say(f"step {watcher.step}")
            if watcher.offline < gone / _DROP_EVERY:
                watcher.cut_network(1.0 + watcher.offline % 3)
        samples.append((time.monotonic() - watched, watcher.memory()))
        # Stop the run and wait until the page has received its last step.
        application.ask(run, "stop")
        wait_until(lambda: read_status(run).has_ended, "the run has ended", 120)
        steps = recorded_steps(run)
        wait_for(watcher.page, f"window.__lamplighter.step >= {steps}", 120)
        wait_for(watcher.page, "window.__lamplighter.received.gaps.every((gap) => gap.fetched)", 60)
        received = watcher.received
        browser.close()
    heard = count_steps(received, steps)
    measured = [one for _, one in samples]
    of_an_end = min(_OF_AN_END, len(measured) // 2)
    first, last = median(measured[:of_an_end]), median(measured[-of_an_end:])
    growth = last.heap / first.heap - 1
    return {
        "minutes": round((samples[-1][0]) / 60, 1),
        "warm_up_s": round(samples[0][0], 1),
        "heap_mb": [round(one.heap / _MEGABYTE, 2) for one in measured],
        "heap_growth": round(growth, 4),
        "nodes": [first.nodes, last.nodes],
        "listeners": [first.listeners, last.listeners],
        "offline": watcher.offline,
        "frames": received["frames"],
        "steps": heard.steps,
        "steps_by_beat": heard.by_beat,
        "steps_from_record": heard.from_record,
        "gaps": len(received["gaps"]),
        "lost_between_beats": received["lost"],
        "unaccounted": len(heard.unaccounted),
        "page_errors": watcher.faults,
        "seconds": round(time.monotonic() - begun, 1),
        "met": growth <= MAX_GROWTH
        and not (heard.unaccounted or received["lost"] or watcher.faults)
        and watcher.offline > 0,
    }


def main() -> int:
    """Run the page's soak. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.page", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="2 to 600  [default: 10]")
    chosen = parser.parse_args()
    if not 2 <= chosen.minutes <= 600:
        parser.error("2 to 600 minutes")
    # On SIGTERM, still end the child processes.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(143))
    begun = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - begun:6.1f} s  {what}", file=sys.stderr, flush=True)

    report = soak(chosen.minutes, say)
    print(json.dumps(report), flush=True)
    return 0 if report["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
