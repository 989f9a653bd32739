"""The line that the model says below the map, and questions to it: a presenter asks, a viewer sees the
answer.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.axe import find_violations
from tests.browser.fixtures import DESKTOP, hold_run, open_held_step
from tests.browser.pages import choose_entry, open_panel, wait_for
from tests.support.application import Application

pytestmark = [pytest.mark.browser, pytest.mark.tour]

SPOKEN = 20
"""The last step before `STEP` at which the trainer lets the model speak; its state is also kept."""
STEP = 23
"""A step that the examiner reaches quickly, by recomputing three steps."""
WORDS = 12
QUERY = "new URLSearchParams(location.search)"
PLACES = """['greedy', 'candidates'].map((name) =>
    document.querySelector(`[data-testid=${name}]`).getBoundingClientRect().top)"""
"""The upper edges of the words that the model says, and of its guesses below them."""


@pytest.fixture(scope="module", autouse=True)
def _held(application: Application) -> None:
    # A pause keeps the state of the step where it stops, but this step must be recomputed.
    hold_run(application, STEP + 2)


def test_lines_follow_the_step_and_are_one_keyboard_stop(page: Page, application: Application) -> None:
    open_held_step(page, application, STEP)
    said = page.get_by_test_id("said")
    expect(said).to_have_attribute("data-step", str(SPOKEN))
    at_step = said.inner_text()
    page.keyboard.press("Shift+ArrowLeft")
    expect(said).to_have_attribute("data-step", "10", timeout=20_000)
    page.keyboard.press("Home")
    expect(said).to_have_attribute("data-step", "0", timeout=20_000)
    # The same beginning is continued differently.
    assert said.inner_text() != at_step
    prompt = said.locator(".given").all_inner_texts()
    assert " ".join(prompt) in " ".join(at_step.split())
    page.get_by_test_id("another-line").click()
    expect(said.locator(".given")).not_to_have_text(prompt)
    open_held_step(page, application, STEP)
    expect(page.get_by_test_id("reading").get_by_role("button").first).to_be_visible()
    toolbar = page.get_by_role("toolbar", name="Text of this step")
    expect(toolbar.locator("[tabindex='0']")).to_have_count(1)
    page.get_by_test_id("reading").get_by_role("button").first.focus()
    page.keyboard.press("ArrowDown")
    word = said.get_by_role("button").first
    expect(word).to_be_focused()
    expect(toolbar.locator("[tabindex='0']")).to_have_count(1)
    text = word.inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("token")).to_have_text(text, timeout=20_000)


def test_a_presenters_answer_lights_lamps_word_by_word_and_reaches_a_viewer(
    page: Page, application: Application, chromium: Browser
) -> None:
    open_held_step(page, application, STEP)
    choose_entry(page, "ask")
    field = page.get_by_test_id("ask-field")
    expect(field).to_be_visible(timeout=20_000)
    field.fill("xyzzy")
    field.press("Enter")
    expect(page.get_by_test_id("ask-problem")).to_contain_text("xyzzy")
    field.fill("the dog")
    field.press("Enter")
    wait_for(page, f"{QUERY}.get('say') === 'the dog' && {QUERY}.get('panel') === 'ask'")
    # Its words appear one by one, and the newest word's lamp is lit.
    greedy = page.get_by_test_id("greedy").get_by_role("button")
    expect(greedy.first).to_be_visible(timeout=30_000)
    wait_for(page, "__lamplighter.lit.length <= 4", every=0.02)
    vocabulary = {token["token"]: token["token_id"] for token in tokens_of(application)}
    wait_for(page, f"__lamplighter.lit.includes({vocabulary[greedy.first.inner_text()]})")
    assert greedy.count() < WORDS
    # Nothing moves under a pointer that rests while the other words appear, nor when the exact answer takes their place.
    places = page.evaluate(PLACES)
    press(page.get_by_role("button", name="All at once"))
    expect(greedy).to_have_count(WORDS)
    expect(page.get_by_test_id("sampled").get_by_role("button")).to_have_count(WORDS)
    expect(page.get_by_test_id("say-again")).to_have_text("Say it again")
    assert page.evaluate(PLACES) == places
    # The saved model answers at once; the exact step is recomputed on request.
    answer = page.get_by_test_id("answer")
    expect(answer).to_have_attribute("data-step", str(SPOKEN))
    expect(page.get_by_test_id("replayed")).to_contain_text(f"model saved at step {SPOKEN}")
    press(page.get_by_test_id("ask-here"))
    expect(answer).to_have_attribute("data-step", str(STEP), timeout=20_000)
    expect(page.get_by_test_id("replayed")).to_contain_text("matches the recording bit for bit")
    press(page.get_by_role("button", name="All at once"))
    assert page.evaluate(PLACES)[0] == places[0]
    greedy.nth(1).hover()
    first, second = (greedy.nth(place).inner_text() for place in (0, 1))
    candidates = page.get_by_test_id("candidates")
    expect(candidates).to_contain_text(f"Top guesses after “the dog {first}”")
    expect(candidates.get_by_role("listitem").first).to_contain_text(second)
    page.get_by_test_id("ask-first").click()
    expect(page.get_by_test_id("other-steps").get_by_role("listitem")).to_have_count(3, timeout=20_000)
    assert find_violations(page) == []
    # Back to the other words, about which no question was asked.
    page.go_back(wait_until="commit")
    expect(field).to_have_value("xyzzy")

    viewer = chromium.new_page(viewport=DESKTOP, reduced_motion="reduce")
    open_held_step(viewer, application, STEP, "&panel=ask&say=the+dog")
    expect(viewer.get_by_test_id("ask-viewer")).to_contain_text("This browser can only watch")
    expect(viewer.get_by_test_id("ask-field")).to_have_count(0)
    expect(viewer.get_by_test_id("greedy")).to_contain_text(f"the dog {first} {second}")
    viewer.close()


def test_teaching_swapping_attention_and_rotation_show_their_results(
    page: Page, application: Application
) -> None:
    open_held_step(page, application, STEP, "&panel=ask&ask=what_if&say=the+cat+barked&times=2&after=1")
    answer = page.get_by_test_id("answer")
    expect(page.get_by_test_id("ask-empty")).to_contain_text("Your run is not affected", timeout=20_000)
    page.get_by_test_id("ask").click()
    expect(page.get_by_test_id("was-copy")).to_contain_text("not affected", timeout=30_000)
    expect(answer).to_contain_text("read twice")
    # Words that also changed are ringed; during playback, rows that are read light up and those that moved
    # are ringed.
    changed = page.get_by_test_id("also-changed").get_by_role("listitem")
    wait_for(page, f"__lamplighter.rings.length === {changed.count()}")
    page.get_by_test_id("teach-play").click()
    vocabulary = {token["token"]: token["token_id"] for token in tokens_of(application)}
    wait_for(page, f"__lamplighter.lit.includes({vocabulary['cat']})")
    wait_for(page, f"__lamplighter.rings.some(([id, size]) => id === {vocabulary['cat']} && size > 2)")
    assert find_violations(page) == []

    # An invalid form is explained beside the line; a valid one is in the address.
    choose(page, "transplant")
    page.get_by_test_id("ask-field").fill("the dog")
    page.get_by_test_id("swap-source").fill("cat")
    page.get_by_test_id("swap-source").press("Enter")
    expect(page.get_by_test_id("ask-problem")).to_contain_text("Say whose row is replaced")
    page.get_by_test_id("swap-into").fill("dog")
    page.get_by_test_id("swap-into").press("Enter")
    expect(page.get_by_test_id("swap-instead")).to_contain_text(
        "exactly what it says of “cat”", timeout=30_000
    )
    wait_for(page, f"{QUERY}.get('into') === 'dog' && {QUERY}.get('source') === 'cat'")
    wait_for(page, "__lamplighter.rings.length === 0")

    choose(page, "probe")
    page.get_by_test_id("look-second").fill("the cat and the dog each wear a collar")
    page.get_by_test_id("look-second").press("Enter")
    expect(page.get_by_test_id("looks")).to_contain_text("At step 0:", timeout=30_000)
    expect(page.get_by_test_id("look-apart").get_by_role("row").nth(1)).to_contain_text("1.00")
    square = page.get_by_role("application").first
    square.focus()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_test_id("looks")).to_contain_text("“the” looks at “the”: 100 %")
    assert find_violations(page) == []

    open_panel(page, "experiments")
    expect(page.get_by_test_id("ask-field")).to_have_count(0)
    page.get_by_test_id("ask").click()
    expect(page.get_by_test_id("turned-neighbours")).to_be_visible(timeout=30_000)
    expect(answer).to_contain_text("words kept their ten neighbours")
    assert find_violations(page) == []


def test_training_questions_need_no_words_and_have_a_chance_level(
    page: Page, application: Application
) -> None:
    # An address from before the experiments moved to the lab.
    open_held_step(page, application, STEP, "&panel=ask&ask=batch_sizes")
    expect(page.get_by_test_id("tab-experiments")).to_have_attribute("aria-selected", "true", timeout=20_000)
    expect(page.get_by_test_id("ask-field")).to_have_count(0)
    page.get_by_test_id("ask").click()
    sizes = page.get_by_test_id("batch-sizes").get_by_role("button")
    expect(sizes).to_have_count(5, timeout=30_000)
    sizes.last.click()
    expect(page.get_by_test_id("batch-size")).to_have_value("4")
    expect(page.get_by_test_id("batch-verdict")).to_contain_text("fully awake")
    assert find_violations(page) == []

    choose(page, "bench")
    page.get_by_test_id("ask").click()
    expect(page.get_by_test_id("bench-maps").get_by_role("img")).to_have_count(4, timeout=60_000)
    lazy, *_, tied = page.get_by_test_id("bench-counts").get_by_role("row").all()[1:]
    assert len(set(lazy.get_by_role("cell").all_inner_texts())) == 1
    assert len(set(tied.get_by_role("cell").all_inner_texts())) == 2
    expect(page.get_by_test_id("bench-speed")).to_contain_text("At this size")
    assert find_violations(page) == []

    choose(page, "environment")
    page.get_by_test_id("ask").click()
    expect(page.get_by_test_id("forgets-first")).to_be_visible(timeout=90_000)
    assert find_violations(page) == []

    choose(page, "deciles")
    page.get_by_test_id("ask").click()
    groups = page.get_by_test_id("word-groups").get_by_role("row")
    expect(groups.last).to_be_visible(timeout=90_000)
    # In this small town a single word is more than a tenth of the text, so that ten groups are nine.
    told = answer_to(application, "deciles")["groups"]
    assert [text.split("\t")[:2] for text in groups.all_inner_texts()[1:]] == [
        [str(place), str(group["words"])] for place, group in enumerate(told, 1)
    ]
    expect(page.get_by_test_id("rare-words")).to_contain_text("On the rarest")
    assert find_violations(page) == []

    choose(page, "substitution")
    page.get_by_test_id("ask").click()
    expect(page.get_by_test_id("stand-in-bars").get_by_role("listitem")).to_have_count(3, timeout=60_000)
    expect(page.get_by_test_id("stand-in-example").get_by_role("listitem")).to_have_count(4)
    expect(page.get_by_test_id("stand-in-share")).to_contain_text("about as frequent")
    assert find_violations(page) == []

    choose(page, "acquisition")
    page.get_by_test_id("ask").click()
    expect(page.get_by_test_id("word-curves")).to_be_visible(timeout=60_000)
    told = answer_to(application, "acquisition")["words"]
    expect(page.get_by_test_id("ages")).to_contain_text(f"{len(told):,} words")
    assert find_violations(page) == []


def press(button: Locator) -> None:
    """Press a button by key: for a click, Playwright may scroll the panel."""
    button.focus()
    button.press("Enter")


def choose(page: Page, experiment: str) -> None:
    """Choose an experiment for the words."""
    page.locator(f"label:has([data-testid=experiment-{experiment}])").click()


def tokens_of(application: Application) -> list[dict[str, object]]:
    return application.get(f"/api/runs/{application.only_run().id}/tokens?limit=50000")["items"]


def answer_to(application: Application, kind: str) -> dict[str, Any]:
    """Return the answer to the only question of a kind."""
    path = f"/api/runs/{application.only_run().id}/examinations"
    asked = [one["id"] for one in application.get(path)["items"] if one["kind"] == kind]
    return application.get(f"{path}/{asked[0]}")["answer"]
