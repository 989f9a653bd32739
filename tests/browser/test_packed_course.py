"""The course in a file without a network: part 1 works, part 10 has its numbers, and missing things are
named.
"""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from lamplighter.exports.export import export_run
from tests.browser.axe import find_violations
from tests.browser.packed import close_clean, open_offline
from tests.browser.pages import wait_for
from tests.support.evidences import store_answer
from tests.support.packed_course import ANSWER, BREAKOUT, LAST, LIE, WORDS, write_part
from tests.support.synthetic_runs.recorded import record

pytestmark = [pytest.mark.browser, pytest.mark.tour]

STEP = "new URLSearchParams(location.search).get('at')"


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the packed file of a run that knows the words of both parts, and lacks a step and
    most panels.
    """
    folder = tmp_path_factory.mktemp("course")
    run = record(folder / "runs", WORDS, steps=LAST)
    store_answer(run, LIE, ANSWER)
    lessons = write_part(folder / "own", f"`{BREAKOUT}` [the price](?panel=cost)\n")
    stages = (lessons / "77-own.md").read_text(encoding="utf-8")
    stages = stages.replace("\n\n`", "\nview: ?panel=cost&word=dog&at=20\n\n`", 1)
    (lessons / "77-own.md").write_text(stages, encoding="utf-8")
    return export_run(run, "html", out=folder / "run.html", lessons=lessons)


@pytest.fixture
def page(packed: Path, chromium: Browser) -> Iterator[Page]:
    url = f"{packed.as_uri()}?lesson=0"
    opened = open_offline(chromium, url)
    yield opened
    close_clean(opened, url)


def stored_part(packed: Path, number: int) -> dict[str, Any]:
    """Return a part of the course as stored in the file."""
    found = re.search(r'data-part="course">([^<]*)<', packed.read_text(encoding="utf-8"))
    assert found
    return json.loads(zlib.decompress(b64decode(found[1]), -zlib.MAX_WBITS))[f"/lessons/{number}?lang=en"]


def expect_stored_numbers(page: Page, part: dict[str, Any]) -> int:
    """Check the numbers of a stage against the file's. Returns their count."""
    shown = page.locator("[data-number]").evaluate_all(
        "all => all.map((one) => [one.dataset.number, one.value])"
    )
    for name, value in shown:
        assert float(value) == part["numbers"][name]["value"], name
    return len(shown)


def test_part_one_works_without_a_network(page: Page, packed: Path) -> None:
    part = stored_part(packed, 1)
    page.get_by_test_id("part-1").click()
    numbers = 0
    for stage, told in enumerate(part["stages"], 1):
        expect(page.get_by_test_id("stage-title")).to_have_text(told["title"])
        expect(page.get_by_test_id("not-held")).to_have_count(0)
        numbers += expect_stored_numbers(page, part)
        if told["prediction"]:
            choices = page.get_by_test_id("choice")
            (choices.nth(1) if choices.count() else page.get_by_test_id("keep-guess")).click()
        elif stage == 5:
            wait_for(page, f"{STEP} === '0' && __lamplighter.step === 0")
            expect(page.get_by_test_id("result").first).to_contain_text("It was ")
            # The card has the ten words that the text mentions.
            page.get_by_test_id("more-neighbours").click()
            expect(page.get_by_test_id("neighbours").locator("li")).to_have_count(10)
            page.get_by_test_id("course-next").click()
        elif stage < len(part["stages"]):
            if told["title"] == "Then and now":
                wait_for(page, f"{STEP} === '500' && __lamplighter.step === 500")
            page.get_by_test_id("course-next").click()
    assert numbers > 5
    assert find_violations(page, "[data-testid=course]") == []


def test_part_ten_has_its_numbers_and_its_answer(page: Page, packed: Path) -> None:
    page.goto(f"{packed.as_uri()}?lesson=10.6")
    expect(page.get_by_test_id("stage-title")).to_be_visible()
    assert expect_stored_numbers(page, stored_part(packed, 10)) >= 4
    # An unanswered number is shown as unknown, without a link to ask for it.
    expect(page.get_by_test_id("waits-for-numbers")).to_contain_text("when this file was made")
    expect(page.get_by_test_id("ask-viewer")).to_contain_text("file")


def test_a_picture_that_a_file_lacks_is_named_and_the_rest_is_shown(page: Page) -> None:
    page.get_by_test_id("part-77").click()
    expect(page.get_by_test_id("not-held")).to_contain_text("needs the app")
    expect(page.get_by_test_id("stage-title")).to_have_text(BREAKOUT)
    wait_for(page, f"{STEP} === '20' && new URLSearchParams(location.search).get('panel') === null")
    expect(page.get_by_test_id("token")).to_have_text("dog")
    assert page.locator("img[src=x]").count() == 0
    # A link to something the file lacks leads nowhere, and says where it would lead.
    expect(page.get_by_test_id("course")).to_contain_text("the price (in the app)")
    expect(page.get_by_test_id("course").locator("a")).to_have_count(0)
