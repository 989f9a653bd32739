"""Time from the command to the first lit lamp in the browser, with everything installed and warm, beside a floor.

The first lamp is lit by the first step, which waits for the map of step 0, as for a user. The floor of the server is a
process that imports fastapi and uvicorn; that of the lamp one that imports torch, makes the town and takes a step. All
take turns, so that a busy machine slows them alike. The server's first answer is the page; the time to the list of
runs, whose modules are imported later, is printed beside it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from benchmarks.support.report import report
from lamplighter.web.settings import DEFAULT_HOLD
from tests.browser.chromium import launch_arguments
from tests.browser.pages import wait_for
from tests.support.application import Application

ROUNDS = 3
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


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    answers: list[float] = []
    routes: list[float] = []
    lamps: list[float] = []
    floors: dict[str, list[float]] = {_SERVER_FLOOR: [], _LAMP_FLOOR: []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_arguments())
        # The first round warms the file and shader caches.
        for round_number in range(ROUNDS + 1):
            with (
                tempfile.TemporaryDirectory() as folder,
                Application(Path(folder), hold=DEFAULT_HOLD) as application,
            ):
                urllib.request.urlopen(f"{application.url}/", timeout=20).close()
                answered = time.time() - application.begun
                listing = threading.Thread(target=_note_list, args=(application, routes))
                listing.start()
                context = browser.new_context(color_scheme="dark", viewport={"width": 1280, "height": 720})
                page = context.new_page()
                page.goto(application.launch_url)
                wait_for(page, "window.__lamplighter?.litPixels?.() > 0", 60)
                lit = time.time() - application.begun
                context.close()
                run = application.only_run()
                application.ask(run, "stop")
                application.wait_until_over(run)
            took = {script: _run(script) for script in floors}
            if round_number:
                for script, seconds in took.items():
                    floors[script].append(seconds)
                answers.append(answered)
                lamps.append(lit)
        browser.close()
    unit = "times as long as importing fastapi and uvicorn: from the command to an answer"
    met = _report("cold_start_server", answers, floors[_SERVER_FLOOR], unit)
    unit = "times as long as importing fastapi and uvicorn: from the command to the list of runs"
    _report("cold_start_routes", routes[1:], floors[_SERVER_FLOOR], unit)
    unit = (
        "times as long as importing torch, making the town and a step: from the command to the first lit lamp"
    )
    return _report("cold_start", lamps, floors[_LAMP_FLOOR], unit) and met


def _report(name: str, took: list[float], floor: list[float], unit: str) -> bool:
    ratio = float(np.median(took) / np.median(floor))
    return report(name, ratio, unit, seconds=took, floor_seconds=floor)


def _note_list(application: Application, seconds: list[float]) -> None:
    """Ask for the list of runs, and record when it arrived, in seconds since the command."""
    application.get("/api/runs")
    seconds.append(time.time() - application.begun)


def _run(script: str) -> float:
    """Return the seconds that a Python process takes for a script."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", script], check=True)
    return time.perf_counter() - begun
