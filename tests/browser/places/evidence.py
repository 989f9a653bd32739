"""Where a person looks for evidence: the board of claims, the cost, the step, the turning points."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.pages import choose_entry, close_menu


class Board:
    """The board of claims."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.panel = page.get_by_test_id("claims-panel")
        self.windows = page.get_by_test_id("claims").get_by_role("option")
        self.claims = page.get_by_test_id("claims").locator("[data-role=claim]")
        self.following = page.get_by_test_id("claims-recipe").get_by_role("option")
        self.held = page.get_by_test_id("claims-held")
        self.said_to_follow = page.get_by_test_id("claims-following")
        self.checked = page.get_by_test_id("claims-checked")
        self.card = page.get_by_test_id("claim-card")
        self.show = page.get_by_test_id("claim-show")

    def open(self) -> None:
        """Open the board."""
        choose_entry(self.page, "claims")

    def window(self, number: int) -> Locator:
        """Return the window of a claim."""
        return self.page.locator(f"#claim-{number}")


class Cost:
    """What the training cost."""

    def __init__(self, page: Page) -> None:
        self.joules = page.get_by_test_id("joules")
        self.watts = page.get_by_test_id("watts")
        self.method = page.get_by_test_id("method")
        self.method_error = page.get_by_test_id("method-error")
        self.rule = page.get_by_test_id("six-nd").locator("dt")
        self.larger_models = page.get_by_test_id("scale").locator("> li")


class Changes:
    """The list beside the timeline: turning points, and changes to neighbourhoods."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.marks = page.get_by_test_id("landmark")
        self.entries = page.locator("#district-changes").get_by_role("listitem")

    def open(self) -> None:
        """Open the list."""
        self.page.get_by_test_id("district-changes").click()
        expect(self.entries.first).to_be_visible()

    def go_to(self, entry: int) -> int:
        """Go to the step of an entry, and close the list. Returns the step."""
        step = self.entries.nth(entry).locator(".number").inner_text()
        self.entries.nth(entry).get_by_role("button").click()
        close_menu(self.page)
        return int(step.replace(",", ""))
