"""The inspector's panels in the browser, on a finished run: a token, a step, the run and its matrix."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from lamplighter.runfolder.run_store import RunStore
from tests.browser.fixtures import FinishedRun, sound_page
from tests.browser.map_page import write_maps
from tests.browser.pages import LAB_PANELS, open_panel, show_level, wait_for
from tests.support.application import Application
from tests.support.folders import TOKENS, FakeTrainer, V, make_run

pytestmark = pytest.mark.browser

LAST, NEAREST, ODD = 100, 12, 45
COLOURS = """() => {
    const canvas = document.querySelector('[data-testid=matrix] canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const found = new Set();
    for (let i = 0; i < data.length; i += 4)
        if (data[i + 3] === 255) found.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    return found.size;
}"""
"""Number of different colours in the matrix picture."""
FIGURE_HEIGHT = "document.querySelector('[data-testid=matrix] .main-svg').clientHeight"
PICTURE = "document.querySelector('[data-testid=matrix] canvas').toDataURL()"


@dataclass
class RunWithMatrices:
    """A finished run, and the matrix of each of its steps."""

    server: Application
    run: str
    matrices: dict[int, np.ndarray]

    def nearest(self, token: int, step: int) -> set[int]:
        rows = self.matrices[step]
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        order = np.argsort(-(rows @ rows[token]))
        return {int(one) for one in order[order != token][:NEAREST]}

    def token_with_new_neighbours(self) -> int:
        """Return a token outside the last batch whose nearest neighbours differ from those at the start."""
        return next(
            one
            for one in range(10, V)
            if self.nearest(one, 0) != self.nearest(one, LAST) and self.lit(one) and LAST not in self.lit(one)
        )

    def lit(self, token: int) -> list[int]:
        steps = range(1, LAST + 1)
        return [s for s in steps if (self.matrices[s][token] != self.matrices[s - 1][token]).any()]


@pytest.fixture(scope="module")
def matrix_run(finished_run: FinishedRun) -> RunWithMatrices:
    run = make_run(RunStore(finished_run.server.runs))
    trainer = FakeTrainer(run, loss_of=lambda step: 5.0 if step == ODD else 2.5 + step % 7 / 100)
    trainer.begin().train(LAST)
    write_maps(trainer.run.layouts_path, V, (30, LAST), ("animals", "marks"))
    trainer.end()
    return RunWithMatrices(finished_run.server, trainer.run.id, trainer.matrices)


@pytest.fixture(scope="module")
def page(matrix_run: RunWithMatrices, chromium: Browser, presenting: StorageState) -> Iterator[Page]:
    query = f"panel=token&token={matrix_run.token_with_new_neighbours()}"
    with sound_page(chromium, storage_state=presenting) as opened:
        opened.goto(f"{matrix_run.server.url}/?run={matrix_run.run}&{query}")
        wait_for(opened, "window.__lamplighter?.shown && __lamplighter.beat")
        yield opened


@pytest.mark.tour
def test_every_panel_explains_itself_in_a_sentence_or_two(page: Page) -> None:
    show_level(page, "lab")
    said = set()
    tabs = page.get_by_role("tab")
    assert tabs.count() == len(LAB_PANELS)
    for tab in tabs.all():
        tab.click()
        about = page.get_by_role("tabpanel").get_by_test_id("about")
        expect(about).to_be_visible()
        expect(about).to_have_text(tab.get_attribute("title") or "none")
        sentence = about.inner_text()
        assert re.fullmatch(r"[A-Z][^.]{30,}\.(?: [A-Z][^.]{30,}\.)?", sentence), (
            f"{tab.inner_text()}: {sentence}"
        )
        said.add(sentence)
    assert len(said) == len(LAB_PANELS)
    show_level(page, "explore")


def test_a_token_shows_its_step_and_the_changes_of_its_neighbours(
    page: Page, matrix_run: RunWithMatrices
) -> None:
    token = matrix_run.token_with_new_neighbours()
    expect(page.get_by_test_id("token")).to_have_text(TOKENS[token])
    # The word's measures are folded.
    expect(page.get_by_test_id("token-step")).to_have_count(0)
    page.get_by_test_id("token-numbers").locator("summary").click()
    expect(page.get_by_test_id("token-step")).to_have_text(f"The vector after step {LAST}.")
    now, then = matrix_run.nearest(token, LAST), matrix_run.nearest(token, 0)
    near, before = page.get_by_test_id("neighbours"), page.get_by_test_id("neighbours-then")
    page.get_by_test_id("more-neighbours").click()
    for column, ids, step in ((near, now, LAST), (before, then, 0)):
        expect(column).to_have_attribute("data-step", str(step))
        expect(column.locator(".word")).to_have_count(NEAREST)
        assert set(column.locator(".word").all_inner_texts()) == {TOKENS[one] for one in ids}
    # Compared with the last step itself, the columns are equal.
    page.get_by_test_id("then").fill(str(LAST))
    page.get_by_test_id("then").press("Enter")
    expect(before).to_have_attribute("data-step", str(LAST))
    expect(before.locator(".word")).to_have_text(near.locator(".word").all_inner_texts())
    expect(page).to_have_url(re.compile(f"then={LAST}"))


@pytest.mark.tour
def test_its_path_is_drawn_and_includes_a_gradient_from_before_the_page_opened(
    page: Page, matrix_run: RunWithMatrices
) -> None:
    charts = page.get_by_test_id("token-path")
    expect(charts.locator(".js-plotly-plot, .plot-container").first).to_be_visible()
    expect(charts.locator(".scatterlayer .trace")).to_have_count(4)
    expect(charts).to_contain_text(f"at step {LAST}")
    # The record supplies that gradient with its step.
    expect(page.get_by_test_id("gradient")).to_have_text(
        f"1 at step {matrix_run.lit(matrix_run.token_with_new_neighbours())[-1]}"
    )


@pytest.mark.tour
def test_another_token_is_compared_by_search_and_by_list(page: Page, matrix_run: RunWithMatrices) -> None:
    field = page.get_by_test_id("pair-search")
    field.fill("hotdog")
    expect(page.get_by_test_id("pair-search-found")).to_contain_text("hotdog")
    field.press("Enter")
    expect(page).to_have_url(re.compile(r"with=hotdog\b"))
    expect(page.get_by_test_id("pair")).to_have_value("4")
    charts = page.get_by_test_id("pair-path")
    expect(charts.locator(".scatterlayer .trace")).to_have_count(2)
    # The token in focus stays.
    expect(page.get_by_test_id("token")).to_have_text(TOKENS[matrix_run.token_with_new_neighbours()])
    page.get_by_test_id("pair").select_option("")
    expect(charts).to_have_count(0)


@pytest.mark.tour
def test_tabs_work_by_keyboard_and_show_the_step(page: Page) -> None:
    show_level(page, "lab")
    page.get_by_test_id("tab-export").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_test_id("tab-export")).not_to_be_focused()
    page.get_by_test_id("tab-matrix").click()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_test_id("tab-step")).to_be_focused()
    expect(page.get_by_test_id("tab-step")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tabpanel")).to_have_attribute("aria-labelledby", "tab-step")
    # The run is over: the step stays, and its text loads by itself.
    expect(page.get_by_test_id("batch")).to_be_visible()
    expect(page.get_by_test_id("differences")).to_be_visible()
    river = page.get_by_test_id("river")
    expect(river).to_contain_text("block 1")
    assert {"1", "2"} <= set(river.locator(".annotation-text").all_text_contents())


def test_the_run_shows_its_recipe_and_the_command_that_repeats_it(page: Page) -> None:
    open_panel(page, "run")
    expect(page.get_by_test_id("recipe")).to_contain_text("Lamptown")
    expect(page.get_by_test_id("command")).to_have_text("lamplighter train --recipe recipe.toml")
    expect(page.get_by_test_id("toml")).to_contain_text("steps = 100")
    expect(page.get_by_test_id("inspector")).to_contain_text("1,234")
    # The size on disk is shown only in the lab.
    size = page.get_by_test_id("inspector").locator("dl > div", has_text="on disk")
    expect(size.locator("dd")).to_have_text(re.compile(r"^[\d.,]+ [kM]?B$"))


def test_the_matrix_is_a_picture_with_orders_and_differences(page: Page) -> None:
    open_panel(page, "matrix")
    expect(page.get_by_test_id("matrix-step")).to_contain_text(str(LAST))
    wait_for(page, f"({COLOURS})() > 40")
    by_district = page.evaluate(PICTURE)
    page.get_by_test_id("matrix-rows").select_option("frequency")
    wait_for(page, "location.search.includes('rows=frequency')")
    wait_for(page, f"{PICTURE} !== {by_district!r}")
    matrix = page.get_by_test_id("matrix")
    matrix.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_test_id("matrix-read")).to_contain_text("the")
    by_frequency = page.evaluate(PICTURE)
    page.get_by_test_id("matrix-change").check()
    expect(page.get_by_test_id("matrix-step")).to_contain_text(re.compile(rf"{LAST}.*\b0\b"))
    wait_for(page, f"{PICTURE} !== {by_frequency!r}")
    # The axis resizes with the window.
    page.set_viewport_size({"width": 1280, "height": 1000})
    wait_for(page, f"{FIGURE_HEIGHT} === document.querySelector('[data-testid=matrix]').clientHeight")
    page.set_viewport_size({"width": 1280, "height": 720})
    # Compared with the displayed step nothing changed: one colour, and the lamps at the side.
    page.get_by_test_id("matrix-against").fill(str(LAST))
    page.get_by_test_id("matrix-against").press("Enter")
    wait_for(page, f"({COLOURS})() < 4")


def test_the_panel_of_a_step_tells_whether_it_stands_out(page: Page, matrix_run: RunWithMatrices) -> None:
    page.goto(f"{matrix_run.server.url}/?run={matrix_run.run}&panel=step&at=50")
    verdict = page.get_by_test_id("stands-out")
    expect(verdict).to_contain_text("No: loss 2.51, where 2.5")
    page.get_by_test_id("outliers").get_by_role("button", name=str(ODD)).click()
    expect(page.get_by_test_id("step")).to_have_text(str(ODD))
    expect(verdict).to_contain_text("Yes: loss 5.00, where the steps around it lead one to expect 2.5")
    expect(page.get_by_test_id("farthest").get_by_role("button").first).to_be_visible()
