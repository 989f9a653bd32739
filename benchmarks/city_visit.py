"""A page opened afresh for a measurement, and a drag along its timeline as a mouse would make it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from playwright.async_api import Browser, Page

from tests.browser.first_visit import SEEN

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


@asynccontextmanager
async def open_page(browser: Browser, url: str) -> AsyncGenerator[Page]:
    """Open the page in a browser context of its own, with empty caches. Yields the page."""
    context = await browser.new_context(viewport={"width": 1280, "height": 720})
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
            raise AssertionError(f"waited {_PATIENCE} s in vain for the page: {expression}")
        await asyncio.sleep(0.05)
    return value


async def axis_of(page: Page) -> tuple[float, float, float]:
    """Return the timeline axis's left and right ends and the height of its middle, CSS pixels."""
    box = await wait_for(
        page, "document.querySelector('[data-testid=timeline] .nsewdrag')?.getBoundingClientRect().toJSON()"
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
