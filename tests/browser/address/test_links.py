"""Links: old, ambiguous, invalid and hostile ones, and links within the page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.address.address_bar import (
    DOG,
    DRAWN,
    EVIL,
    HOSTILE,
    OTHER_DOG,
    TWICE,
    TwoRuns,
    choose_word,
    expect_same_after_loading,
    view,
    wait_for_view,
)
from tests.browser.pages import open_panel, show_map, wait_for
from tests.support.folders import TOKENS

pytestmark = pytest.mark.browser


@pytest.mark.tour
def test_links_with_ids_still_work(page: Page, runs: TwoRuns) -> None:
    page.goto(runs.link("&token=5&tokens=2,3&pair=4&panel=token"))
    expect(page.get_by_test_id("token")).to_have_text(TOKENS[5])
    wait_for_view(
        page, word=TOKENS[5], words="Dog,dogs", **{"with": "hotdog"}, token=None, tokens=None, pair=None
    )
    expect_same_after_loading(page)


@pytest.mark.tour
def test_the_id_stays_if_several_tokens_share_the_text(page: Page, runs: TwoRuns) -> None:
    page.goto(runs.link(f"&token={OTHER_DOG}&tokens={DOG},{OTHER_DOG},{EVIL}"))
    expect(page.get_by_test_id("token")).to_have_text(TWICE)
    wait_for_view(page, token=str(OTHER_DOG), word=None, tokens=f"{DOG},{OTHER_DOG}")
    assert page.evaluate("new URLSearchParams(location.search).get('words')") == HOSTILE.replace(
        "\\", "\\\\"
    ).replace(",", "\\,")
    expect_same_after_loading(page)
    page.goto(f"{page.url}&panel=gathered")
    expect(page.get_by_test_id("gathered-count")).to_have_text("3 words selected")
    # A link by that text leads to the first of them.
    page.goto(runs.link(f"&word={TWICE}"))
    wait_for_view(page, token=str(DOG), word=None)
    assert page.evaluate("window.hit === undefined")


@pytest.mark.tour
def test_an_unknown_word_is_reported_until_another_is_chosen(page: Page, runs: TwoRuns) -> None:
    page.goto(runs.link("&word=unicorn"))
    problem = page.get_by_test_id("token-problem")
    expect(problem).to_have_text("“unicorn” is not in this vocabulary.")
    wait_for(page, DRAWN)
    show_map(page, "linear")
    wait_for_view(page, map="linear", word="unicorn")
    expect_same_after_loading(page)
    choose_word(page, "cat")
    expect(problem).to_have_count(0)
    wait_for_view(page, word="cat")
    page.go_back(wait_until="commit")
    expect(problem).to_contain_text("unicorn")
    page.keyboard.press("Escape")
    wait_for_view(page, word=None)
    expect(problem).to_have_count(0)


@pytest.mark.tour
def test_a_link_opens_a_section_of_a_panel(page: Page, runs: TwoRuns) -> None:
    page.set_viewport_size({"width": 1280, "height": 480})
    page.goto(runs.link("&panel=step&section=history&at=30"))
    pointed = page.get_by_test_id("section-history")
    expect(pointed).to_have_attribute("aria-pressed", "true")
    expect(pointed).to_be_in_viewport()
    expect(page.get_by_test_id("step-loss")).not_to_be_in_viewport()
    # A second press makes it a heading like the others, and another section can be highlighted.
    pointed.click()
    wait_for_view(page, section=None, panel="step")
    page.get_by_test_id("section-text").click()
    wait_for_view(page, section="text")
    expect_same_after_loading(page)
    page.go_back(wait_until="commit")
    wait_for_view(page, section=None)
    page.go_forward(wait_until="commit")
    wait_for_view(page, section="text")
    open_panel(page, "matrix")
    wait_for_view(page, section=None, panel="matrix")


@pytest.mark.tour
def test_a_hostile_address_still_opens_a_view(page: Page, runs: TwoRuns) -> None:
    evil = "%00%3Cimg%20src=x%20onerror=hit%3E%5C,%5C"
    page.goto(
        runs.link(f"&word={evil}&words={'x,' * 3_000}&with={'y' * 500}&look=1e9,-1,NaN&beat=7&set=x&at=-1")
    )
    wait_for(page, DRAWN)
    expect(page.get_by_test_id("token-problem")).to_contain_text("<img src=x onerror=hit>")
    page.wait_for_timeout(600)
    assert set(view(page)) == {"word"}
    page.goto(runs.link("&look=9,9,99999&at=5&from=3&beat=1"))
    wait_for(page, "window.__lamplighter?.beat?.step === 5")
    wait_for_view(page, look="1,1,10000", at="5", beat="1", **{"from": None})
    expect_same_after_loading(page)
    assert page.evaluate("window.hit === undefined")


def test_a_link_in_the_page_opens_its_view_without_a_reload(page: Page, runs: TwoRuns) -> None:
    page.evaluate(
        """(href) => {
        window.sameDocument = true;
        const link = Object.assign(document.createElement('a'), { href, id: 'shown', textContent: 'show' });
        link.style = 'position: fixed; z-index: 99; left: 50%; top: 50%';
        document.body.append(link);
    }""",
        f"?run={runs.first}&word=cat&at=70&map=linear",
    )
    page.locator("#shown").click()
    wait_for(page, "__lamplighter.beat?.step === 70 && __lamplighter.shown?.method === 'linear'")
    expect(page.get_by_test_id("token")).to_have_text("cat")
    page.go_back(wait_until="commit")
    wait_for_view(page, run=runs.second, word=None, at=None, map=None)
    assert page.evaluate("window.sameDocument")


@pytest.mark.tour
def test_an_address_without_a_run_opens_the_newest(runs: TwoRuns, page: Page) -> None:
    page.goto(f"{runs.server.url}/?word=cat&at=30&colour=frequency")
    wait_for(page, "window.__lamplighter?.beat?.step === 30")
    wait_for_view(page, word="cat", at="30", colour="frequency")
    expect(page.get_by_test_id("token")).to_have_text("cat")
