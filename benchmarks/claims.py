"""The board of claims: the time until each claim has a number on a finished run without answers, the time for a cold
server to make the prepared board, and the time of the lab's answers over HTTP."""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from benchmarks.examiner import copy_unasked_run
from benchmarks.support.finished import finished_run
from benchmarks.support.report import report
from lamplighter.claims.board import BoardQuestion, list_board_questions, make_board
from lamplighter.claims.claim import ClaimState
from lamplighter.claims.evidence import Evidence
from lamplighter.claims.gathering import gather_evidence, read_moment
from lamplighter.processes.asked_question import check_question
from lamplighter.processes.local_examiner import LocalExaminer
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.claims import describe_board
from tests.support.application import Application

TIMES = 9
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


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        run = copy_unasked_run(finished_run(), Path(folder))
        met = _prepare(run)
        met = _answer(run) and met
        return _ask_lab(run) and met


def _prepare(run: RunFolder) -> bool:
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
    return report(
        "claims_prepared",
        took,
        f"s until {28 - len(dark)} of 28 have a number",
        seconds=seconds,
        without_a_number=dark,
    )


def _answer(run: RunFolder) -> bool:
    """Make the prepared board repeatedly with empty caches, and once with full ones."""
    cold = [_milliseconds(run, LruCache()) for _ in range(TIMES)]
    kept = LruCache()
    _milliseconds(run, kept)
    warm = [_milliseconds(run, kept) for _ in range(TIMES)]
    return report(
        "claims_answer",
        float(np.median(cold)),
        "ms for the board, nothing kept, median",
        slowest_ms=max(cold),
        kept_ms=float(np.median(warm)),
        tokens=len(run.vocabulary),
    )


def _ask_lab(run: RunFolder) -> bool:
    """Ask each route of the lab repeatedly, each time about different words, and report the slowest."""
    draw = np.random.default_rng(0)
    cold: dict[str, float] = {}
    warm: dict[str, float] = {}
    with Application(run.path.parent, "serve", "--no-workers") as application:
        for route, words in LAB.items():
            took: list[float] = []
            for _ in range(TIMES + 1):
                chosen = draw.choice(len(run.vocabulary), size=words.count("{}"), replace=False)
                begun = time.perf_counter()
                application.get(f"/api/runs/{run.id}/geometry/{route}?{words.format(*chosen)}")
                took.append(1e3 * (time.perf_counter() - begun))
            cold[route], warm[route] = took[0], float(np.median(took[1:]))
    slowest = max(warm, key=lambda route: warm[route])
    return report(
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
