"""Walks through a part of the course like a visitor: read, guess, continue."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect

from lamplighter.lessons.library import find_lessons


@dataclass(frozen=True)
class WalkedStage:
    """A stage that the drawer shows."""

    number: int
    """Its number, from 1."""
    of: int
    """The number of stages in the part."""
    kind: str
    title: str

    @property
    def is_last(self) -> bool:
        """Return whether it is the part's last stage."""
        return self.number == self.of


def walk_part(page: Page, timeout: float = 30_000) -> Iterator[WalkedStage]:
    """Yield the stages of the open part as the drawer shows them.

    Continuing answers a stage's prediction with the middle of the line or the first choice. `timeout`: ms for
    the first stage.
    """
    number = page.get_by_test_id("stage-number")
    expect(number).to_be_visible(timeout=timeout)
    while True:
        at, of = map(int, re.findall(r"\d+", number.text_content() or ""))
        stage = WalkedStage(
            at,
            of,
            page.get_by_test_id("stage-kind").inner_text(),
            page.get_by_test_id("stage-title").inner_text(),
        )
        yield stage
        if stage.is_last:
            return
        go_on(page)
        expect(number).to_contain_text(f"{stage.number + 1} ")


def check_small_window(page: Page) -> None:
    """Check that a small window has what the stage needs: its heading, the beginning of its text, its controls, and what the
    text speaks of beside it.
    """
    course = page.get_by_test_id("course")
    expect(page.get_by_test_id("stage-title")).to_be_in_viewport(ratio=1)
    expect(course.locator(".body :is(p:not(.kind), li, legend)").first).to_be_in_viewport(ratio=0.2)
    asked = course.get_by_test_id("prediction").locator("button, input").locator("visible=true")
    for control in (*asked.all(), page.get_by_test_id("course-back")):
        expect(control).to_be_in_viewport(ratio=1)
    overlaps = page.evaluate(
        """() => {
            const rect = (name) => document.querySelector(`[data-testid=${name}]`)?.getBoundingClientRect();
            const text = rect("course");
            return ["inspector", "microscope", "claims-panel"].map(rect).filter(Boolean).map((one) => {
                const [wide, high] = [
                    Math.min(one.right, text.right) - Math.max(one.left, text.left),
                    Math.min(one.bottom, text.bottom) - Math.max(one.top, text.top),
                ];
                return [wide > 0 && high > 0, one.width >= 200 && one.height >= 120];
            });
        }"""
    )
    assert overlaps in ([], [[False, True]]), overlaps
    text, window = course.bounding_box(), page.viewport_size
    assert text
    assert window
    assert text["width"] * text["height"] <= 0.75 * window["width"] * window["height"]
    assert page.evaluate("document.querySelector('main').scrollTop + scrollY") == 0


def write_first_part(folder: Path) -> Path:
    """Write part 1 and its teacher's page for a run that lacks some of its words. Returns the folder."""
    part = next((find_lessons() / "en").glob("01-*.md"))
    (folder / "teacher").mkdir(parents=True)
    text = part.read_text("utf-8").replace("words: dog cat horse rabbit", "words: dog cat")
    (folder / part.name).write_text(text, "utf-8")
    shutil.copy(part.parent / "teacher" / part.name, folder / "teacher")
    return folder


def go_on(page: Page) -> None:
    """Go to the next stage, with a guess if the stage asks for one."""
    if page.get_by_test_id("keep-guess").count():
        page.get_by_test_id("keep-guess").click()
    elif page.get_by_test_id("choice").count():
        page.get_by_test_id("choice").first.click()
    else:
        page.get_by_test_id("course-next").click()


class Course:
    """The drawer of the course, with a stage in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.drawer = page.get_by_test_id("course")
        self.number = page.get_by_test_id("stage-number")
        self.prediction = page.get_by_test_id("prediction")
        self.result = page.get_by_test_id("result").first

    def expect_stage(self, stage: int) -> None:
        """Check which stage is open."""
        expect(self.number).to_contain_text(f"Stage {stage} of", timeout=20_000)

    def go_on(self) -> None:
        """Go to the next stage."""
        self.page.get_by_test_id("course-next").click()

    def guess(self, number: int) -> None:
        """Keep a guess, which leads to the next stage."""
        self.page.get_by_label("Your guess").fill(str(number))
        self.page.get_by_test_id("keep-guess").click()

    def numbers(self) -> dict[str, float]:
        """Return the displayed numbers by name."""
        shown = self.drawer.locator("[data-number]")
        expect(shown.first).to_be_visible()
        pairs = shown.evaluate_all("all => all.map((one) => [one.dataset.number, one.value])")
        return {name: float(value) for name, value in pairs}
