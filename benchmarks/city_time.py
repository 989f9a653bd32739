"""Scrubbing rate, in positions a second along the timeline, and the time from navigation to the first map.

Runs a real application with a finished run of Lamptown, and pages of 1280 x 720 in a Chromium that draws in software. A
position counts once the GPU process has finished a frame that showed exactly that step: as many rows as its batch had,
on the last map made by then. A frame that showed anything else ends the benchmark.

`cold` is the first drag on a page that has shown no past step: the page starts to fetch when the pointer
reaches the handle, 0.3 s before the press. The very first drag in a browser that draws in software is slower
because it compiles shaders; it is reported separately, as `first_in_browser`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Browser, Page

from benchmarks.support.browser import DARK, async_chromium
from benchmarks.support.report import report
from benchmarks.support.training import train_by, unasked_run
from lamplighter.cli.asking.lessons import prepare_lessons
from lamplighter.exports.export import export_run
from lamplighter.runfolder.run_folder import RunFolder
from tests.browser.first_visit import SEEN
from tests.support.application import Application

STEPS = 1_000
SWEEP = 4.0
"""Seconds from one end of the timeline to the other."""
FIRSTS = 7
WATCH = (Path(__file__).parent / "city_watch.js").read_text(encoding="utf-8")
MOVES = 66
"""Pointer moves a second, whether or not the page keeps up."""
_PART = re.compile(r'data-part="([^"]+?)(?:-\d+)?">([^<]*)<')
_PATIENCE = 60
_DWELL = 300
"""Milliseconds from the pointer's arrival at the handle to the press."""


class RequestedStep(TypedDict):
    """A step that the pointer requested, and the time of that move in Unix milliseconds."""

    step: int
    when: float


class ShownStep(TypedDict):
    """The first frame that showed a step: rows lit, its map, when it was issued and finished (Unix ms)."""

    step: int
    rows: int
    map: dict[str, Any]
    issued: float
    when: float


@dataclass(frozen=True)
class Sweep:
    """The steps requested and shown during one drag along the timeline."""

    seconds: float
    asked: list[RequestedStep]
    shown: list[ShownStep]
    frames: list[float]
    """Milliseconds between successive frames of the page."""
    spent: dict[str, float]
    """Seconds of processor time by kind of browser process: `renderer` is the page, `GPU` draws."""

    @property
    def positions(self) -> int:
        """Return how many steps were shown."""
        return len({shown["step"] for shown in self.shown})

    @property
    def pace(self) -> float:
        """Return the positions a second."""
        return self.positions / self.seconds

    def costs(self) -> dict[str, float]:
        """Return the processor time of a position."""
        kinds = {"page_cpu_ms": "renderer", "drawing_cpu_ms": "GPU"}
        return {name: 1e3 * self.spent[kind] / max(1, self.positions) for name, kind in kinds.items()}


def main() -> None:
    """Measure and print."""
    kept = os.environ.get("LAMPLIGHTER_BENCH_RUN")
    with tempfile.TemporaryDirectory() as made:
        runs = Path(kept).resolve().parent if kept else Path(made)
        with Application(runs, "serve") as application:
            run = application.run(Path(kept).name) if kept else train_by(application, STEPS)
            sweeps, firsts = asyncio.run(_measured(application.url, run))
            record = _Record(application, run)
            for sweep in sweeps.values():
                record.check(sweep)
    first = sweeps.pop("first")
    for name, sweep in sweeps.items():
        _report(name, sweep, record, first)
    cities, beats = (1e-3 * np.array(of) for of in zip(*firsts, strict=True))
    each = [round(one, 2) for one in cities.tolist()]
    report(
        "first_city", np.median(cities), "s after navigation, median", each=each, first_beat=np.median(beats)
    )


async def _measured(url: str, run: RunFolder) -> tuple[dict[str, Sweep], list[tuple[float, float]]]:
    async with async_chromium() as browser:
        # Warm up: fill the server's caches and start the browser's processes.
        await first_lamps(browser, url)
        firsts = [await first_lamps(browser, url) for _ in range(FIRSTS)]
        sweeps: dict[str, Sweep] = {}
        for name in ("first", "cold"):
            async with open_past(browser, f"{url}/?run={run.id}") as page:
                sweeps[name] = await drag(page, 0.02, 0.98, SWEEP)
                if name == "cold":
                    sweeps["warm"] = await drag(page, 0.98, 0.02, SWEEP)
    return sweeps, firsts


