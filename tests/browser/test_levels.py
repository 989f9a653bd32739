"""The three levels of the page, the controls on its first screen, and the reading line."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from lamplighter.runfolder.run_store import RunStore
from tests.browser.axe import find_violations
from tests.browser.fixtures import DESKTOP, FinishedRun, expect_step, sound_page
from tests.browser.map_page import write_maps
from tests.browser.pages import choose_entry, close_menu, open_view, wait_for
from tests.support.folders import TOKENS, FakeTrainer, V, make_run

pytestmark = pytest.mark.browser

DRAWN = "window.__lamplighter?.shown && __lamplighter.beat"
TOOLS = ("home", "zoom-in", "zoom-out", "lasso")
MAX_CONTROLS = 14
"""A place, a view, play, the time bar, and the line that continues or teaches."""
CONTROLS = """() => {
    const all = [...document.querySelectorAll('button, select, input, textarea, summary, a[href], [role=slider]')]
        .filter((one) => one.checkVisibility() && !one.closest('.unseen'));
    const name = (one) => one.dataset.testid ?? one.outerHTML.slice(0, 80);
    const text = document.querySelector('[data-testid=reading]');
    return {
        disabled: all.filter((one) => one.matches(':disabled, [aria-disabled=true]')).map(name),
        enabled: [...new Set(all.map((one) => text.contains(one) ? 'reading' : name(one)))],
    };
}"""
"""Names of the visible controls; the words of the text are one toolbar."""
SMALL_TYPE = """() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const small = [];
    while (texts.nextNode()) {
        const one = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || !one.checkVisibility() || one.closest('.unseen, script, style')) continue;
        const size = parseFloat(getComputedStyle(one).fontSize);
        if (size < 12.99) small.push(`${size} px: ${texts.currentNode.data}`);
    }
    return small;
}"""


@pytest.fixture(scope="module")
def live(finished_run: FinishedRun) -> Iterator[FakeTrainer]:
    """Train a run that stays in progress, on the server of the finished run."""
    trainer = FakeTrainer(make_run(RunStore(finished_run.server.runs), steps=400)).begin().train(30)
    write_maps(trainer.run.layouts_path, V, (0, 10, 20, 30), ("animals", "marks"))
    yield trainer
    trainer.end("interrupted")


@pytest.fixture
def page(chromium: Browser, presenting: StorageState) -> Iterator[Page]:
    with sound_page(chromium, storage_state=presenting) as opened:
        yield opened


def expect_level(page: Page, level: str, panel: str | None) -> None:
    """Check the marked level, the panel beside the map, and the tools at its edge."""
    for each in ("watch", "explore", "lab"):
        expect(page.get_by_test_id(f"level-{each}")).to_have_attribute(
            "aria-pressed", str(each == level).lower()
        )
    shown = "null" if panel is None else f"'{panel}'"
    wait_for(page, f"new URLSearchParams(location.search).get('panel') === {shown}", 10)
    inspector = page.get_by_test_id("inspector")
    expect(inspector).to_have_count(int(panel is not None))
    expect(page.get_by_role("tab")).to_have_count(8 if level == "lab" else 0)
    for tool in TOOLS:
        expect(page.get_by_test_id(tool)).to_have_count(int(panel is not None))
    if level == "lab":
        expect(page.get_by_test_id(f"tab-{panel}")).to_have_attribute("aria-selected", "true")
    elif panel:
        expect(inspector).to_have_attribute("data-level", level)


@pytest.mark.tour
def test_each_level_shows_its_part_and_back_undoes_it(page: Page, finished_run: FinishedRun) -> None:
    page.goto(finished_run.url_with("at=40"))
    wait_for(page, DRAWN)
    expect_level(page, "watch", None)
    assert find_violations(page) == []
    page.get_by_test_id("level-explore").click()
    expect_level(page, "explore", "token")
    assert find_violations(page) == []
    page.get_by_test_id("level-lab").click()
    expect_level(page, "lab", "step")
    expect(page.get_by_test_id("batch")).to_be_visible()
    assert find_violations(page) == []
    page.get_by_test_id("tab-measures").click()
    page.get_by_test_id("level-watch").click()
    expect_level(page, "watch", None)
    for level, panel in (("lab", "measures"), ("lab", "step"), ("explore", "token"), ("watch", None)):
        page.go_back(wait_until="commit")
        expect_level(page, level, panel)
    # Alone, the map has a tool only after it was moved: back to the whole map.
    choose_entry(page, "zoomIn")
    expect(page.get_by_test_id("home")).to_be_visible()
    expect(page.get_by_test_id("zoom-in")).to_have_count(0)
    page.get_by_test_id("home").click()
    expect(page.get_by_test_id("home")).to_have_count(0)
    # The list of runs belongs to no level.
    page.get_by_test_id("open-runs").click()
    expect(page.get_by_test_id("runs")).to_be_visible()
    for level in ("watch", "explore", "lab"):
        expect(page.get_by_test_id(f"level-{level}")).to_have_attribute("aria-pressed", "false")
    # A word opens its card; closing that keeps the word, and Esc clears one thing at a time.
    page.get_by_test_id("search").fill("cat")
    page.get_by_test_id("found").filter(has_text=re.compile("^cat ")).click()
    expect(page.get_by_test_id("token")).to_have_text("cat")
    page.get_by_test_id("level-watch").click()
    wait_for(page, "location.search.includes('word=cat') && location.search.includes('folded=1')")
    open_view(page)
    close_menu(page)
    assert "word=cat" in page.url, "the key that closes a menu lets go of nothing else"
    page.keyboard.press("Escape")
    wait_for(page, "!/word=|folded=/.test(location.search)")


@pytest.mark.tour
def test_the_first_screen_has_few_controls_all_usable_by_a_viewer(
    page: Page, finished_run: FinishedRun, live: FakeTrainer, chromium: Browser
) -> None:
    viewer = chromium.new_page(viewport=DESKTOP, reduced_motion="reduce")
    counts: dict[str, list[int]] = {}
    for run, play in ((live.run.id, "pause-picture"), (finished_run.run, "replay-from-start")):
        for who, role in ((page, "presenter"), (viewer, "viewer")):
            who.goto(f"{finished_run.server.url}/?run={run}")
            wait_for(who, f"{DRAWN} && document.querySelectorAll('[data-testid=reading] button').length > 2")
            expect(who.get_by_test_id("inspector")).to_have_count(0)
            shown = who.evaluate(CONTROLS)
            assert shown["disabled"] == [], role
            needed = {play, "scrubber", "search", "level-watch", "level-explore", "level-lab", "reading"}
            assert needed <= set(shown["enabled"]), role
            assert len(shown["enabled"]) <= MAX_CONTROLS, shown["enabled"]
            counts.setdefault(role, []).append(len(shown["enabled"]))
            training = {"training-menu"} if play == "pause-picture" else {"continue"}
            assert training <= set(shown["enabled"]) or role == "viewer"
            assert not training & set(shown["enabled"]) or role == "presenter"
            wait_for(who, "document.querySelector('[data-testid=timeline] .ticks span')")
            assert who.evaluate(SMALL_TYPE) == []
            # The tab key goes through the header first, and then through what is below the map.
            reached = tab_order(who)
            assert reached[0] == "open-runs", role
            assert reached.index("page-menu") < reached.index(play) < reached.index("scrubber"), role
    assert all(few < more for few, more in zip(counts["viewer"], counts["presenter"], strict=True))
    viewer.close()


def tab_order(page: Page) -> list[str]:
    """Return the test ids of the controls that the tab key reaches from the top of the page, up to the handle of the
    timeline.
    """
    page.evaluate("document.activeElement.blur()")
    reached: list[str] = []
    while "scrubber" not in reached and len(reached) < 40:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.dataset.testid ?? ''"))
    return reached


LINE = """() => [...document.querySelectorAll('[data-testid=reading] button')]
    .map((one) => [one.textContent, Number(one.style.getPropertyValue('--light'))])"""


def read_by(finished: FinishedRun, step: int) -> tuple[list[int], dict[int, float]]:
    """Return the ids of a step's first words, and its gradient norms by id."""
    url = f"/api/runs/{finished.run}/steps/{step}"
    return finished.server.get(f"{url}/text")["tokens"][0][:-1], dict(finished.server.get(url)["gradient"])


