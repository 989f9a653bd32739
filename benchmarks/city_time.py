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
import os
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Browser, Page, async_playwright

from benchmarks.support.finished import train
from benchmarks.support.report import report
from lamplighter.runfolder.run_folder import RunFolder
from tests.browser.chromium import launch_arguments
from tests.browser.first_visit import SEEN
from tests.support.application import Application

STEPS = 1_000
SWEEP = 4.0
"""Seconds from one end of the timeline to the other."""
FIRSTS = 7
WATCH = (Path(__file__).parent / "city_watch.js").read_text(encoding="utf-8")
MOVES = 66
"""Pointer moves a second, whether or not the page keeps up."""
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


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    kept = os.environ.get("LAMPLIGHTER_BENCH_RUN")
    with tempfile.TemporaryDirectory() as made:
        runs = Path(kept).resolve().parent if kept else Path(made)
        with Application(runs, "serve") as application:
            run = application.run(Path(kept).name) if kept else train(application, STEPS)
            sweeps, firsts = asyncio.run(_measured(application.url, run))
            record = _Record(application, run)
            for sweep in sweeps.values():
                record.check(sweep)
    first = sweeps.pop("first")
    met = True
    for name, sweep in sweeps.items():
        met &= _report(name, sweep, record, first)
    cities, beats = (np.array(of) for of in zip(*firsts, strict=True))
    return (
        report(
            "first_city",
            float(np.median(cities)) / 1e3,
            "s after navigation, median",
            each=[round(float(one) / 1e3, 2) for one in cities],
            first_beat=float(np.median(beats)) / 1e3,
        )
        and met
    )


async def _measured(url: str, run: RunFolder) -> tuple[dict[str, Sweep], list[tuple[float, float]]]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**launch_arguments())  # pyright: ignore[reportArgumentType]
        # Warm up: fill the server's caches and start the browser's processes.
        await _first(browser, url)
        firsts = [await _first(browser, url) for _ in range(FIRSTS)]
        sweeps: dict[str, Sweep] = {}
        for name in ("first", "cold"):
            async with open_page(browser, f"{url}/?run={run.id}") as page:
                await wait_for(page, "window.watch.beat")
                await page.wait_for_timeout(2_000)
                sweeps[name] = await drag(page, 0.02, 0.98, SWEEP)
                if name == "cold":
                    sweeps["warm"] = await drag(page, 0.98, 0.02, SWEEP)
        await browser.close()
    return sweeps, firsts


async def _first(browser: Browser, url: str) -> tuple[float, float]:
    """Return the milliseconds from navigation to the first lamps, and to the first beat."""
    async with open_page(browser, url) as page:
        await wait_for(page, "window.watch.city && window.watch.beat")
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


def _positions(sweep: Sweep) -> int:
    return len({shown["step"] for shown in sweep.shown})


def _report(name: str, sweep: Sweep, record: _Record, first: Sweep) -> bool:
    positions = _positions(sweep)
    when = {asked["step"]: asked["when"] for asked in sweep.asked}
    known = [shown for shown in sweep.shown if shown["step"] in when]
    late = [shown["when"] - when[shown["step"]] for shown in known]
    issued = [shown["issued"] - when[shown["step"]] for shown in known]
    return report(
        f"scrubbing_{name}",
        positions / sweep.seconds,
        "positions a second",
        first_in_browser=_positions(first) / first.seconds,
        tokens=record.tokens,
        steps=len(record.rows),
        seconds=sweep.seconds,
        asked=len(sweep.asked),
        pointer_to_pixels_ms=_quantile(late, 0.5),
        pointer_to_pixels_p95_ms=_quantile(late, 0.95),
        pointer_to_drawn_ms=_quantile(issued, 0.5),
        page_cpu_ms=1e3 * sweep.spent["renderer"] / max(1, positions),
        drawing_cpu_ms=1e3 * sweep.spent["GPU"] / max(1, positions),
        load=os.getloadavg()[0],
        page_frames_a_second=len(sweep.frames) / (sum(sweep.frames) / 1e3),
    )


def _quantile(values: list[float], part: float) -> float | None:
    return float(np.quantile(values, part)) if values else None


@asynccontextmanager
async def open_page(browser: Browser, url: str) -> AsyncGenerator[Page]:
    """Open the page in a new browser context, with empty caches. Yields the page."""
    context = await browser.new_context(color_scheme="dark", viewport={"width": 1280, "height": 720})
    await context.add_init_script(WATCH)
    await context.add_init_script(SEEN)
    page = await context.new_page()
    try:
        await page.goto(url, wait_until="commit")
        yield page
    finally:
        await context.close()


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
