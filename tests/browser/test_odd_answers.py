"""Malformed answers, which an imported run may contain: the ask panel says so, and continues."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from lamplighter.contract.questions import canonical_question, parse_question, question_id
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.examinations import ExaminationsWriter
from tests.browser.fixtures import sound_page
from tests.browser.map_page import write_maps
from tests.support.application import Application
from tests.support.folders import FakeTrainer, V, make_run

pytestmark = [pytest.mark.browser, pytest.mark.tour]

STEP = 20
REPLAYED = {"from": STEP, "steps": 0, "equal": True, "difference": 0.0}
ASKED: dict[str, dict[str, Any]] = {
    "speak": {"prompt": "the dog", "words": 12},
    "what_if": {"sentence": "the dog"},
    "transplant": {"prompt": "the dog", "into": "dog", "source": "cat"},
    "probe": {"sentence": "the dog"},
    "rotation": {},
    "heads": {},
    "acquisition": {},
    "bench": {},
    "batch_sizes": {},
    "environment": {},
    "deciles": {},
    "substitution": {},
}
"""A question's fields for each experiment."""
SIZE = {"tokens": 16, "rows": 3, "share": 0.5, "alone": 0.4}
CURVE = {
    "occurrences": 8,
    "surprisal": [9, 8, 2],
    "alone": 5,
    "state": "learned",
    "error": 0.1,
    "width": 0.2,
    "floor": 2,
    "forgotten": None,
}
ACQUIRED = {
    "steps": [0, 5, 20],
    "chance": 9,
    "text": "held_out",
    "predictions": 99,
    "least": 8,
    "rare": 3,
    "more": 0,
    "words": [{**CURVE, "id": word, "age": age} for word, age in ((1, 5), (9_999, 9), (5, 15))],
    "forgotten_chance": 0,
    "regression": None,
}
SAID = {"id": 1, "p": 0.5, "candidates": [[2, 0.25], [2, 0.25], [1, 0.5]]}
TWICE: dict[str, tuple[dict[str, Any], str, int]] = {
    "batch_sizes": (
        {"sizes": [SIZE, SIZE], "vocabulary": V, "corpus_tokens": 500, "batch_tokens": 16},
        "batch-sizes",
        2,
    ),
    "acquisition": (ACQUIRED, "word-ages", 3),
    "speak": ({"prompt": [0, 1], "greedy": [SAID], "sampled": [SAID]}, "candidates", 3),
}
"""Answers with a repeated item, or one that the run lacks, and the list that must show it that many times."""


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Application, str, dict[str, str]]]:
    """Serve a run with an empty answer to each question, and with those of `TWICE`. Yields the ids, too."""
    runs = tmp_path_factory.mktemp("runs")
    trainer = FakeTrainer(make_run(RunStore(runs), steps=STEP + 5)).begin().train(STEP + 5)
    write_maps(trainer.run.layouts_path, V, (0, STEP), ("animals", "marks"))
    ids: dict[str, str] = {}
    with ExaminationsWriter(trainer.run.examinations_path) as writer:
        for name, kind, step, answer in (
            *((kind, kind, STEP, {}) for kind in ASKED),
            *((f"{kind} twice", kind, STEP + 1, answer) for kind, (answer, _, _) in TWICE.items()),
        ):
            question = parse_question({"kind": kind, "step": step, **ASKED[kind]})
            ids[name] = question_id(1, question)
            writer.add_question(
                ids[name], attempt=1, step=step, kind=kind, question=canonical_question(question)
            )
            writer.finish(
                ids[name],
                json.dumps({"kind": kind, "step": step, "attempt": 1, "replayed": REPLAYED} | answer),
            )
    trainer.end()
    with Application(runs, "serve", "--no-workers") as app:
        yield app, trainer.run.id, ids


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    """Open a page; fail if it throws an error."""
    with sound_page(chromium) as opened:
        yield opened


def show(page: Page, asked: tuple[Application, str, dict[str, str]], name: str, step: int) -> None:
    app, run, ids = asked
    kind = name.split()[0]
    page.goto(f"{app.url}/?run={run}&step={step}&panel=ask&ask={kind}&asked={ids[name]}")


@pytest.mark.parametrize("kind", ASKED)
def test_an_answer_without_its_fields_is_reported(
    page: Page, asked: tuple[Application, str, dict[str, str]], kind: str
) -> None:
    show(page, asked, kind, STEP)
    expect(page.get_by_text("This answer cannot be shown: it is not whole.")).to_be_visible(timeout=10_000)
    # The rest of the page continues.
    names = list(ASKED)
    # The first four are questions with words; the others are in the lab.
    group = names[:4] if kind in names[:4] else names[4:]
    other = group[1] if kind == group[0] else group[0]
    page.get_by_test_id(f"experiment-{other}").check(force=True)
    expect(page.get_by_test_id(f"experiment-{other}")).to_be_checked()


@pytest.mark.parametrize("kind", TWICE)
def test_repeated_values_of_an_answer_are_all_shown(
    page: Page, asked: tuple[Application, str, dict[str, str]], kind: str
) -> None:
    show(page, asked, f"{kind} twice", STEP + 1)
    _, listed, count = TWICE[kind]
    expect(page.get_by_test_id(listed).get_by_role("listitem")).to_have_count(count, timeout=10_000)


def test_a_page_is_coloured_by_ages_and_goes_to_them(
    page: Page, asked: tuple[Application, str, dict[str, str]]
) -> None:
    show(page, asked, "acquisition twice", STEP + 1)
    page.get_by_test_id("colour-age").click()
    expect(page.get_by_text("Colour: when learned")).to_be_visible()
    page.get_by_role("button", name="dog: learned by about step 5").click()
    expect(page).to_have_url(re.compile(r"[?&]at=5\b"))
    # A link needs no panel.
    app, run, _ = asked
    page.goto(f"{app.url}/?run={run}&at=5&colour=age&word=dog&panel=token")
    expect(page.get_by_text("Colour: when learned")).to_be_visible(timeout=10_000)
    expect(page.get_by_test_id("token-age")).to_have_text("learned by about step 5")
