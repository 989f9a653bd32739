"""Pictures of the map as files: their size and brightness."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.pages import choose_entry
from tests.browser.pictures.picture_files import STEPS, measure_image, saved

pytestmark = [pytest.mark.browser, pytest.mark.tour]


def test_a_png_has_the_stated_size_and_is_lit(city: Page, viewer: BrowserContext, tmp_path: Path):
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
    path = saved(city, lambda: choose_entry(city, "savePicture"), tmp_path)
    assert path.name.endswith("-1440x1440.png")
    assert measure_image(viewer, path, "image/png")["height"] == 1440
