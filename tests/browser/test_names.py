"""No area of a map has a name before clusters of the space have one, at any displayed step."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from lamplighter.runfolder.run_store import RunStore
from tests.browser.fixtures import ELSEWHERE_ON_TOUR, LAST, FinishedRun, served_from
from tests.browser.map_page import write_maps
from tests.browser.pages import wait_for
from tests.support.folders import FakeTrainer, V, make_run

pytestmark = pytest.mark.browser

FIRST_FOUND = 60
"""The step at which districts are first found, all of them planted classes."""
ANIMALS = (1, 2, 3, 5)
"""The tokens of the class "animals"."""
SPY = """
window.written = [];
const note = ({ canvas }, text) => {
  const beside = canvas.closest("[data-testid=beside]");
  written.push([canvas.isConnected ? (beside ? "second" : "first") : "film", text]);
};
const [map, bitmap] = [CanvasRenderingContext2D.prototype, OffscreenCanvasRenderingContext2D.prototype];
const { fillText, drawImage } = map;
map.fillText = function (text, ...more) {
  note(this, text);
  return fillText.call(this, text, ...more);
};
const writeBitmap = bitmap.fillText;
bitmap.fillText = function (text, ...more) {
  this.canvas.writtenText = text;
  return writeBitmap.call(this, text, ...more);
};
const finish = OffscreenCanvas.prototype.transferToImageBitmap;
OffscreenCanvas.prototype.transferToImageBitmap = function () {
  return Object.assign(finish.call(this), { writtenText: this.writtenText });
};
map.drawImage = function (image, ...more) {
  if (image.writtenText) note(this, image.writtenText);
  return drawImage.call(this, image, ...more);
};
"""
"""Notes each drawn text, direct or as its bitmap, with its place: on the first map, on the second, or in a
film or picture.
"""
WATCH = """() => {
  window.frames_ = [];
  const free = (name) => document.querySelector(name).getBoundingClientRect();
  const watch = () => {
    const { shown, texts } = __lamplighter;
    const [top, bottom] = [free("main > .top").bottom, free("main > .bottom").top];
    const places = Array.from({ length: %d }, (_, id) => __lamplighter.pixelOf(id));
    const outside = places.filter(([x, y]) => x < 0 || x > innerWidth || y < top || y > bottom);
    const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    const over = texts.filter((a, i) => texts.slice(i + 1).some((b) => meet(a, b)));
    const names = texts.map(({ text }) => text).filter((text) => /animals|marks/i.test(text));
    if (shown) frames_.push({ step: shown.step, names, outside: outside.length, over: over.length });
    requestAnimationFrame(watch);
  };
  watch();
}"""
"""Notes for each frame the map's step, the classes named on it, the lamps outside, and overlapping texts."""


@pytest.fixture(scope="module", params=ELSEWHERE_ON_TOUR)
def learned(
    request: pytest.FixtureRequest, recorded: FinishedRun, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FinishedRun]:
    with served_from(request.param, recorded, tmp_path_factory.mktemp("packed")) as served:
        yield served


@pytest.fixture(scope="module")
def recorded(finished_run: FinishedRun) -> FinishedRun:
    server = finished_run.server
    trainer = FakeTrainer(make_run(RunStore(server.runs), steps=LAST)).begin().train(LAST)
    write_maps(trainer.run.layouts_path, V, range(0, FIRST_FOUND, 10))
    write_maps(trainer.run.layouts_path, V, range(FIRST_FOUND, LAST + 1, 10), ("animals", "marks"))
    trainer.end()
    return FinishedRun(server, trainer.run.id)


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    opened = chromium.new_page(viewport={"width": 1280, "height": 720})
    opened.add_init_script(SPY)
    yield opened
    opened.close()


def names_on(page: Page, where: str) -> set[str]:
    """Return the classes named on the first map or on the second."""
    drawn: list[list[str]] = page.evaluate("written")
    return {text for place, text in drawn if place == where and text in ("Animals", "Marks")}


def hover_card(page: Page) -> str:
    """Return the text of an animal's hover card, for an animal that no name covers."""
    clear = """(ids) => ids.map(__lamplighter.pixelOf).find(([x, y]) => __lamplighter.texts.every(
      ({ left, right, top, bottom }) => x < left - 8 || x > right + 8 || y < top - 8 || y > bottom + 8))"""
    page.mouse.move(20, 400)
    page.mouse.move(*page.evaluate(clear, ANIMALS))
    expect(page.get_by_test_id("card")).to_be_visible()
    return page.get_by_test_id("card").inner_text()


