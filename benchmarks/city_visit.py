"""A page that is visited to be measured: opened anew, and dragged through its time as a hand drags a mouse."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from playwright.async_api import Browser, Page

WATCH = (Path(__file__).parent / "city_watch.js").read_text(encoding="utf-8")
MOVES = 66
"""Moves of the pointer a second, whether the page keeps up or not."""
_PATIENCE = 60
_DWELL = 300
"""Milliseconds from the pointer's coming to its going down."""


class Asked(TypedDict):
    """A step that the pointer asked for, and when it moved there, Unix milliseconds."""

    step: int
    when: float


class Shown(TypedDict):
    """A frame that first showed a step: rows lit, the map it was drawn on, when it was drawn and when it was there."""

    step: int
    rows: int
    map: dict[str, Any]
    issued: float
    when: float


@dataclass(frozen=True)
class Sweep:
    """What one drag along the timeline asked for and showed."""

    seconds: float
    asked: list[Asked]
    shown: list[Shown]
    frames: list[float]
    """Milliseconds between two frames of the page."""
    spent: dict[str, float]
    """Seconds of processor time, by kind of the browser's processes: `renderer` is the page, `GPU` what draws."""


@asynccontextmanager
async def visited(browser: Browser, url: str) -> AsyncGenerator[Page]:
    """The page in a context of its own: nothing of it is kept from before."""
    context = await browser.new_context(viewport={"width": 1280, "height": 720})
    await context.add_init_script(WATCH)
    page = await context.new_page()
    try:
        await page.goto(url, wait_until="commit")
        yield page
    finally:
        await context.close()


async def wait_for(page: Page, expression: str) -> Any:
    """Wait until a JavaScript expression is true; its value."""
    deadline = time.monotonic() + _PATIENCE
    while not (value := await page.evaluate(expression)):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {_PATIENCE} s in vain for the page: {expression}")
        await asyncio.sleep(0.05)
    return value


async def axis_of(page: Page) -> tuple[float, float, float]:
    """Where the timeline's axis begins and ends, and its middle's height; CSS pixels."""
    box = await wait_for(
        page, "document.querySelector('[data-testid=timeline] .nsewdrag')?.getBoundingClientRect().toJSON()"
    )
    return box["left"], box["right"], box["top"] + box["height"] / 2


async def drag(page: Page, from_: float, to: float, seconds: float) -> Sweep:
    """Drag along the timeline from one place to another (shares of its axis), evenly, in so many seconds."""
    left, right, y = await axis_of(page)

    def place(share: float) -> float:
        return left + (right - left) * share

    await page.mouse.move(place(from_), y)
    # A hand that has come to the handle takes hold of it a moment later.
    await page.wait_for_timeout(_DWELL)
    await page.mouse.down()
    # Where it begins is no part of the drag; but it goes on as soon as that is seen.
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
    # What was on its way when the hand came to rest is not counted.
    until = 1e3 * time.time()
    spent = {kind: seconds - before.get(kind, 0.0) for kind, seconds in (await _spent(page)).items()}
    await asyncio.gather(*sent)
    await page.mouse.up()
    await page.wait_for_timeout(1_500)
    watch = await page.evaluate("window.watch")
    shown = [one for one in watch["shown"] if one["when"] <= until]
    return Sweep(took, watch["asked"], shown, watch["frames"], spent)


async def _spent(page: Page) -> dict[str, float]:
    """Seconds of processor time that the browser took so far, by kind of process."""
    browser = page.context.browser
    assert browser is not None
    session = await browser.new_browser_cdp_session()
    spent: dict[str, float] = {}
    for process in (await session.send("SystemInfo.getProcessInfo"))["processInfo"]:
        spent[process["type"]] = spent.get(process["type"], 0.0) + process["cpuTime"]
    await session.detach()
    return spent
