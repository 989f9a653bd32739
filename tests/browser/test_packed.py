"""The page with a run packed into it: opened as a file without a network, it answers as a server does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from lamplighter.packing.page import write_gallery
from lamplighter.runfolder.run_folder import RunFolder
from tests.browser.axe import find_violations
from tests.browser.fixtures import LAST, FinishedRun
from tests.browser.packed import close_clean, host_files, open_offline, pack
from tests.browser.pages import OUTSIDE, show_address, show_level, wait_for
from tests.support.synthetic_runs.recorded import HOSTILE, record

pytestmark = pytest.mark.browser

GRID = 0.02
"""Slightly more than half a step of these maps' grid."""
PHONE: ViewportSize = {"width": 390, "height": 844}
ASK = """async (paths) => {
    const answers = [];
    for (const path of paths) answers.push(await __lamplighter.ask(path));
    return answers;
}"""
"""Asks the page's source for the JSON of paths."""


@pytest.fixture(scope="module")
def packed(finished_run: FinishedRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack(RunFolder(finished_run.server.runs / finished_run.run), tmp_path_factory.mktemp("packed"))


@pytest.fixture(scope="module")
def opened(packed: Path, chromium: Browser) -> Iterator[Page]:
    page = open_offline(chromium, packed.as_uri())
    yield page
    close_clean(page, packed.as_uri())


@pytest.fixture
def page(opened: Page, packed: Path) -> Page:
    """Show the last step in the page of the packed file, which all tests share."""
    show_address(opened, f"{packed.as_uri()}?folded=1")
    wait_for(opened, f"window.__lamplighter?.shown && __lamplighter.beat?.step === {LAST}")
    return opened


def as_they_are(answer: Any) -> Any:
    return answer


def to_hundredths(answer: Any) -> Any:
    """Return neighbours rounded as the page shows them."""
    items = [{**one, "cosine": round(one["cosine"], 2)} for one in answer["items"]]
    return {**answer, "items": items}


def to_thousandths(answer: Any) -> Any:
    """Return a token rounded as the page shows it."""
    return {**answer, "norm": round(answer["norm"], 3)}


def places_apart(answer: Any) -> Any:
    """Return positions that compare equal within the resolution of a 12-bit grid."""
    return {**answer, "places": pytest.approx(np.array(answer["places"]), abs=GRID)}


def without_ids(answer: Any) -> Any:
    """Return layouts without the numbers that a run folder assigns."""
    return [
        {key: value for key, value in one.items() if key not in ("id", "time")} for one in answer["items"]
    ]


CONTRACT = {
    "": lambda answer: {
        **answer,
        "status": {"phase": answer["status"]["phase"], "step": answer["status"]["step"]},
    },
    "/steps?from=1&most=2000": as_they_are,
    "/measures": as_they_are,
    "/lines": as_they_are,
    "/tokens?limit=50000&offset=0": as_they_are,
    "/tokens?search=a&limit=20": as_they_are,
    "/tokens?search=the&limit=3": as_they_are,
    "/tokens/3?step=0": to_thousandths,
    "/tokens/3": to_thousandths,
    "/neighbours?token_id=3&k=6&step=0": to_hundredths,
    "/neighbours?token_id=3&k=4": to_hundredths,
    "/steps/17/text": as_they_are,
    "/layouts?method=umap": without_ids,
    "/places?from=0&to=120&method=umap&token_ids=1,3&format=json": places_apart,
    "/districts/steps": as_they_are,
    "/districts/events": as_they_are,
    "/districts/events?after=1": as_they_are,
    "/districts?step=60&format=json": as_they_are,
    "/map": as_they_are,
    "/examinations": as_they_are,
}
"""Paths below a run's that both sources answer, and the part of the answers that must be equal."""


def test_a_file_gives_the_same_answers_as_a_server(
    page: Page, finished_run: FinishedRun, chromium: Browser
) -> None:
    paths = [f"/api/runs/{finished_run.run}{rest}" for rest in CONTRACT]
    server = chromium.new_page()
    server.goto(finished_run.url_with("folded=1"))
    wait_for(server, "window.__lamplighter?.shown")
    expected, found = server.evaluate(ASK, paths), page.evaluate(ASK, paths)
    server.close()
    for (rest, of), ours, theirs in zip(CONTRACT.items(), found, expected, strict=True):
        assert ours is not None, rest
        assert (ours if of is places_apart else of(ours)) == of(theirs), rest


def test_it_shows_any_step_and_reports_what_it_leaves_out(page: Page, finished_run: FinishedRun) -> None:
    for step in (0, 1, 37, LAST):
        show_address(page, f"{page.url.partition('?')[0]}?folded=1&at={step}")
        wait_for(page, f"__lamplighter.step === {step} && (__lamplighter.beat?.step ?? 0) === {step}")
        lit = sorted(page.evaluate("__lamplighter.beat?.ids ?? []"))
        assert lit == (finished_run.batch_rows(step) if step else [])
    show_address(page, f"{page.url.partition('?')[0]}?panel=run")
    expect(page.get_by_test_id("left-out")).to_contain_text("the vectors")


def test_unavailable_functions_are_not_offered(page: Page) -> None:
    for gone in ("open-runs", "new-run", "training-menu", "share-class", "copy-link"):
        expect(page.get_by_test_id(gone)).to_have_count(0)
    show_level(page, "lab")
    for tab in ("measures", "run", "export"):
        page.get_by_test_id(f"tab-{tab}").click()
        expect(page.locator("#panel [role=alert], #panel .alert")).to_have_count(0)
    for tab in ("step", "matrix", "map"):
        expect(page.get_by_test_id(f"tab-{tab}")).to_have_count(0)
    for format in ("html", "zip", "npy"):
        expect(page.get_by_test_id(f"export-{format}")).to_have_count(0)
    assert find_violations(page, "main") == []
    # The only run of the list has no picture, because there is no server to make one.
    show_address(page, f"{page.url.partition('?')[0]}?panel=runs")
    expect(page.get_by_test_id("run-entry")).to_be_visible()
    expect(page.get_by_test_id("run-entry").locator("img")).to_have_count(0)


def test_an_unknown_name_in_the_address_is_reported(page: Page) -> None:
    base = page.url.partition("?")[0]
    for query, name, said in (
        ("beside=matrix:out", "output-note", "words only as context"),
        ("panel=cost", "left-out-panel", "has no panel"),
        ("panel=geometry", "geometry-file", "no vectors"),
        ("panel=game", "game-file", "no vectors"),
        ("panel=claims", "claims-file", "has no claims"),
    ):
        show_address(page, f"{base}?{query}")
        expect(page.get_by_test_id(name)).to_contain_text(said)
    expect(page.get_by_test_id("output-problem")).to_have_count(0)


def test_a_word_shows_its_neighbours_then_and_now_and_its_path(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("dog")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("neighbours").locator("li")).to_have_count(4)
    expect(page.get_by_test_id("neighbours-then").locator("li")).to_have_count(4)
    page.get_by_test_id("watch-way").click()
    expect(page.get_by_test_id("watch-way")).to_have_attribute("aria-pressed", "true")
    page.get_by_test_id("compare-maps").click()
    expect(page.get_by_test_id("first-caption")).to_be_visible()
    expect(page.locator(".alert")).to_have_count(0)


@pytest.mark.tour
def test_it_plays_from_the_beginning(page: Page) -> None:
    page.goto(f"{page.url.partition('?')[0]}?folded=1&from=0&speed=200")
    wait_for(page, "window.__lamplighter?.received?.frames.beat >= 10")
    wait_for(page, f"__lamplighter.step === {LAST}")


@pytest.mark.tour
def test_on_a_phone_everything_fits(packed: Path, chromium: Browser) -> None:
    page = open_offline(chromium, packed.as_uri(), PHONE)
    wait_for(page, "window.__lamplighter?.shown")
    assert page.evaluate(OUTSIDE) == []
    assert find_violations(page, "main") == []
    close_clean(page, packed.as_uri())


@pytest.mark.parametrize("damage", ["cut", pytest.param("part", marks=pytest.mark.tour)])
def test_a_damaged_file_says_so(packed: Path, tmp_path: Path, chromium: Browser, damage: str) -> None:
    text = packed.read_text(encoding="utf-8")
    damaged = tmp_path / "damaged.html"
    part = 'data-part="lights-0">'
    cut = text[: len(text) // 2] if damage == "cut" else text.replace(f"{part}", f"{part}AAAA", 1)
    damaged.write_text(cut, encoding="utf-8")
    page = chromium.new_page()
    page.goto(damaged.as_uri())
    said = "the file is incomplete" if damage == "cut" else "This file cannot be read"
    expect(page.locator("#page")).to_contain_text(said)
    page.close()


def test_hostile_tokens_stay_text(tmp_path: Path, chromium: Browser) -> None:
    url = pack(record(tmp_path / "runs"), tmp_path).as_uri()
    page = open_offline(chromium, f"{url}?panel=token&token=4")
    expect(page.get_by_test_id("token")).to_contain_text("</script><img src=x")
    expect(page.get_by_test_id("neighbours").locator("li").first).to_be_visible()
    assert page.locator("img[src=x]").count() == 0
    wait_for(page, "window.__lamplighter?.labels !== undefined")
    assert HOSTILE[4] not in page.content().partition("<body>")[0]
    close_clean(page, url)


@pytest.mark.tour
@pytest.mark.parametrize("width", [1280, 390])
def test_a_gallery_works_under_a_path(
    finished_run: FinishedRun, tmp_path: Path, chromium: Browser, width: int
) -> None:
    run = RunFolder(finished_run.server.runs / finished_run.run)
    write_gallery([run], tmp_path / "site" / "deep" / "down")
    with host_files(tmp_path / "site") as address:
        page = chromium.new_page(viewport={"width": width, "height": 720})
        faults: list[str] = []
        asked: list[str] = []
        page.on("request", lambda sent: asked.append(sent.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.goto(f"{address}deep/down/index.html")
        assert page.evaluate("[...document.images].every((one) => one.naturalWidth === 1200)")
        assert find_violations(page, "main") == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.get_by_role("link", name="Auf Deutsch").click()
        wait_for(page, "window.__lamplighter?.shown && document.documentElement.lang === 'de'")
        page.go_back()
        page.get_by_role("link").first.click()
        wait_for(page, f"window.__lamplighter?.shown && __lamplighter.beat?.step === {LAST}")
        page.go_back()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.close()
        assert all(one.startswith((address, "data:", "blob:")) for one in asked), asked
    assert [fault for fault in faults if "favicon" not in fault] == []
