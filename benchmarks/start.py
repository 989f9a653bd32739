"""The first minute: from the command to an answer, to the first map and to the first lit lamp; and a new visitor's first screen."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import numpy as np
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from benchmarks.support.browser import DARK, chromium
from benchmarks.support.processes import timed
from benchmarks.support.report import report
from benchmarks.support.server import serving, stop
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.web.settings import DEFAULT_HOLD
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method
from tests.browser.first_visit import PREFERENCES
from tests.browser.pages import wait_for, wait_for_frame
from tests.support.application import Application
from tests.support.waiting import wait_until

ROUNDS = 3
_LONG = 90.0
"""Seconds after which a round is given up."""
_SERVER_FLOOR = "import fastapi, uvicorn"
_LAMP_FLOOR = """
import torch
from lamplighter.corpora.build import build_corpus
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import build_learner
from lamplighter.model.step import train_step
from lamplighter.contract.recipe import Recipe
recipe, device = Recipe(), torch.device("cpu")
torch.set_num_threads(recipe.threads)
corpus = build_corpus(recipe.corpus, recipe.seed)
learner = build_learner(recipe, len(corpus.vocabulary), device)
train_step(learner, *BatchReader(recipe, corpus.token_ids, device).batch(1)[1:])
"""
VISITS = 5
PACE = 15
"""Steps a second of the run, so that the browser has a core to itself."""
_LATER = 20.0
"""Seconds after which a visit is given up."""
_WATCH = """(() => {
    const found = (window.firstVisit = {});
    const note = (name) => { found[name] ??= performance.now() };
    (function look() {
        const said = [...document.querySelectorAll("[role=status], [role=status] *")];
        if (said.some((one) => /^Every light is a word/.test(one.textContent.trim()))) note("sentence");
        const page = window.__lamplighter;
        if (page?.shown) note("light");
        if (page?.beat?.paintedAt) note("step");
        requestAnimationFrame(look);
    })();
})()"""
"""A script that records when the sentence appears, when lamps are drawn, and when those of a step are lit."""
_CONTROLS = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
    .filter((one) => one.tabIndex >= 0 && !one.disabled && one.getAttribute("aria-disabled") !== "true")
    .filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !one.closest("[inert]"))
    .filter((one) => {
        const { width, height, left, right, top, bottom } = one.getBoundingClientRect();
        return width > 1 && height > 1 && right > 0 && left < innerWidth && bottom > 0 && top < innerHeight;
    })
    .map((one) => (one.getAttribute("aria-label") ?? one.textContent ?? "").trim().slice(0, 40) || one.outerHTML)"""
"""The controls that are visible, usable and reachable by keyboard."""
Marks = dict[str, float]
"""Seconds from the command to each mark on the way."""


def measure_cold_start() -> None:
    """Time from the command to the first lit lamp in the browser, with everything installed and warm, beside a floor.

    The first lamp is lit by the first step, which waits for the map of step 0, as for a user. The floor of the server is a
    process that imports fastapi and uvicorn; that of the lamp one that imports torch, makes the town and takes a step. All
    take turns, so that a busy machine slows them alike. The server's first answer is the page; the time to the list of
    runs, whose modules are imported later, is printed beside it.
    """
    rounds: list[Marks] = []
    with chromium() as browser:
        for _ in range(ROUNDS + 1):
            marks = _start(browser, _light_lamp)
            rounds.append(marks | {script: _time_script(script) for script in (_SERVER_FLOOR, _LAMP_FLOOR)})
    # The first round warms the file and shader caches.
    took = {name: [one[name] for one in rounds[1:]] for name in rounds[0]}
    server = "times as long as importing fastapi and uvicorn: from the command to"
    lamp = "times as long as importing torch, making the town and a step: from the command to"
    for name, mark, floor, unit in (
        ("cold_start_server", "answer", _SERVER_FLOOR, f"{server} an answer"),
        ("cold_start_routes", "list", _SERVER_FLOOR, f"{server} the list of runs"),
        ("cold_start", "lit", _LAMP_FLOOR, f"{lamp} the first lit lamp"),
    ):
        ratio = np.median(took[mark]) / np.median(took[floor])
        report(name, ratio, unit, seconds=took[mark], floor_seconds=took[floor])


def measure_first_map() -> None:
    """Time from the command to the map of step 0 on the screen, with an empty and a full compilation cache.

    The page is opened as soon as the server answers, in a running browser. The figure is the median of `ROUNDS` rounds: the
    first time at which the page draws the layout of the first matrix.
    """
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:

        def draw(compiled: str) -> Marks:
            return _start(browser, _draw_map, {"NUMBA_CACHE_DIR": f"{folder}/{compiled}"})

        # The browser's caches of files and shaders are warm, as for a returning visitor.
        draw("before")
        cold = [draw(f"cold-{n}") for n in range(ROUNDS)]
        warm = [draw("cold-0") for _ in range(ROUNDS)]
    for name, rounds, how in (
        ("first_map_cold", cold, "with an empty cache of compiled functions"),
        ("first_map_warm", warm, "with all compiled"),
    ):
        middle = {mark: float(np.median([one[mark] for one in rounds])) for mark in rounds[0]}
        report(
            name,
            middle.pop("painted"),
            f"s from the command to the map of step 0 on the screen, {how}",
            all=[one["painted"] for one in rounds],
            seconds_until=middle,
        )