async def first_lamps(browser: Browser, url: str) -> tuple[float, float]:
    """Return the milliseconds from navigation to the first lamps, and to the first beat."""
    async with open_page(browser, url) as page:
        await wait_for(page, "window.watch?.city && window.watch.beat")
        watch = await page.evaluate("window.watch")
    return watch["city"] - watch["begun"], watch["beat"] - watch["begun"]


class _Record:
    """The server's record of a run, against which the frames shown are checked."""

    def __init__(self, application: Application, run: RunFolder) -> None:
        of = f"/api/runs/{run.id}"
        steps = application.get(f"{of}/steps?every=1")["items"]
        self.rows = {one["step"]: one["batch_rows"] for one in steps}
        self.tokens = application.get(of)["vocabulary"]
        self._maps = {
            method: np.array(
                [one["step"] for one in application.get(f"{of}/layouts?method={method}")["items"]]
            )
            for method in ("umap", "linear")
        }

    def check(self, sweep: Sweep) -> None:
        """Raise AssertionError if a frame showed rows or a map that do not belong to its step."""
        for shown in sweep.shown:
            step, drawn_on = shown["step"], shown["map"]
            made: NDArray[np.int64] = self._maps[drawn_on["method"]]
            due = int(made[max(0, np.searchsorted(made, step, side="right") - 1)])
            if drawn_on["step"] != due or shown["rows"] != self.rows[step]:
                raise AssertionError(f"{shown} was shown for step {step}: its map is of step {due}")


def _report(name: str, sweep: Sweep, record: _Record, first: Sweep) -> None:
    when = {asked["step"]: asked["when"] for asked in sweep.asked}
    known = [shown for shown in sweep.shown if shown["step"] in when]
    late = [shown["when"] - when[shown["step"]] for shown in known]
    issued = [shown["issued"] - when[shown["step"]] for shown in known]
    report(
        f"scrubbing_{name}",
        sweep.pace,
        "positions a second",
        first_in_browser=first.pace,
        tokens=record.tokens,
        steps=len(record.rows),
        seconds=sweep.seconds,
        asked=len(sweep.asked),
        pointer_to_pixels_ms=_quantile(late, 0.5),
        pointer_to_pixels_p95_ms=_quantile(late, 0.95),
        pointer_to_drawn_ms=_quantile(issued, 0.5),
        **sweep.costs(),
        load=os.getloadavg()[0],
        page_frames_a_second=len(sweep.frames) / (sum(sweep.frames) / 1e3),
    )


def _quantile(values: list[float], part: float) -> float | None:
    return float(np.quantile(values, part)) if values else None


@asynccontextmanager
async def open_page(browser: Browser, url: str) -> AsyncGenerator[Page]:
    """Open the page in a new browser context, with empty caches. Yields the page."""
    context = await browser.new_context(**DARK)
    await context.add_init_script(WATCH)
    await context.add_init_script(SEEN)
    page = await context.new_page()
    try:
        await page.goto(url, wait_until="commit")
        yield page
    finally:
        await context.close()


@asynccontextmanager
async def open_past(browser: Browser, url: str) -> AsyncGenerator[Page]:
    """Open the page of a finished run, and wait until it has come to rest. Yields the page."""
    async with open_page(browser, url) as page:
        await wait_for(page, "window.watch?.beat")
        await page.wait_for_timeout(2_000)
        yield page


async def wait_for(page: Page, expression: str) -> Any:
    """Wait until a JavaScript expression is true. Returns its value."""
    deadline = time.monotonic() + _PATIENCE
    while not (value := await page.evaluate(expression)):
        if time.monotonic() > deadline:
            raise AssertionError(f"the page did not reach this state within {_PATIENCE} s: {expression}")
        await asyncio.sleep(0.05)
    return value


async def axis_of(page: Page) -> tuple[float, float, float]:
    """Return the timeline axis's left and right ends and the height of its middle, CSS pixels."""
    box = await wait_for(
        page, "document.querySelector('[data-testid=axis]')?.getBoundingClientRect().toJSON()"
    )
    return box["left"], box["right"], box["top"] + box["height"] / 2


