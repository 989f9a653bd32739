"""The exported page in a real browser, opened as a file, with no network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from lamplighter.exports.export import export_run
from tests.browser.chromium import launch_arguments
from tests.browser.pages import wait_for
from tests.unit.exports.recorded import HOSTILE, record

pytestmark = pytest.mark.browser

LIGHT = """() => {
  const city = document.getElementById("city"), ink = city.getContext("2d");
  const data = ink.getImageData(0, 0, city.width, city.height).data;
  let bright = 0;
  for (let i = 0; i < data.length; i += 4) if (data[i] + data[i + 1] + data[i + 2] > 600) bright++;
  return bright;
}"""
SCRUB = """(at) => {
  const scrub = document.getElementById("scrub");
  scrub.value = at;
  scrub.dispatchEvent(new Event("input"));
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
SWEEP = """() => {
  const seen = new Set(), card = document.getElementById("card");
  for (let clientX = 20; clientX < 980; clientX += 10) for (let clientY = 120; clientY < 600; clientY += 10) {
    document.getElementById("city").dispatchEvent(new PointerEvent("pointermove", { clientX, clientY }));
    if (!card.hidden) seen.add(card.children[0].textContent);
  }
  return [...seen];
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(**launch_arguments())  # pyright: ignore[reportArgumentType]
        yield started
        started.close()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    return export_run(record(folder / "runs"), "html", out=folder / "run.html")


@pytest.fixture
def page(browser: Browser, exported: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1000, "height": 700}, offline=True)
    opened = context.new_page()
    faults: list[str] = []
    asked: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    opened.on("dialog", lambda dialog: faults.append("a dialog"))
    opened.on("request", lambda sent: asked.append(sent.url))
    if script := getattr(request, "param", None):
        opened.add_init_script(script)
    opened.goto(exported.as_uri())
    opened.wait_for_selector("html[data-ready]")
    yield opened
    context.close()
    assert faults == []
    assert asked == [exported.as_uri()]


def test_its_policy_allows_nothing_that_it_does_not_use(exported: Path) -> None:
    found = re.search(r'Content-Security-Policy" content="([^"]+)"', exported.read_text(encoding="utf-8"))
    assert found
    policy = dict(part.split(" ", 1) for part in found[1].split("; "))
    # The default is not asked about these two.
    for name in ("default-src", "form-action", "base-uri"):
        assert policy[name] == "'none'"
    assert all("unsafe" not in allowed for allowed in policy.values())


def facts(page: Page) -> tuple[str, ...]:
    return tuple(page.text_content(f"#{name}") or "" for name in ("step", "loss", "lit"))


def test_lamps_light_and_scrubbing_works(page: Page) -> None:
    page.evaluate(SCRUB, 0)
    assert facts(page) == ("step 0", "before the first step", "0 of 10 lit")
    page.evaluate(SCRUB, 1)
    assert facts(page) == ("step 1", "loss 4.900", "2 of 10 lit")
    few = page.evaluate(LIGHT)
    page.evaluate(SCRUB, 30)
    assert facts(page) == ("step 30", "loss 2.000", "2 of 10 lit")
    # By then the gradients have grown thirtyfold: the lamps are brighter, not merely present.
    assert page.evaluate(LIGHT) > few + 20
    page.focus("#city")
    page.keyboard.press("ArrowLeft")
    assert facts(page)[0] == "step 29"


def test_it_plays_and_pauses(page: Page) -> None:
    wait_for(page, "document.getElementById('step').textContent !== 'step 0'")
    page.click("#play")
    assert page.get_attribute("#play", "aria-label") == "Play"
    before = facts(page)
    page.wait_for_timeout(700)
    assert facts(page) == before


def test_tokens_are_found_and_shown_as_text(page: Page) -> None:
    page.evaluate(SCRUB, 30)
    page.fill("#search", "<img")
    assert page.text_content("#found") == "1 token"
    page.fill("#search", "no such")
    assert page.text_content("#found") == "no such token"
    page.fill("#search", "")
    seen: list[str] = page.evaluate(SWEEP)
    assert "</script><img src=x onerror=alert(1)>" in seen
    assert "tab␉here" in seen
    assert not any(re.search("[\x00-\x1f\u2028-\u202e]", text) for text in seen)
    assert page.locator("img").count() == 0


def test_no_class_is_named_before_the_first_districts(page: Page) -> None:
    # The districts of this run were found at its last step.
    for at, named in ((0, False), (30, True)):
        page.evaluate(SCRUB, at)
        texts: list[str] = page.evaluate(SWEEP.replace("children[0]", "children[1]"))
        assert texts
        assert any("Odd" in text for text in texts) is named


@pytest.mark.parametrize("page", ["delete window.DecompressionStream"], indirect=True)
def test_a_browser_without_decompression_streams_shows_the_same(page: Page) -> None:
    page.evaluate(SCRUB, 30)
    assert facts(page) == ("step 30", "loss 2.000", "2 of 10 lit")
    assert page.evaluate(LIGHT) > 20


def test_nothing_in_the_page_can_end_its_data(exported: Path) -> None:
    text = exported.read_text("utf-8")
    assert text.count("</script>") == 3
    assert "\u2028" not in text
    assert HOSTILE[4] not in text