def test_a_link_to_a_step_shows_only_names_found_by_then(page: Page, learned: FinishedRun) -> None:
    page.goto(learned.url_with("folded=1&at=0"))
    wait_for(page, "window.__lamplighter?.shown?.step === 0")
    assert "Animals" not in hover_card(page)
    page.goto(learned.url_with(f"folded=1&at={LAST}"))
    wait_for(page, "window.__lamplighter?.labels.includes('Animals')")
    assert "Animals" in hover_card(page)
    # Back to the start in the same page: no name is left over.
    page.keyboard.press("Home")
    wait_for(page, "__lamplighter.shown.step === 0 && !__lamplighter.labels.includes('Animals')")
    page.evaluate("written.length = 0")
    page.mouse.move(700, 300)
    page.wait_for_timeout(300)
    assert names_on(page, "first") == set()


@pytest.mark.parametrize(("at", "beside"), [(0, LAST), pytest.param(LAST, 0, marks=pytest.mark.tour)])
def test_each_of_two_maps_names_the_districts_of_its_step(
    page: Page, learned: FinishedRun, at: int, beside: int
) -> None:
    page.goto(learned.url_with(f"folded=1&at={at}&beside=step:{beside}"))
    wait_for(
        page,
        "window.__lamplighter?.shown && window.written.some(([, text]) => ['Animals', 'Marks'].includes(text))",
    )
    later, earlier = ("first", "second") if at else ("second", "first")
    assert names_on(page, later)
    assert names_on(page, earlier) == set()


@pytest.mark.tour
def test_words_of_the_model_replace_planted_names_on_both_maps(page: Page, learned: FinishedRun) -> None:
    page.goto(learned.url_with(f"panel=map&at={LAST}&beside=step:{FIRST_FOUND}"))
    named = "window.written?.some(([where, text]) => where === '{}' && ['Animals', 'Marks'].includes(text))"
    for where in ("first", "second"):
        wait_for(page, named.format(where))
    if learned.page:
        # A file has no panel of districts.
        page.goto(f"{page.url}&names=own")
    else:
        page.get_by_test_id("own-names").check()
        wait_for(page, "new URLSearchParams(location.search).get('names') === 'own'")
    # The address keeps it, and nothing drawn then has the name of a class.
    page.reload()
    renamed = "window.written?.some(([where, text]) => where === '{}' && text.includes(' · '))"
    for where in ("first", "second"):
        wait_for(page, renamed.format(where))
        assert names_on(page, where) == set()


@pytest.mark.tour
def test_a_replay_shows_no_name_early_and_no_overlapping_names(page: Page, learned: FinishedRun) -> None:
    page.goto(learned.url_with("folded=1&from=0&speed=40"))
    wait_for(page, "window.__lamplighter?.shown")
    page.evaluate(WATCH % V)
    wait_for(page, f"__lamplighter.step === {LAST} && frames_.at(-1)?.names.length")
    frames = page.evaluate("frames_")
    assert [frame["names"] for frame in frames if frame["step"] < FIRST_FOUND and frame["names"]] == []
    assert any(frame["names"] for frame in frames)
    assert max(frame["over"] for frame in frames) == 0
    assert max(frame["outside"] for frame in frames) == 0


@pytest.mark.tour
def test_a_film_shows_no_name_early(page: Page, learned: FinishedRun) -> None:
    page.goto(learned.url_with("panel=export"))
    for field, value in (("from", 1), ("to", LAST), ("every", FIRST_FOUND - 1)):
        page.get_by_test_id(f"film-{field}").fill(str(value))
    page.get_by_test_id("film-light").select_option(index=1)
    page.get_by_test_id("film-make").click()
    expect(page.get_by_test_id("film")).to_be_visible(timeout=60_000)
    drawn: list[list[str]] = page.evaluate("written")
    film = [text for place, text in drawn if place == "film"]
    # The names of a picture are drawn before its caption.
    first = film.index("Animals")
    steps = [int(found[1]) for text in film[first:] if (found := re.search(r"  ·  step (\d+)\b", text))]
    assert steps[0] >= FIRST_FOUND
    assert "step 1" in "  ".join(film[:first])