async def drag(page: Page, from_: float, to: float, seconds: float) -> Sweep:
    """Drag along the timeline at a constant speed, between two positions given as shares of its axis."""
    left, right, y = await axis_of(page)

    def place(share: float) -> float:
        return left + (right - left) * share

    await page.mouse.move(place(from_), y)
    # A person pauses briefly on the handle before pressing.
    await page.wait_for_timeout(_DWELL)
    await page.mouse.down()
    # The press itself is not part of the drag; start moving once the page shows that step.
    await wait_for(
        page, "(({ beat, wanted }) => beat?.paintedAt && beat.step === wanted)(window.__lamplighter)"
    )
    await page.evaluate(
        "() => { for (const of of ['asked', 'shown', 'frames']) window.watch[of].length = 0 }"
    )
    session = await page.context.new_cdp_session(page)
    before = await _spent(page)
    begun = time.perf_counter()
    sent: list[asyncio.Task[Any]] = []
    for move in range(1, round(seconds * MOVES) + 1):
        await asyncio.sleep(max(0.0, begun + move / MOVES - time.perf_counter()))
        share = from_ + (to - from_) * move / (seconds * MOVES)
        moved = {"type": "mouseMoved", "x": place(share), "y": y, "button": "left", "buttons": 1}
        sent.append(asyncio.create_task(session.send("Input.dispatchMouseEvent", moved)))
    took = time.perf_counter() - begun
    # Frames that arrive after the pointer has stopped are not counted.
    until = 1e3 * time.time()
    spent = {kind: seconds - before.get(kind, 0.0) for kind, seconds in (await _spent(page)).items()}
    await asyncio.gather(*sent)
    await page.mouse.up()
    await page.wait_for_timeout(1_500)
    watch = await page.evaluate("window.watch")
    shown = [one for one in watch["shown"] if one["when"] <= until]
    return Sweep(took, watch["asked"], shown, watch["frames"], spent)


async def _spent(page: Page) -> dict[str, float]:
    """Return the processor seconds that the browser has used so far, by kind of process."""
    browser = page.context.browser
    assert browser is not None
    session = await browser.new_browser_cdp_session()
    spent: dict[str, float] = {}
    for process in (await session.send("SystemInfo.getProcessInfo"))["processInfo"]:
        spent[process["type"]] = spent.get(process["type"], 0.0) + process["cpuTime"]
    await session.detach()
    return spent


def measure_packed() -> None:
    """Measure the page in a file beside the same page from a server: bytes by part, seconds to the first light, a drag.

    Both show one finished run with all answers of the course.
    """
    with unasked_run() as run:
        with contextlib.redirect_stdout(sys.stderr):
            prepare_lessons(run.path.parent, run.id, yes=True)
        tokens = len(run.vocabulary)
        page = export_run(run, "html", out=run.path.parent / "run.html")
        text = page.read_text(encoding="utf-8")
        parts: Counter[str] = Counter()
        for name, data in _PART.findall(text):
            parts[name] += len(data)
        parts["page"] = page.stat().st_size - parts.total()
        report("packed_bytes", page.stat().st_size, "bytes", **parts)
        with Application(run.path.parent, "serve", "--no-workers") as application:
            urls = {"file": page.as_uri(), "server": f"{application.url}/?run={run.id}"}
            lights, sweeps = asyncio.run(_measure_both(urls))
    for where, took in lights.items():
        each, unit = [round(one / 1e3, 2) for one in took], "s from opening to the first light, median"
        report(f"packed_first_light_{where}", np.median(took) / 1e3, unit, each=each)
    for where, sweep in sweeps.items():
        report(f"packed_scrubbing_{where}", sweep.pace, "positions a second", tokens=tokens, **sweep.costs())


async def _measure_both(urls: dict[str, str]) -> tuple[dict[str, list[float]], dict[str, Sweep]]:
    """Return the milliseconds to the first light, and a drag, by the source of the page, measured in turn."""
    lights: dict[str, list[float]] = {where: [] for where in urls}
    async with async_chromium() as browser:
        for url in urls.values():
            # The first page of a browser compiles shaders.
            await first_lamps(browser, url)
            await _drag(browser, url)
        for _ in range(FIRSTS):
            for where, url in urls.items():
                lights[where].append((await first_lamps(browser, url))[1])
        return lights, {where: await _drag(browser, url) for where, url in urls.items()}


async def _drag(browser: Browser, url: str) -> Sweep:
    async with open_past(browser, url) as page:
        return await drag(page, 0.02, 0.98, SWEEP)
