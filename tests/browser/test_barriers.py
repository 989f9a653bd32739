"""Every place of the page, of runs that have something to show: it opens, holds what was measured, and has no barrier."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from playwright.sync_api import Browser, Page, expect

from lamplighter.runfolder.run_folder import RunFolder
from tests.browser.axe import find_violations
from tests.browser.fixtures import DESKTOP, SMALL_TOWN
from tests.browser.packed import pack
from tests.browser.pages import PANELS, show_address, wait_for
from tests.browser.test_languages import texts_at_rest
from tests.support.application import Application
from tests.support.swept import recorded_set
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.tour]

STEPS = 300
KEPT = 250
"""A step whose whole model is kept, so that a question at it is soon answered."""
LIE = "the cat barked"
PLACES = {
    "panel=token&word=cat": "neighbours",
    "panel=district&district={district}": "district-words",
    "panel=gathered&words=cat,dog": "pairs",
    f"panel=ask&ask=what_if&say={quote_plus(LIE)}&at={KEPT}": "believed",
    "panel=geometry&lab=analogy": "analogy-words",
    "panel=geometry&lab=relations": "relations",
    "panel=geometry&lab=axis": "axis-said",
    "panel=geometry&lab=pairs": "ranks",
    "panel=game": "game-word",
    f"panel=microscope&at={KEPT}": "verdict",
    "panel=claims&claim=6": "claim-numbers",
    "panel=step": "sets",
    "panel=matrix": "matrix-step",
    "panel=run": "recipe",
    "panel=map": "districts",
    "panel=measures": "measure-purity",
    f"panel=experiments&ask=rotation&at={KEPT}": "turned-neighbours",
    "panel=cost": "step-flops",
    "panel=export": "film-said",
    "panel=class": "class-code",
    "panel=runs": "run-entry",
    "lesson=1.2": "stage-title",
    "lesson=4.7": "claim-card",
}
"""The address of each place that shows one run, and the test id of what it has measured."""
ELSEWHERE = {"difference": "difference-losses", "seeds": "set-city"}
"""Panels about several runs, and the test id of what they have measured."""
UNFOLD = "document.querySelectorAll('details').forEach((one) => (one.open = true))"


@dataclass
class Shown:
    """Runs on a server with a class: a finished one, a fork of it, and a member of a set."""

    server: Application
    run: RunFolder
    fork: str
    member: str

    def places(self) -> Iterator[tuple[str, str]]:
        """Yield the query and the content of each place."""
        district = self.server.get(f"/api/runs/{self.run.id}/districts?step={STEPS}")["items"][0]["id"]
        for place, content in PLACES.items():
            at = "" if "at=" in place or "lesson" in place else f"&at={STEPS}"
            yield f"run={self.run.id}{at}&{place.format(district=district)}", content
        yield f"run={self.fork}&panel=difference&beside=run:{self.run.id}", ELSEWHERE["difference"]
        yield f"run={self.member}&panel=seeds", ELSEWHERE["seeds"]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """Train a run and a fork of it, beside a set, and ask its model two questions."""
    runs = tmp_path_factory.mktemp("runs")
    recorded_set(runs)
    words = ("--classroom", "--class-host", "127.0.0.1", "--class-port", "0")
    with Application(runs, "serve", *words) as server:
        run = server.start_run(SMALL_TOWN | {"steps": STEPS})
        server.wait_until_over(run, timeout=120)
        path = f"/api/runs/{run.id}"
        changes = {"optimiser.learning_rate": 0.02}
        fork = server.run(server.post(f"{path}/forks", {"step": KEPT, "changes": changes, "steps": 20})["id"])
        for question in (
            {"kind": "what_if", "sentence": LIE, "steps": 5, "after": 20},
            {"kind": "rotation"},
        ):
            server.post(f"{path}/examinations", question | {"step": KEPT})
        server.wait_until_over(fork, timeout=120)
        wait_until(
            lambda: all(one["state"] == "done" for one in server.get(f"{path}/examinations")["items"]),
            "the answers",
            timeout=60,
        )
        wait_until(lambda: server.get(f"{path}/districts?step={STEPS}")["items"], "the map", timeout=60)
        (found,) = server.get("/api/sets")["items"]
        yield Shown(server, run, fork.id, found["members"][0]["run"])


def open_page(chromium: Browser, theme: str) -> Page:
    system = "dark" if theme == "night" else "light"
    return chromium.new_page(viewport=DESKTOP, reduced_motion="reduce", color_scheme=system)


def expect_open(page: Page, content: str, where: str) -> None:
    """Check that a place is open, with a heading and what it has measured, and that it has no barrier."""
    heading = page.get_by_role("heading").locator("visible=true").first
    expect(heading, where).to_be_visible(timeout=20_000)
    page.evaluate(UNFOLD)
    measured = page.get_by_test_id(content).locator("visible=true").first
    expect(measured, where).to_be_visible(timeout=20_000)
    texts_at_rest(page)
    found = find_violations(page)
    assert not found, (where, found)


@pytest.mark.parametrize(("theme", "language"), [("night", "en"), ("dusk", "de")])
def test_no_place_has_a_barrier(
    theme: str, language: str, chromium: Browser, shown: Shown, tmp_path: Path
) -> None:
    named = {place.partition("&")[0] for place in PLACES} | {f"panel={panel}" for panel in ELSEWHERE}
    assert named >= {f"panel={panel}" for panel in PANELS}
    page = open_page(chromium, theme)
    page.goto(shown.server.new_launch_url())
    page.wait_for_url(f"{shown.server.url}/*")
    look = f"lang={language}&theme={theme}"
    page.goto(f"{shown.server.url}/?run={shown.run.id}&{look}")
    wait_for(page, "window.__lamplighter?.shown && __lamplighter.beat")
    for query, content in shown.places():
        address = f"{shown.server.url}/?{query}&{look}"
        # A stage arranges its view when the page opens there.
        page.goto(address) if "lesson" in query else show_address(page, address)
        if "game" in query:
            page.get_by_test_id("play-newest").click()
            page.get_by_test_id("game-word").first.click()
        expect_open(page, content, query)
    here = f"{shown.server.url}/?run={shown.run.id}&{look}"
    page.goto(f"{here}&at={KEPT}")
    page.get_by_test_id("what-if").click()
    expect_open(page, "fork-cost", "the form of a fork")
    page.goto(f"{here}&panel=class")
    page.get_by_test_id("show-large").last.click()
    expect_open(page, "screen-code", "the joining screen")
    for part in (0, 1):
        page.goto(f"{here}&teacher={part}")
        expect_open(page, "teacher-page", f"the teacher's page {part}")
    page.context.close()

    known = shown.server.get("/api/class")
    viewer = open_page(chromium, theme)
    viewer.goto(f"{known['addresses'][0]}/?{look}")
    viewer.get_by_role("textbox").fill(known["code"])
    assert find_violations(viewer) == [], "the page to join at"
    viewer.get_by_role("button").click()
    expect(viewer.get_by_test_id("reading")).to_be_visible(timeout=20_000)
    assert find_violations(viewer) == [], "the page of a class"
    viewer.context.close()

    packed = open_page(chromium, theme)
    packed.goto(f"{pack(shown.run, tmp_path).as_uri()}?{look}&panel=token&word=cat")
    expect_open(packed, "neighbours", "a packed page")
    packed.context.close()
