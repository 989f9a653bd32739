"""The skyline in the browser: the meaning of its heights, selection, and the viewer's camera."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from lamplighter.runfolder.run_store import RunStore
from tests.application import Application
from tests.browser.map_page import write_maps
from tests.browser.pages import close_menu, open_view, wait_for
from tests.unit.serving.folders import TOKENS, FakeTrainer, V, make_run

pytestmark = [pytest.mark.browser, pytest.mark.tour]

PICTURES = "Number(document.querySelector('[data-pictures]')?.dataset.pictures ?? 0)"
AXIS = "document.querySelector('.skyline .js-plotly-plot, .skyline .figure').layout.scene.zaxis.title.text"
CAMERA = "JSON.stringify(document.querySelector('.skyline .figure')._fullLayout.scene._scene.getCamera().eye)"
VIEWED = "document.querySelector('.skyline .figure')._fullLayout.scene._scene.getCamera()"
HIGH = "document.querySelector('.skyline .figure').data[2].z"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    with Application(tmp_path_factory.mktemp("runs"), "serve", "--no-workers") as started:
        yield started


@pytest.fixture(scope="module")
def run(server: Application) -> FakeTrainer:
    trainer = FakeTrainer(make_run(RunStore(server.runs))).begin().train(30)
    write_maps(trainer.run.layouts_path, V, (10, 30), ("animals", "marks"))
    trainer.end()
    return trainer


@pytest.fixture(scope="module")
def page(server: Application, run: FakeTrainer, chromium: Browser) -> Iterator[Page]:
    """Open the skyline of a finished run; fail if the page reports an error or violates its policy."""
    opened = chromium.new_page(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    opened.goto(f"{server.url}/?run={run.run.id}&map=skyline&folded=1")
    wait_for(opened, f"{PICTURES} > 0")
    yield opened
    opened.close()
    assert not faults


def test_columns_are_as_high_as_what_is_known(page: Page, run: FakeTrainer) -> None:
    open_view(page)
    expect(page.get_by_test_id("map-skyline")).to_have_attribute("aria-checked", "true")
    close_menu(page)
    expect(page.get_by_test_id("skyline-about")).to_contain_text("number of batches")
    expect(page.get_by_test_id("skyline-about")).to_contain_text(f"Step 30. All {V} words.")
    assert page.evaluate(AXIS) == "times read (batches)"
    # The height axis is logarithmic, in decades.
    lit = sorted(round(10**z - 1) for z in page.evaluate(HIGH))
    assert lit == sorted(int(times) for times in run.touches)
    page.get_by_test_id("height").select_option("norm")
    wait_for(page, f"{AXIS}.startsWith('length')")
    norms = sorted(float((row**2).sum() ** 0.5) for row in run.matrices[30])
    assert sorted(page.evaluate(HIGH)) == pytest.approx(norms, rel=1e-4)
    wait_for(page, "location.search.includes('height=norm')")
    page.get_by_test_id("height").select_option("gradient")
    # It is known of rows that the step shown has lit, though this page did not see it trained.
    expect(page.get_by_test_id("skyline-about")).to_contain_text(re.compile(r"For \d+ it is not known"))


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


def tilt_of(page: Page) -> float:
    """Return the angle in degrees at which the camera looks down, from the horizon."""
    camera = page.evaluate(VIEWED)
    dx, dy, dz = (camera["eye"][axis] - camera["center"][axis] for axis in "xyz")
    return math.degrees(math.atan2(dz, math.hypot(dx, dy)))


def test_a_mouse_tilts_it_and_never_takes_it_beneath_the_ground(page: Page) -> None:
    page.keyboard.press("h")
    page.wait_for_timeout(300)
    home = tilt_of(page)
    page.mouse.move(640, 400)
    page.mouse.down()
    page.mouse.move(640, 380)
    page.wait_for_timeout(300)
    assert 5 <= tilt_of(page) < home, "20 pixels up are a small tilt"
    for way, end in ((-120, 5), (120, 85)):
        for move in range(1, 4):
            page.mouse.move(640 + move, 380 + way * move)
            assert 4.9 <= tilt_of(page) <= 85.1
        page.wait_for_timeout(200)
        assert tilt_of(page) == pytest.approx(end, abs=0.1)
        page.mouse.move(640, 380)
    page.mouse.up()
    page.wait_for_timeout(400)
    assert 4.9 <= tilt_of(page) <= 85.1
    page.keyboard.press("h")
    page.wait_for_timeout(300)
    assert tilt_of(page) == pytest.approx(home, abs=0.1)
    before = page.evaluate(CAMERA)
    page.mouse.wheel(0, -300)
    wait_for(page, f"{CAMERA} !== {before!r}")
    assert tilt_of(page) == pytest.approx(home, abs=0.1)
    page.keyboard.press("h")
    page.mouse.move(10, 10)


def test_a_column_is_named_under_the_pointer_and_chosen_by_a_click(page: Page) -> None:
    # Wait until the camera rests: labels are redrawn while it turns.
    page.wait_for_timeout(600)
    # The highest column is labelled; its top is a little below the label.
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
    wait_for(page, f"new URLSearchParams(location.search).get('word') === '{pointed}'")


def test_three_leads_there_and_back(page: Page) -> None:
    page.mouse.click(640, 20)
    page.keyboard.press("3")
    wait_for(page, "!document.querySelector('.skyline')")
    wait_for(page, "!location.search.includes('skyline')")
    expect(page.get_by_test_id("city")).to_be_visible()
    page.keyboard.press("3")
    wait_for(page, f"{PICTURES} > 0")


def test_without_webgl_the_flat_map_is_shown_and_it_is_said(
    server: Application, run: FakeTrainer, chromium: Browser
) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...more) {"
        " return kind === 'webgl' ? null : get.call(this, kind, ...more); };"
    )
    page.goto(f"{server.url}/?run={run.run.id}&map=skyline")
    expect(page.get_by_test_id("no-skyline")).to_be_visible()
    wait_for(page, "window.__lamplighter?.shown?.method === 'umap'")
    assert page.locator(".skyline").count() == 0
    page.close()


@dataclass
class TouchScreen:
    """Fingers on a phone's screen."""

    page: Page
    session: CDPSession

    def touch(self, kind: str, *points: tuple[float, float]) -> None:
        self.session.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]},
        )

    def drag(self, *ways: tuple[tuple[float, float], tuple[float, float]], turns: int = 6) -> None:
        """Move every finger from its start to its end."""
        self.touch("touchStart", *(start for start, _ in ways))
        for turn in range(1, turns + 1):
            part = turn / turns
            self.touch("touchMove", *((x + part * (u - x), y + part * (v - y)) for (x, y), (u, v) in ways))
            self.page.wait_for_timeout(60)
        self.touch("touchEnd")
        self.page.wait_for_timeout(600)


