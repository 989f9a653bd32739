"""Pictures of the city as files: their size, their light, their words, and hostile ones among these."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

import lamplighter
from tests.application import Application
from tests.browser.pages import wait_for

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
    """A finished run whose most common tokens are hostile; every step lights them."""
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
    with Application(runs, "serve") as app:
        yield app


@pytest.fixture(scope="module")
def viewer(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    yield context
    context.close()


@pytest.fixture(scope="module")
def city(recorded: Application, viewer: BrowserContext) -> Page:
    """The panel beside the city of the finished run."""
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


def looked_at(viewer: BrowserContext, path: Path, kind: str) -> dict[str, int]:
    """Width, height and bright pixels of an image, as another page shows it."""
    page = viewer.new_page()
    data = base64.b64encode(path.read_bytes()).decode()
    found = page.evaluate(PIXELS, f"data:{kind};base64,{data}")
    page.close()
    return found


def test_a_png_is_as_large_as_said_and_lit(city: Page, viewer: BrowserContext, tmp_path: Path):
    expect(city.get_by_test_id("picture-size")).to_have_value("projector")
    canvas = (
        "(() => { const c = document.querySelector('[data-testid=city]'); return [c.width, c.height]; })()"
    )
    before = city.evaluate(canvas)
    path = saved(city, lambda: city.get_by_test_id("save-png").click(), tmp_path)
    assert path.name == f"lamplighter-mine-step-{STEPS}-1920x1080.png"
    expect(city.get_by_test_id("picture-news")).to_contain_text(path.name)
    seen = looked_at(viewer, path, "image/png")
    assert (seen["width"], seen["height"]) == (1920, 1080)
    assert seen["bright"] > 500
    assert city.evaluate(canvas) == before, "the city on the screen was touched"
    city.get_by_test_id("picture-size").select_option("square")
    city.get_by_test_id("tab-export").focus()
    path = saved(city, lambda: city.keyboard.press("s"), tmp_path)
    assert path.name.endswith("-1440x1440.png")
    assert looked_at(viewer, path, "image/png")["height"] == 1440


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
    assert f"{lit} of {SIZE} rows lit" in said
    assert "loss 0.250 nats a token" in said
    assert looked_at(viewer, path, "image/svg+xml")["bright"] > 200


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
    seen = looked_at(viewer, path, "image/png")
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
    // The line with the step in it, and the whole.
    pen.drawImage(video, -20, -44);
    const words = Array.from(pen.getImageData(0, 0, 160, 30).data);
    pen.drawImage(video, 0, 0, 160, 90);
    const data = pen.getImageData(0, 0, 160, 90).data;
    return { words, light: data.reduce((sum, value) => sum + value, 0) / data.length };
  };
  const frames = [];
  for (const seconds of [0.3, 0.8, 1.3, 1.8, 2.3, 2.4]) frames.push(await at(seconds));
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
    expect(city.get_by_test_id("film-length")).to_contain_text("5 steps shown, 4.0 s")
    city.get_by_test_id("film-make").focus()
    city.keyboard.press("Enter")
    expect(city.get_by_test_id("film-cancel")).to_be_visible()
    video = city.get_by_test_id("film")
    expect(video).to_be_visible(timeout=60_000)
    expect(video).to_have_js_property("readyState", 4, timeout=10_000)
    seen = video.evaluate(FILM)
    assert (seen["width"], seen["height"]) == (1280, 720)
    assert 3.8 < seen["duration"] < 4.2
    # Each step has words of its own, and within a step nothing changes.
    assert min(seen["changes"][:4]) > 3 * max(1, seen["changes"][4])
    assert min(seen["light"]) > 5
    path = saved(city, lambda: city.get_by_test_id("film-save").click(), tmp_path)
    assert path.name == "lamplighter-mine-steps-2-6.webm"
    assert path.read_bytes()[:4] == b"\x1a\x45\xdf\xa3"


def test_what_makes_no_film_is_said_and_one_can_be_cancelled(city: Page):
    city.get_by_test_id("film-from").fill("9")
    expect(city.get_by_test_id("film-length")).to_contain_text("must not be after")
    expect(city.get_by_test_id("film-make")).to_be_disabled()
    city.get_by_test_id("film-from").fill("1")
    city.get_by_test_id("film-make").click()
    city.get_by_test_id("film-cancel").click()
    expect(city.get_by_test_id("film-make")).to_be_enabled()
    expect(city.get_by_test_id("film")).to_have_count(0)
