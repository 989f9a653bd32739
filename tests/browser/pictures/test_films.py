"""Films of steps, and what prevents them."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.pages import wait_for
from tests.browser.pictures.picture_files import SIZE, STEPS, saved
from tests.support.application import Application

pytestmark = [pytest.mark.browser, pytest.mark.tour]

FILM = """async (video) => {
  const at = async (seconds) => {
    const sought = new Promise((done) => (video.onseeked = done));
    video.currentTime = seconds;
    await sought;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [160, 90];
    const pen = canvas.getContext("2d");
    // The step and its loss, which follow the name of the run, and the whole.
    pen.drawImage(video, -140, -44);
    const words = Array.from(pen.getImageData(0, 0, 160, 30).data);
    pen.drawImage(video, 0, 0, 160, 90);
    const data = pen.getImageData(0, 0, 160, 90).data;
    return { words, light: data.reduce((sum, value) => sum + value, 0) / data.length };
  };
  const frames = [];
  for (const seconds of [1.2, 3.3, 5.4, 7.5, 9.6, 11.6]) frames.push(await at(seconds));
  const unlike = (a, b) => a.words.filter((value, i) => Math.abs(value - b.words[i]) > 40).length;
  return {
    width: video.videoWidth, height: video.videoHeight, duration: video.duration,
    changes: frames.slice(1).map((frame, i) => unlike(frame, frames[i])),
    light: frames.map(({ light }) => light),
  };
}"""


def test_a_film_of_five_steps_decodes_and_shows_each(city: Page, tmp_path: Path):
    for name, value in (("from", "2"), ("to", "6"), ("every", "1")):
        city.get_by_test_id(f"film-{name}").fill(value)
    city.get_by_test_id("film-light").select_option(index=1)
    expect(city.get_by_test_id("film-said")).to_contain_text("12 s, 5 frames")
    city.get_by_test_id("film-make").focus()
    city.keyboard.press("Enter")
    expect(city.get_by_test_id("film-cancel")).to_be_visible()
    video = city.get_by_test_id("film")
    expect(video).to_be_visible(timeout=60_000)
    expect(video).to_have_js_property("readyState", 4, timeout=10_000)
    seen = video.evaluate(FILM)
    assert (seen["width"], seen["height"]) == (1280, 720)
    assert 11.8 < seen["duration"] < 12.2
    # The caption changes with each step; within a step nothing changes.
    assert min(seen["changes"][:4]) > 3 * max(1, seen["changes"][4])
    assert min(seen["light"]) > 5
    path = saved(city, lambda: city.get_by_test_id("film-save").click(), tmp_path)
    assert path.name == "lamplighter-mine-steps-2-6.webm"
    assert path.read_bytes()[:4] == b"\x1a\x45\xdf\xa3"


def test_without_video_support_a_sentence_says_so(recorded: Application, viewer: BrowserContext):
    page = viewer.new_page()
    page.add_init_script("delete window.VideoEncoder;")
    page.goto(f"{recorded.url}/?run=mine&panel=export")
    expect(page.get_by_text("This browser cannot make videos at this address")).to_be_visible()
    expect(page.get_by_test_id("save-png")).to_be_visible()
    expect(page.get_by_test_id("film-make")).to_have_count(0)
    expect(page.get_by_test_id("film-problem")).to_have_count(0)
    page.close()


@pytest.mark.parametrize(
    ("by", "word"),
    [("since", "in this step"), ("gradient", "Colour: last gradient"), ("moved", "did not move")],
)
def test_a_film_uses_the_colouring_of_the_map(
    recorded: Application, viewer: BrowserContext, by: str, word: str
):
    """The film's text is read where it is drawn: on the canvases."""
    listen = """
    window.written = new Set();
    const write = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...more) {
      written.add(text);
      return write.call(this, text, ...more);
    };
    const upload = WebGL2RenderingContext.prototype.bufferData;
    window.tints = new Set();
    WebGL2RenderingContext.prototype.bufferData = function (target, data, ...more) {
      if (data instanceof Uint8Array && data.length === 4 * %d) tints.add(data.join());
      return upload.call(this, target, data, ...more);
    };
    """
    page = viewer.new_page()
    page.add_init_script(listen % SIZE)
    page.goto(f"{recorded.url}/?run=mine&panel=export&colour={by}")
    wait_for(page, f"window.__lamplighter?.shown && __lamplighter.beat?.step === {STEPS}")
    for name, value in (("to", "6"), ("every", "1")):
        page.get_by_test_id(f"film-{name}").fill(value)
    expect(page.get_by_test_id("film-colour").locator("option:checked")).to_have_text(
        {"since": "last read", "gradient": "last gradient", "moved": "distance moved"}[by]
    )
    page.get_by_test_id("film-light").select_option(index=1)
    # By default it begins with the first map, before the first step.
    expect(page.get_by_test_id("film-said")).to_contain_text("7 frames")
    page.evaluate("written.clear(); tints.clear()")
    page.get_by_test_id("film-make").click()
    expect(page.get_by_test_id("film")).to_be_visible(timeout=60_000)
    written = "  ".join(page.evaluate("[...written]"))
    assert word in written
    assert "step 0  ·" in written
    if by == "moved":
        # Rows of the batches move equally in each step, so those lit in more steps have moved farther.
        assert "moved: from step 0 to 6" in written
        assert page.evaluate("tints.size") >= 2
    page.close()


def test_an_impossible_film_is_reported_and_a_film_can_be_cancelled(city: Page):
    city.get_by_test_id("film-from").fill("9")
    city.get_by_test_id("film-to").fill("5")
    expect(city.get_by_test_id("film-said")).to_contain_text("first not after the last")
    expect(city.get_by_test_id("film-make")).to_be_disabled()
    for name, wrong in (("from", "-1"), ("every", "0")):
        city.get_by_test_id(f"film-{name}").fill(wrong)
        expect(city.get_by_test_id("film-said")).to_contain_text(f"Choose steps from 0 to {STEPS}")
        city.get_by_test_id(f"film-{name}").fill("1")
    city.get_by_test_id("film-from").fill("1")
    city.get_by_test_id("film-make").click()
    city.get_by_test_id("film-cancel").click()
    expect(city.get_by_test_id("film-make")).to_be_enabled()
    expect(city.get_by_test_id("film")).to_have_count(0)