@pytest.fixture(scope="module")
def phone(server: Application, run: FakeTrainer, chromium: Browser) -> Iterator[TouchScreen]:
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(f"{server.url}/?run={run.run.id}&map=skyline&folded=1")
    wait_for(page, f"{PICTURES} > 0")
    page.wait_for_timeout(1_000)
    yield TouchScreen(page, context.new_cdp_session(page))
    context.close()


def seen_from(page: Page) -> tuple[float, float, float, tuple[float, float]]:
    """Return the camera's angle around the map in degrees, its height, distance and target (x, y)."""
    camera = page.evaluate(VIEWED)
    eye, center = camera["eye"], camera["center"]
    dx, dy, dz = (eye[axis] - center[axis] for axis in "xyz")
    return (
        math.degrees(math.atan2(dy, dx)),
        dz,
        math.hypot(dx, dy, dz),
        (center["x"], center["y"]),
    )


def test_one_finger_turns_the_skyline(phone: TouchScreen) -> None:
    angle, height, far, middle = seen_from(phone.page)
    phone.drag(((250, 420), (120, 420)))
    turned, same, still_far, same_middle = seen_from(phone.page)
    # The map follows the finger to the left, so the camera turns anticlockwise.
    assert turned - angle == pytest.approx(180 * 130 / 390, abs=8)
    assert (same, still_far, same_middle) == (
        pytest.approx(height, abs=0.02),
        pytest.approx(far, abs=0.01),
        pytest.approx(middle, abs=0.01),
    )
    phone.drag(((200, 400), (200, 480)))
    _, higher, _, _ = seen_from(phone.page)
    assert higher > height + 0.1, "pulled down, it is seen from higher up"


def test_two_fingers_come_closer_and_shift_it(phone: TouchScreen) -> None:
    angle, _, far, middle = seen_from(phone.page)
    phone.drag(((160, 420), (100, 420)), ((230, 420), (290, 420)))
    same, _, closer, _ = seen_from(phone.page)
    assert closer < 0.6 * far
    assert same == pytest.approx(angle, abs=0.5), "two fingers do not turn it"
    phone.drag(((160, 420), (110, 420)), ((230, 420), (180, 420)))
    same, _, as_far, shifted = seen_from(phone.page)
    assert as_far == pytest.approx(closer, rel=0.02)
    assert same == pytest.approx(angle, abs=0.5)
    assert math.dist(shifted, middle) > 0.05
    assert "word=" not in phone.page.evaluate("location.search"), "no finger tapped"


def test_a_tap_looks_at_a_column(phone: TouchScreen) -> None:
    page = phone.page
    page.goto(page.url + "&height=norm")
    wait_for(page, f"{PICTURES} > 0")
    page.wait_for_timeout(1_500)
    name = page.locator(".skyline .annotation-text").first
    box = name.bounding_box()
    assert box
    for down in range(10, 40, 4):
        phone.touch("touchStart", (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 + down))
        phone.touch("touchEnd")
        page.wait_for_timeout(900)
        if "word=" in page.evaluate("location.search"):
            break
    expect(page.get_by_test_id("skyline")).to_be_visible()
    chosen = page.evaluate("new URLSearchParams(location.search).get('word')")
    assert chosen == name.text_content()


def test_of_a_run_that_goes_on_it_is_drawn_at_a_calm_pace(server: Application, chromium: Browser) -> None:
    trainer = FakeTrainer(make_run(RunStore(server.runs))).begin().train(20)
    write_maps(trainer.run.layouts_path, V, (10, 20))
    page = chromium.new_page(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
    page.goto(f"{server.url}/?run={trainer.run.id}&map=skyline&folded=1")
    wait_for(page, f"{PICTURES} > 0")
    before, sum_before = page.evaluate(PICTURES), sum(page.evaluate(HIGH))
    for _ in range(45):
        trainer.train(1)
        page.wait_for_timeout(200)
    wait_for(page, f"{HIGH}.reduce((sum, z) => sum + z, 0) > {sum_before} + 0.1")
    # A picture for many steps, not one for each.
    assert 1 <= page.evaluate(PICTURES) - before <= 15
    trainer.end()
    page.close()
