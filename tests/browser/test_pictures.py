"""Pictures of the map as files: their size, their light and their text, hostile tokens included."""

from __future__ import annotations

import base64
import math
import re
import time
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

import lamplighter
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.wire.layout_frames import Layout, Method
from tests.application import Application
from tests.browser.map_page import write_maps
from tests.browser.pages import open_panel, wait_for
from tests.unit.serving.folders import FakeTrainer, V, make_run

pytestmark = [pytest.mark.browser, pytest.mark.tour]

SIZE, DIM, STEPS = 60, 8, 12
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a&amp;b]]>",
    "\u202ereversed",
    "👩‍🚀🏙",
    "x" * 1_000,
    "bell\x07",
]
SVG = "{http://www.w3.org/2000/svg}"
PIXELS = """async (address) => {
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
  let bright = 0;
  for (let i = 0; i < data.length; i += 4) if (data[i] + data[i + 1] + data[i + 2] > 600) bright++;
  return { width: canvas.width, height: canvas.height, bright };
}"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Record a finished run whose most common tokens are hostile and lit in every step."""
    runs = tmp_path_factory.mktemp("runs")
    choose = np.random.default_rng(5)
    weights = choose.normal(size=(SIZE, DIM)).astype(np.float32)
    tokens = [*HOSTILE, *(f"word{i}" for i in range(SIZE - len(HOSTILE)))]
    with lamplighter.record(
        runs / "mine", tokens, embedding=weights, counts=range(SIZE, 0, -1), keyframe_every=4
    ) as recorder:
        for step in range(1, STEPS + 1):
            ids = np.arange(len(HOSTILE) + 1)
            weights[ids] += np.float32(0.02)
            recorder.step(weights, ids, 3 / step, gradient=np.ones((SIZE, DIM), dtype=np.float32))
    write_maps(runs / "mine" / "layouts.sqlite", SIZE, range(STEPS + 1))
    with Application(runs, "serve", "--no-workers") as app:
        yield app


@pytest.fixture(scope="module")
def viewer(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    yield context
    context.close()


@pytest.fixture(scope="module")
def city(recorded: Application, viewer: BrowserContext) -> Page:
    """Open the export panel beside the map of the finished run."""
    page = viewer.new_page()
    page.goto(f"{recorded.url}/?run=mine&panel=export")
    wait_for(page, f"window.__lamplighter?.beat?.step === {STEPS} && __lamplighter.litPixels() > 0")
    return page


def saved(page: Page, action: Any, folder: Path) -> Path:
    with page.expect_download() as downloading:
        action()
    path = folder / downloading.value.suggested_filename
    downloading.value.save_as(path)
    return path


def measure_image(viewer: BrowserContext, path: Path, kind: str) -> dict[str, int]:
    """Return the width, height and bright pixels of an image, as another page shows it."""
    page = viewer.new_page()
    data = base64.b64encode(path.read_bytes()).decode()
    found = page.evaluate(PIXELS, f"data:{kind};base64,{data}")
    page.close()
    return found


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


WANDERER, STAYING = 7, (1, 2, 3, 4)


@pytest.fixture(scope="module")
def turning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Application, str]]:
    """Make a finished run whose maps rotate as a whole, while one token wanders over them."""
    with Application(tmp_path_factory.mktemp("runs"), "serve", "--no-workers") as server:
        trainer = FakeTrainer(make_run(RunStore(server.runs))).begin().train(30)
        places = np.random.default_rng(3).normal(size=(V, 2)) * (1.6, 1)
        with LayoutsWriter(trainer.run.layouts_path) as writer:
            for step in (10, 15, 20, 25, 30):
                xy = places.copy()
                xy[WANDERER] = (-1 + step / 12, 0.5 * (step % 10 == 0))
                angle = (step - 10) / 25
                turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
                moved = (xy @ turn.T).astype(np.float32)
                trust = np.full(V, 220, dtype=np.uint8)
                for method in (Method.LINEAR, Method.UMAP):
                    writer.commit(Layout(1, step, time.time(), method, moved, 0.9, 0.01, 0.6, V, trust))
        trainer.end()
        yield server, trainer.run.id


TRAIL_ENDS = """(() => {
  const { data, _fullLayout, clientWidth, clientHeight } = document.querySelector('.city .axes');
  if (!_fullLayout) return null;
  const { xaxis, yaxis } = _fullLayout;
  const { x, y } = data.filter(({ mode }) => mode === 'markers').at(-1) ?? {};
  if (!x) return null;
  const [[x0, x1], [y0, y1]] = [xaxis.range, yaxis.range];
  return [((x[0] - x0) / (x1 - x0)) * clientWidth, (1 - (y[0] - y0) / (y1 - y0)) * clientHeight];
})()"""
"""The end of the first trail on the screen, in CSS pixels."""


