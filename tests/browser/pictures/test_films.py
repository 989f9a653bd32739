"""Films of steps: as a video, as pictures where there are no videos, and what makes none."""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.application import Application
from tests.browser.pages import wait_for
from tests.browser.pictures.picture_files import SIZE, STEPS, saved

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

NO_VIDEOS = "delete window.VideoEncoder;"
NO_WEBP = """
const save = HTMLCanvasElement.prototype.toBlob;
HTMLCanvasElement.prototype.toBlob = function (done) { return save.call(this, done, "image/png"); };
"""
FRAMES = """async (text) => {
  const data = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const decoder = new ImageDecoder({ data, type: "image/png" });
  await decoder.tracks.ready;
  const frames = [];
  for (let frameIndex = 0; frameIndex < decoder.tracks.selectedTrack.frameCount; frameIndex++) {
    const { image } = await decoder.decode({ frameIndex });
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [320, 180];
    const pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0, 320, 180);
    frames.push({ width: image.displayWidth, height: image.displayHeight, lasting: image.duration / 1e3,
      pixels: Array.from(pen.getImageData(0, 0, 320, 180).data) });
    image.close();
  }
  return { frames, repeats: decoder.tracks.selectedTrack.repetitionCount };
}"""
"""The frames of an animated picture as the browser's own decoder returns them, scaled down."""


def without_videos(recorded: Application, viewer: BrowserContext, script: str, more: str = "") -> Page:
    """Open the film panel on a page that ran `script` first."""
    page = viewer.new_page()
    page.add_init_script(script)
    page.goto(f"{recorded.url}/?run=mine&panel=export{more}")
    wait_for(page, f"window.__lamplighter?.shown && __lamplighter.beat?.step === {STEPS}")
    for name, value in (("from", "2"), ("to", "6"), ("every", "1")):
        page.get_by_test_id(f"film-{name}").fill(value)
    return page


def test_a_film_of_five_steps_decodes_and_shows_each(city: Page, tmp_path: Path):
    for name, value in (("from", "2"), ("to", "6"), ("every", "1")):
        city.get_by_test_id(f"film-{name}").fill(value)
    city.get_by_test_id("film-light").select_option(index=1)
    expect(city.get_by_test_id("film-said")).to_contain_text("5 steps shown, 12.0 s")
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


def test_where_there_are_no_videos_a_film_is_made_of_pictures(
    recorded: Application, viewer: BrowserContext, tmp_path: Path
):
    page = without_videos(recorded, viewer, NO_VIDEOS)
    page.get_by_test_id("film-light").select_option(index=1)
    page.get_by_test_id("film-make").click()
    video = page.get_by_test_id("film")
    expect(video).to_have_js_property("readyState", 4, timeout=60_000)
    seen = video.evaluate(FILM)
    assert (seen["width"], seen["height"]) == (1280, 720)
    assert 11.8 < seen["duration"] < 12.2
    assert min(seen["changes"][:4]) > 3 * max(1, seen["changes"][4])
    path = saved(page, lambda: page.get_by_test_id("film-save").click(), tmp_path)
    assert path.name.endswith("-steps-2-6.webm")
    page.close()


def test_and_where_there_is_no_webp_it_is_an_animated_png(
    recorded: Application, viewer: BrowserContext, tmp_path: Path
):
    page = without_videos(recorded, viewer, NO_VIDEOS + NO_WEBP)
    page.get_by_test_id("film-make").click()
    expect(page.get_by_test_id("film")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("animated picture (APNG)")).to_be_visible()
    path = saved(page, lambda: page.get_by_test_id("film-save").click(), tmp_path)
    assert path.name.endswith("-steps-2-6.png")
    decoded = page.evaluate(FRAMES, base64.b64encode(path.read_bytes()).decode())
    frames = decoded["frames"]
    assert [(frame["width"], frame["height"]) for frame in frames] == [(1280, 720)] * 5
    # The frames share the seconds of the film but for the last 1.5, for which the last frame stays.
    assert [frame["lasting"] for frame in frames] == pytest.approx([2_100] * 4 + [3_600], abs=45)
    assert decoded["repeats"] in (math.inf, None, -1)
    pixels = [np.array(frame["pixels"], dtype=int).reshape(180, 320, 4) for frame in frames]
    for before, after in pairwise(pixels):
        assert after[..., 3].min() == 255, "no hole in it"
        words, rest = slice(0, 24), slice(24, 150)
        assert np.abs(after[words] - before[words]).max() > 40, "the step it names is another"
        assert np.abs(after[rest] - before[rest]).mean() < 8, "it is the same city"
    chunks = list(png_chunks(path.read_bytes()))
    assert [name for name, _ in chunks].count(b"fcTL") == 5
    numbers = [data[:4] for name, data in chunks if name in (b"fcTL", b"fdAT")]
    assert [int.from_bytes(number) for number in numbers] == list(range(len(numbers)))
    page.close()


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Split a PNG into chunks of (name, data); fail on a wrong checksum."""
    at = 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4])
        name, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert zlib.crc32(name + content) == int.from_bytes(data[at + 8 + size : at + 12 + size])
        yield name, content
        at += 12 + size
    assert at == len(data)


@pytest.mark.parametrize(
    ("by", "word"),
    [("since", "in this step"), ("gradient", "Colour: last gradient"), ("moved", "did not move")],
)
def test_a_film_takes_the_colouring_of_the_map(
    recorded: Application, viewer: BrowserContext, by: str, word: str
):
    """The test reads the film's text where it is drawn: on the canvases."""
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
    page = without_videos(recorded, viewer, NO_VIDEOS + NO_WEBP + listen % SIZE, f"&colour={by}")
    expect(page.get_by_test_id("film-colour").locator("option:checked")).to_have_text(
        {"since": "last read", "gradient": "last gradient", "moved": "distance moved"}[by]
    )
    # Where nothing else is asked for, it begins with the first map: before the first step.
    page.get_by_test_id("film-from").fill("")
    expect(page.get_by_test_id("film-said")).to_contain_text("7 steps shown")
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


def test_what_makes_no_film_is_said_and_one_can_be_cancelled(city: Page):
    city.get_by_test_id("film-from").fill("9")
    city.get_by_test_id("film-to").fill("5")
    expect(city.get_by_test_id("film-said")).to_contain_text("first not after the last")
    expect(city.get_by_test_id("film-make")).to_be_disabled()
    for name, wrong in (("from", "-1"), ("every", "0")):
        city.get_by_test_id(f"film-{name}").fill(wrong)
        expect(city.get_by_test_id("film-said")).to_contain_text(f"Steps go from 0 to {STEPS}")
        city.get_by_test_id(f"film-{name}").fill("1")
    city.get_by_test_id("film-from").fill("1")
    city.get_by_test_id("film-make").click()
    city.get_by_test_id("film-cancel").click()
    expect(city.get_by_test_id("film-make")).to_be_enabled()
    expect(city.get_by_test_id("film")).to_have_count(0)