def _start(
    browser: Browser,
    watch: Callable[[Browser, Application], Marks],
    environment: dict[str, str] | None = None,
) -> Marks:
    """Start the application, and end its run.

    Args:
        browser: a running browser.
        watch: opens the page. Returns the Unix seconds at which what is to be seen, and what goes before it, was there.
        environment: more variables of the environment.
    """
    with serving(hold=DEFAULT_HOLD, environment=environment) as application:
        marks = watch(browser, application)
        stop(application, application.only_run())
        return {name: at - application.begun for name, at in marks.items()}


def _light_lamp(browser: Browser, application: Application) -> Marks:
    """Wait for the first lamp, and for the list of runs, which is asked for at the same time."""
    urllib.request.urlopen(f"{application.url}/", timeout=20).close()
    marks = {"answer": time.time()}

    def list_runs() -> None:
        application.get("/api/runs")
        marks["list"] = time.time()

    listing = threading.Thread(target=list_runs)
    listing.start()
    page = browser.new_page(**DARK)
    page.goto(application.launch_url)
    wait_for(page, "window.__lamplighter?.litPixels?.() > 0", 60)
    marks["lit"] = time.time()
    page.close()
    listing.join()
    return marks


def _draw_map(browser: Browser, application: Application) -> Marks:
    """Wait for the map of step 0."""
    marks = {"answer": time.time()}
    page = browser.new_page(**DARK)
    page.goto(application.launch_url)
    # A frame is drawn after the layout has come into the scene, which `shown` names.
    wait_for(page, "window.__lamplighter?.shown?.method === 'umap'", _LONG, every=0.01)
    step = page.evaluate("__lamplighter.shown.step")
    wait_for_frame(page)
    painted = time.time()
    page.close()
    if step != 0:
        raise AssertionError(f"the first map on the screen was of step {step}")
    return marks | _marks_in_record(application.only_run()) | {"painted": painted}


def _marks_in_record(run: RunFolder) -> Marks:
    """Return the Unix seconds at which the first matrix was recorded and its map was made."""
    with StepsReader(run.steps_path) as steps, LayoutsReader(run.layouts_path) as layouts:
        keyframe = steps.keyframe(0)
        assert keyframe is not None
        first = next(entry for entry in layouts.layout_entries() if entry.method is Method.UMAP)
        drawn = decode_as(layouts.layout_record(first.id), Layout)
        return {"matrix": keyframe.time, "map": drawn.time}


def _time_script(script: str) -> float:
    return timed(lambda: subprocess.run([sys.executable, "-c", script], check=True))[1]


def measure_first_visit() -> None:
    """Measure the first screen of a new visitor: the time to the first sentence and to the first light, and its controls.

    A Lamptown run is in training. The browser's caches are warm, but it has never shown the introduction. The times are
    medians of `VISITS` visits, in milliseconds from the navigation.
    """
    with chromium() as browser, serving() as application:
        run = application.only_run()
        application.ask(run, "pace", steps_per_second=PACE)
        wait_until(lambda: read_status(run).step > 0, "the run to begin", timeout=90)
        context = browser.new_context(**DARK)
        # A presenter sees the most controls.
        page = context.new_page()
        page.goto(application.launch_url)
        page.wait_for_url(lambda url: "/launch" not in url)
        wait_for(page, "window.__lamplighter?.shown", _LATER)
        page.close()
        rounds = [_visit(context, application.url) for _ in range(VISITS)]
        controls, missing = _controls(context, application.url)
    for name, until in (
        ("sentence", "a sentence says what a light is"),
        ("light", "the lamps are drawn"),
        ("step", "those of a step are lit"),
    ):
        taken = [one[name] for one in rounds]
        unit = f"ms from the navigation until {until}, caches warm"
        report(f"first_visit_{name}", np.median(taken), unit, all=taken)
    unit = "controls that can be used on the first screen of a presenter"
    report("first_visit_controls", float(len(controls)), unit, controls=controls)
    unit = "of play, time, find a word and the levels are not among them"
    report("first_visit_missing", float(len(missing)), unit, missing=missing)


def _open(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.add_init_script(f"localStorage.removeItem({json.dumps(PREFERENCES)})")
    page.add_init_script(_WATCH)
    page.goto(url, wait_until="commit")
    return page


def _visit(context: BrowserContext, url: str) -> dict[str, float]:
    """Return the milliseconds from the navigation to the sentence, to the lamps, and to the light of a step."""
    page = _open(context, url)
    wait_for(page, "window.firstVisit && Object.keys(firstVisit).length === 3", _LATER)
    found: dict[str, float] = page.evaluate("firstVisit")
    page.close()
    return found


def _controls(context: BrowserContext, url: str) -> tuple[list[str], list[str]]:
    """Return the names of the controls of the first screen, and which of the four that it must have are missing."""
    page = _open(context, url)
    wait_for(page, "window.__lamplighter?.beat?.paintedAt", _LATER)
    # The introduction temporarily adds buttons.
    page.get_by_test_id("skip-introduction").click()
    wait_for(page, "!document.querySelector('[data-testid=introduction]')", _LATER)
    controls: list[str] = page.evaluate(_CONTROLS)
    wanted: dict[str, Locator] = {
        "play": page.get_by_test_id("pause-picture").or_(page.get_by_test_id("resume-replay")),
        "time": page.get_by_role("slider"),
        "find a word": page.get_by_role("combobox", name="Find a word"),
        "levels": page.get_by_role("radio", name="Explore").or_(page.get_by_role("button", name="Explore")),
    }
    missing = [name for name, one in wanted.items() if not _is_usable(one)]
    page.close()
    return controls, missing


def _is_usable(control: Locator) -> Any:
    return control.count() > 0 and control.first.is_visible() and control.first.is_enabled()
