"""The skyline in the browser: what its heights say, who is chosen, and that the camera stays the viewer's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from lamplighter.runfolder.shelf import Shelf
from tests.application import Application
from tests.browser.cities import draw
from tests.browser.pages import wait_for
from tests.unit.serving.folders import TOKENS, FakeTrainer, V, make_run

pytestmark = [pytest.mark.browser, pytest.mark.tour]

PICTURES = "Number(document.querySelector('[data-pictures]')?.dataset.pictures ?? 0)"
AXIS = "document.querySelector('.skyline .js-plotly-plot, .skyline .figure').layout.scene.zaxis.title.text"
CAMERA = "JSON.stringify(document.querySelector('.skyline .figure')._fullLayout.scene._scene.getCamera().eye)"
HIGH = "document.querySelector('.skyline .figure').data[2].z"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    with Application(tmp_path_factory.mktemp("runs"), "serve", "--no-workers") as started:
        yield started


@pytest.fixture(scope="module")
def run(house: Application) -> FakeTrainer:
    trainer = FakeTrainer(make_run(Shelf(house.runs))).begin().train(30)
    draw(trainer.run.layouts_path, V, (10, 30), ("animals", "marks"))
    trainer.end()
    return trainer


@pytest.fixture(scope="module")
def page(house: Application, run: FakeTrainer, chromium: Browser) -> Iterator[Page]:
    """The skyline of a finished run; fails if the page itself complains, of its policy too."""
    opened = chromium.new_page(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    opened.goto(f"{house.url}/?run={run.run.id}&map=skyline&folded=1")
    wait_for(opened, f"{PICTURES} > 0")
    yield opened
    opened.close()
    assert not faults


def test_columns_are_as_high_as_what_is_known(page: Page, run: FakeTrainer) -> None:
    expect(page.get_by_test_id("map-skyline")).to_have_attribute("aria-checked", "true")
    expect(page.get_by_test_id("skyline-about")).to_contain_text("number of batches")
    expect(page.get_by_test_id("skyline-about")).to_contain_text(f"Step 30. All {V} tokens.")
    assert page.evaluate(AXIS) == "times lit (batches)"
    # Heights are decades.
    lit = sorted(round(10**z - 1) for z in page.evaluate(HIGH))
    assert lit == sorted(int(times) for times in run.touches)
    page.get_by_test_id("height").select_option("norm")
    wait_for(page, f"{AXIS}.startsWith('length')")
    norms = sorted(float((row**2).sum() ** 0.5) for row in run.matrices[30])
    assert sorted(page.evaluate(HIGH)) == pytest.approx(norms, rel=1e-4)
    wait_for(page, "location.search.includes('height=norm')")
    page.get_by_test_id("height").select_option("gradient")
    expect(page.get_by_test_id("skyline-about")).to_contain_text("Of no token is it known yet.")


def test_arrow_keys_turn_it_and_a_new_picture_keeps_the_camera(page: Page) -> None:
    before = page.evaluate(CAMERA)
    page.get_by_test_id("skyline").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "+"):
        page.keyboard.press(key)
    wait_for(page, f"{CAMERA} !== {before!r}")
    page.wait_for_timeout(200)
    turned, pictures = page.evaluate(CAMERA), page.evaluate(PICTURES)
    page.get_by_test_id("height").select_option("frequency")
    wait_for(page, f"{PICTURES} > {pictures}")
    assert page.evaluate(CAMERA) == turned
    page.get_by_test_id("height").press("Tab")
    page.keyboard.press("h")
    wait_for(page, f"{CAMERA} !== {turned!r}")


def test_a_column_is_named_under_the_pointer_and_chosen_by_a_click(page: Page) -> None:
    # The highest is named; its top is a little below its name.
    name = page.locator(".skyline .annotation-text").first
    expect(name).to_be_visible()
    text = name.text_content() or ""
    assert text in TOKENS
    box = name.bounding_box()
    assert box
    card = page.get_by_test_id("skyline-card")
    for down in range(12, 40, 3):
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 + down)
        page.wait_for_timeout(120)
        if card.count():
            break
    pointed = card.locator("strong").text_content()
    assert pointed in TOKENS
    page.mouse.down()
    page.mouse.up()
    wait_for(page, f"location.search.includes('token={TOKENS.index(pointed)}')")


def test_three_leads_there_and_back(page: Page) -> None:
    page.mouse.click(640, 20)
    page.keyboard.press("3")
    wait_for(page, "!document.querySelector('.skyline')")
    wait_for(page, "!location.search.includes('skyline')")
    expect(page.get_by_test_id("city")).to_be_visible()
    page.keyboard.press("3")
    wait_for(page, f"{PICTURES} > 0")


def test_without_webgl_the_flat_map_is_shown_and_it_is_said(
    house: Application, run: FakeTrainer, chromium: Browser
) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...more) {"
        " return kind === 'webgl' ? null : get.call(this, kind, ...more); };"
    )
    page.goto(f"{house.url}/?run={run.run.id}&map=skyline")
    expect(page.get_by_test_id("no-skyline")).to_be_visible()
    wait_for(page, "window.__lamplighter?.shown?.method === 'umap'")
    assert page.locator(".skyline").count() == 0
    page.close()
