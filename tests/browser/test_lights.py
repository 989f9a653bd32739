"""The lamps after the graphics context is lost, without its extensions, and without WebGL2."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, expect

from tests.browser.fixtures import FinishedRun
from tests.browser.pages import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.tour]

LIT = "window.__lamplighter?.litPixels?.() > 0"
FINE = "document.querySelector('[data-testid=city]').width === innerWidth"
FINE_AND_LIT = f"{FINE} && __lamplighter.litPixels()"
"""Where drawing is slow, the picture is coarse during motion; pixels are counted only once it is fine."""
CONTEXT = (
    "document.querySelector('[data-testid=city]').getContext('webgl2').getExtension('WEBGL_lose_context')"
)


@pytest.fixture(scope="module")
def city(finished_run: FinishedRun) -> str:
    return finished_run.url_with("")


def calm(chromium: Browser) -> Page:
    return chromium.new_page(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")


def test_a_lost_context_is_reported_and_restored_with_the_same_picture(city: str, chromium: Browser):
    page = calm(chromium)
    page.goto(city)
    wait_for(page, LIT)
    page.wait_for_timeout(600)
    before = wait_for(page, FINE_AND_LIT)
    # Keep the extension object: once collected, it could not restore the context.
    page.evaluate(f"() => {{ window.lost = {CONTEXT}; window.lost.loseContext() }}")
    expect(page.get_by_test_id("map-note")).to_contain_text("come back by themselves")
    assert page.evaluate("__lamplighter.litPixels()") == 0
    page.evaluate("() => window.lost.restoreContext()")
    expect(page.get_by_test_id("map-note")).to_have_count(0)
    wait_for(page, LIT)
    page.wait_for_timeout(300)
    assert wait_for(page, FINE_AND_LIT) == pytest.approx(before, rel=0.02)
    page.close()


def test_without_webgl2_a_sentence_and_a_picture_replace_the_map(city: str, chromium: Browser):
    page = calm(chromium)
    page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...more) {"
        " return kind === 'webgl2' ? null : get.call(this, kind, ...more) };"
    )
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{city}&word=cat")
    note = page.get_by_test_id("map-note")
    expect(note).to_contain_text("no WebGL2")
    wait_for(page, "document.querySelector('[data-testid=map-note] img')?.naturalWidth === 320")
    expect(page.get_by_test_id("token")).to_have_text("cat")
    expect(page.get_by_test_id("neighbours")).to_be_visible()
    assert faults == []
    page.close()


LESS = """
const refused = %s;
const { getExtension, texStorage2D } = WebGL2RenderingContext.prototype;
const { getContext } = HTMLCanvasElement.prototype;
window.formats = new Set();
WebGL2RenderingContext.prototype.getExtension = function (name) {
  return refused.includes(name) ? null : getExtension.call(this, name);
};
WebGL2RenderingContext.prototype.texStorage2D = function (target, levels, format, width, height) {
  if (width > 4) window.formats.add(format);
  return texStorage2D.call(this, target, levels, format, width, height);
};
HTMLCanvasElement.prototype.getContext = function (kind, wishes) {
  return getContext.call(this, kind, { ...wishes, preserveDrawingBuffer: true });
};
"""
"""A context without some extensions, which keeps its picture readable."""
PICTURE = """() => {
  const small = new OffscreenCanvas(320, 180).getContext("2d");
  small.drawImage(document.querySelector("[data-testid=city]"), 0, 0, 320, 180);
  return Array.from(small.getImageData(0, 0, 320, 180).data);
}"""
RGBA8, RGBA32F, RGBA16F = 0x8058, 0x8814, 0x881A


def test_the_picture_is_the_same_in_any_summation_format(city: str, chromium: Browser):
    def drawn(refused: list[str]) -> tuple[list[int], NDArray[np.int64]]:
        page = calm(chromium)
        page.add_init_script(LESS % refused)
        page.goto(city)
        wait_for(page, LIT)
        page.wait_for_timeout(600)
        wait_for(page, FINE)
        formats = page.evaluate("[...window.formats]")
        picture = np.array(page.evaluate(PICTURE)).reshape(180, 320, 4)
        page.close()
        return formats, picture

    # The CPU draws here, and 32-bit floats are fastest for it.
    formats, full = drawn([])
    # `litPixels` reads a picture of bytes.
    assert set(formats) == {RGBA32F, RGBA8}
    assert full[..., :3].max() > 150, "nothing is lit"
    formats, half = drawn(["EXT_float_blend"])
    assert set(formats) == {RGBA16F, RGBA8}
    assert np.abs(half - full).max() <= 4
    formats, in_bytes = drawn(["EXT_color_buffer_float", "EXT_color_buffer_half_float"])
    assert set(formats) == {RGBA8}
    # Byte heights shift contour lines a little, and summed light saturates at 1.
    assert np.abs(in_bytes - full).mean() < 1.5
