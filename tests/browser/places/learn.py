"""Where a person plays and asks: the geometry of words, the game, the line below the map, the microscope, and "What if ..."."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.pages import choose_entry, wait_for


class Geometry:
    """The panel that adds, compares and lines up words."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.step = page.get_by_test_id("lab-step").first
        self.problem = page.get_by_test_id("lab-problem")
        self.said = page.get_by_test_id("analogy-said")
        self.rules = page.get_by_test_id("analogy-ruled").locator("li")

    def choose_word(self, place: int, word: str) -> None:
        """Choose a word of the sum, from 0."""
        self.page.get_by_test_id(f"analogy-{place}").fill(word)
        self.page.get_by_test_id(f"analogy-{place}-found").first.click()
        self.expect_word(place, word)

    def expect_word(self, place: int, word: str) -> None:
        """Check a word of the sum."""
        expect(self.page.get_by_test_id(f"analogy-{place}-word")).to_have_text(word)

    def open_next_view(self, name: str) -> None:
        """Go to the next view by key, which is the one of this name."""
        self.page.locator("[data-testid^=lab-][aria-selected=true]").press("ArrowRight")
        expect(self.page.get_by_test_id(f"lab-{name}")).to_have_attribute("aria-selected", "true")


class Line:
    """The line below the map, where a sentence is continued."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.field = page.get_by_test_id("ask-field")
        self.problem = page.get_by_test_id("ask-problem")
        self.answer = page.get_by_test_id("answer")
        self.greedy = page.get_by_test_id("greedy").get_by_role("button")
        self.sampled = page.get_by_test_id("sampled").get_by_role("button")

    def continue_words(self, words: str) -> None:
        """Have the model continue these words."""
        self.field.fill(words)
        self.field.press("Enter")


class Microscope:
    """One step under the microscope."""

    STATIONS = ("symbol", "vector", "transformation", "gradient", "update", "helped")

    def __init__(self, page: Page) -> None:
        self.page = page
        self.whole = page.get_by_test_id("microscope")
        self.verdict = page.get_by_test_id("verdict")
        self.stations = [page.get_by_test_id(station) for station in self.STATIONS]
        self.guesses = page.get_by_test_id("guesses")
        self.words = page.get_by_test_id("symbol").locator("[aria-pressed=true]")

    def open(self) -> None:
        """Open the displayed step, whose recomputation begins at once."""
        choose_entry(self.page, "microscope")
        expect(self.whole).to_be_focused()


class Fork:
    """A fork: the form "What if ...", and how the fork and its parent differ."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.train = page.get_by_test_id("fork-train")
        self.problem = page.get_by_test_id("fork-problem")
        self.relation = page.get_by_test_id("relation")
        self.equality = page.get_by_test_id("equality")
        self.difference = page.get_by_test_id("difference")
        self.words = page.get_by_test_id("changed-words").get_by_role("button")

    def open(self) -> None:
        """Open the form at the displayed step."""
        self.page.get_by_test_id("what-if").click()
        expect(self.page.get_by_test_id("fork-cost")).to_contain_text("This run stays as it is")

    def choose(self, change: str) -> None:
        """Choose what is changed."""
        self.page.get_by_test_id(f"fork-{change}").check()

    def train_beside(self, parent: str, steps: int) -> str:
        """Train a fork of some steps, which the page shows beside its parent. Returns the fork's id."""
        self.page.get_by_test_id("fork-steps").fill(str(steps))
        self.train.click()
        wait_for(self.page, f"location.search.includes('beside=run:{parent}')")
        return wait_for(self.page, f"(/run=(?!{parent})([^&]+)/.exec(location.search) ?? [])[1]")
