"""Pictures of the map as files: their size, their light and their text, hostile tokens included."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.application import Application
from tests.browser.pages import wait_for
from tests.browser.pictures.picture_files import HOSTILE, SIZE, STEPS, SVG, measure_image, saved

pytestmark = [pytest.mark.browser, pytest.mark.tour]


def test_a_png_is_as_large_as_said_and_lit(city: Page, viewer: BrowserContext, tmp_path: Path):
    expect(city.get_by_test_id("picture-size")).to_have_value("projector")
    # Take the size from the label canvas: the lamps' own canvas is smaller where drawing is slow.
    canvas = "(({ width, height }) => [width, height])(document.querySelector('.city .names'))"
    before = city.evaluate(canvas)
    path = saved(city, lambda: city.get_by_test_id("save-png").click(), tmp_path)
    assert path.name == f"lamplighter-mine-step-{STEPS}-1920x1080.png"
    expect(city.get_by_test_id("picture-news")).to_contain_text(path.name)
    seen = measure_image(viewer, path, "image/png")
    assert (seen["width"], seen["height"]) == (1920, 1080)
    assert seen["bright"] > 500
    assert city.evaluate(canvas) == before, "the city on the screen was touched"
    city.get_by_test_id("picture-size").select_option("square")
    city.get_by_test_id("tab-export").focus()
    path = saved(city, lambda: city.keyboard.press("s"), tmp_path)
    assert path.name.endswith("-1440x1440.png")
    assert measure_image(viewer, path, "image/png")["height"] == 1440


def test_an_svg_holds_lamps_contours_and_words_and_hostile_ones_are_text(
    city: Page, viewer: BrowserContext, tmp_path: Path
):
    city.get_by_test_id("picture-size").select_option("screen")
    path = saved(city, lambda: city.get_by_test_id("save-svg").click(), tmp_path)
    assert path.name == f"lamplighter-mine-step-{STEPS}-1280x720.svg"
    root = ElementTree.fromstring(path.read_text("utf-8"))
    assert (root.get("width"), root.get("height")) == ("1280", "720")
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags == {
        "svg",
        "title",
        "desc",
        "defs",
        "style",
        "radialGradient",
        "stop",
        "rect",
        "g",
        "path",
        "circle",
        "text",
    }
    assert {
        name for e in root.iter() for name in e.attrib if name.startswith("on") or "href" in name
    } == set()

    def part(name: str) -> ElementTree.Element:
        found = root.find(f"{SVG}g[@id='{name}']")
        assert found is not None
        return found

    lit, asleep = (len(list(part(name).iter(f"{SVG}circle"))) for name in ("lit", "asleep"))
    assert lit == len(HOSTILE) + 1
    assert lit + asleep == SIZE
    assert len(list(part("land").iter(f"{SVG}path"))) > 10
    words = {text.text for text in part("names").iter(f"{SVG}text")}
    assert words & {HOSTILE[0], HOSTILE[1], HOSTILE[2]}
    assert not any("\u202e" in word or "\x07" in word or len(word) > 48 for word in words if word)
    said = " ".join(text.text or "" for text in part("caption").iter(f"{SVG}text"))
    assert f"step {STEPS}" in said
    assert f"{lit} of {SIZE} words" in said
    assert "surprise 0.250 (loss, nats per word)" in said
    assert measure_image(viewer, path, "image/svg+xml")["bright"] > 200


def test_without_webgl_the_picture_is_made_of_the_svg(
    recorded: Application, viewer: BrowserContext, tmp_path: Path
):
    page = viewer.new_page()
    page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...more) {"
        "  return kind === 'webgl2' ? null : get.call(this, kind, ...more); };"
    )
    page.goto(f"{recorded.url}/?run=mine&panel=export")
    wait_for(page, f"window.__lamplighter?.shown && __lamplighter.beat?.step === {STEPS}")
    path = saved(page, lambda: page.get_by_test_id("save-png").click(), tmp_path)
    seen = measure_image(viewer, path, "image/png")
    assert (seen["width"], seen["height"]) == (1920, 1080)
    assert seen["bright"] > 500
    page.close()