def wait_for_line(page: Page, ids: list[int]) -> None:
    """Wait until the reading line shows these tokens."""
    words = " ".join(TOKENS[id] for id in ids)
    wait_for(page, f"({LINE})().map(([text]) => text).join(' ') === {words!r}", 10)


def test_the_line_shows_the_steps_words_each_lit_like_its_lamp(page: Page, finished_run: FinishedRun) -> None:
    # The made-up gradient is not that of the text: find two steps that light some of their words.
    steps = {step: read_by(finished_run, step) for step in range(20, 60)}
    lights = [step for step, (ids, norms) in steps.items() if set(ids) & set(norms)]
    first = next(step for step in lights if step + 1 in lights)
    page.goto(finished_run.url_with(f"at={first}"))
    heights: set[tuple[int, int]] = set()
    for step in (first, first + 1):
        expect_step(page, finished_run, step)
        heights.add(
            tuple(page.evaluate("['.top', '.bottom'].map(one => document.querySelector(one).clientHeight)"))
        )
        ids, norms = steps[step]
        wait_for_line(page, ids)
        lit = [light for _, light in page.evaluate(LINE)]
        strongest = max(norms.values())
        assert lit == pytest.approx([(norms.get(id, 0) / strongest) ** 0.5 for id in ids], abs=1e-3)
        assert any(lit)
        page.get_by_test_id("step-forward").click()
    # A sentence about a step's two beats has a fixed place, and moves nothing when it appears.
    assert len(heights) == 1
    # The line is one tab stop; arrow keys move through it.
    line = page.get_by_test_id("reading")
    expect(line.locator("[tabindex='0']")).to_have_count(1)
    line.get_by_role("button").first.focus()
    page.keyboard.press("ArrowRight")
    expect(line.get_by_role("button").nth(1)).to_be_focused()
    expect(page.get_by_test_id("step")).to_have_text(str(first + 2))
    # Its text arrives after the step, and replaces the previous one.
    wait_for_line(page, steps[first + 2][0])
    word = line.get_by_role("button").nth(1).inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("token")).to_have_text(word)