def open_newest_map(
    viewer: BrowserContext, turning: tuple[Application, str], more: str, *, align: bool
) -> Page:
    """Open the newest step's map by way of the first, at which `align` pins the selected tokens."""
    server, run = turning
    page = viewer.new_page()
    page.emulate_media(reduced_motion="reduce")
    gathered = ",".join(map(str, STAYING))
    page.goto(f"{server.url}/?run={run}&at=10&token={WANDERER}&tokens={gathered}&panel=gathered&over=0{more}")
    wait_for(page, "window.__lamplighter?.shown?.step === 10")
    if align:
        page.get_by_test_id("align").press("Space")
        expect(page.get_by_test_id("aligned")).to_be_visible()
    open_panel(page, "export")
    # The tabs use the End key themselves.
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("End")
    wait_for(page, "__lamplighter.shown.step === 30")
    page.wait_for_timeout(500)
    return page


def test_a_trail_turns_with_the_map_that_stays(viewer: BrowserContext, turning: tuple[Application, str]):
    apart = f"(([x, y], [u, v]) => Math.hypot(x - u, y - v))({TRAIL_ENDS}, __lamplighter.pixelOf({WANDERER}))"
    ends: list[np.ndarray] = []
    for align in (False, True):
        page = open_newest_map(viewer, turning, "&trails=chosen", align=align)
        wait_for(page, f"{TRAIL_ENDS} && {apart} < 2")
        ends.append(np.array(page.evaluate(TRAIL_ENDS)))
        page.close()
    assert np.hypot(*(ends[0] - ends[1])) > 50, "the map was turned, and what is on it"


def test_trails_are_in_pictures(viewer: BrowserContext, turning: tuple[Application, str], tmp_path: Path):
    page = open_newest_map(viewer, turning, "&trails=chosen", align=True)
    wait_for(page, f"{TRAIL_ENDS}")
    page.get_by_test_id("picture-size").select_option("screen")
    svg = saved(page, lambda: page.get_by_test_id("save-svg").click(), tmp_path)
    with_trails = saved(page, lambda: page.get_by_test_id("save-png").click(), tmp_path)
    page.close()
    without = open_newest_map(viewer, turning, "", align=True)
    without.get_by_test_id("picture-size").select_option("screen")
    # Both pictures have the same file name.
    path = saved(without, lambda: without.get_by_test_id("save-png").click(), tmp_path / "without")
    without.close()
    root = ElementTree.fromstring(svg.read_text("utf-8"))
    trails = root.find(f"{SVG}g[@id='trails']")
    assert trails is not None
    paths = [path.get("d") or "" for path in trails.iter(f"{SVG}path")]
    assert len(paths) == 6, "four ages, where they began, where they are"
    # The triangle marks the lamp.
    corners = np.array([[float(n) for n in pair.split()] for pair in re.split("[MLZ]", paths[-1])[1:4]])
    lamps = np.array(
        [
            (float(circle.get("cx", 0)), float(circle.get("cy", 0)))
            for name in ("lit", "asleep")
            for circle in root.find(f"{SVG}g[@id='{name}']").iter(f"{SVG}circle")  # pyright: ignore
        ]
    )
    assert np.hypot(*(lamps - corners.mean(axis=0)).T).min() < 2
    # Along the trail the PNG's pixels now have its colour, and did not before.
    way = np.array([[float(n) for n in pair.split()] for pair in re.split("[ML]", paths[3].split("M")[1])])
    between = np.concatenate([a + np.linspace(0.2, 0.8, 12)[:, None] * (b - a) for a, b in pairwise(way)])
    after, before = (light_at(viewer, path, between) for path in (with_trails, path))
    assert np.mean(after - before > 60) > 0.7, f"brighter by {after - before}"


def light_at(viewer: BrowserContext, path: Path, places: np.ndarray) -> np.ndarray:
    """Return the sum of red, green and blue of an image's pixels at (x, y), as another page shows it."""
    page = viewer.new_page()
    data = base64.b64encode(path.read_bytes()).decode()
    read = PIXELS.replace("async (address)", "async ([address, places])").replace(
        "let bright = 0;",
        "return places.map(([x, y]) => { const at = 4 * (Math.floor(y) * canvas.width + Math.floor(x));"
        " return data[at] + data[at + 1] + data[at + 2]; });",
    )
    values = page.evaluate(read, [f"data:image/png;base64,{data}", places.tolist()])
    page.close()
    return np.array(values, dtype=int)
