"""Accessibility checks with axe-core: the barriers it finds on a page."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import build_frontend
from playwright.sync_api import Page

FRONTEND = Path(build_frontend.ROOT, "frontend")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ASK = """async ([within, rules]) => {
    // A card that fades in has less contrast than the card that stands.
    const passing = document.getAnimations().filter((each) => each.effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(passing.map((each) => each.finished));
    const { violations } = await axe.run(within ?? document, {
        runOnly: rules, resultTypes: ['violations'], preload: false, performanceTimer: false,
    });
    return violations.map(({ id, help, nodes }) => `${id}: ${help}\\n` + nodes
        .map(({ html, any, all, none }) => `    ${html.slice(0, 200)}\\n        `
            + [...any, ...all, ...none].map(({ message }) => message).join('\\n        ')).join('\\n'));
}"""


@cache
def axe_source() -> str:
    """Return the source of axe-core, installed beside the frontend's tools."""
    build_frontend.install(FRONTEND)
    return (FRONTEND / "node_modules/axe-core/axe.min.js").read_text("utf-8")


def find_violations(page: Page, within: str | None = None) -> list[str]:
    """Return the violations that axe finds on the page, or inside the selector `within`.

    The script is injected through the debugging protocol, because the page's policy admits only its own
    scripts.
    """
    if page.evaluate("typeof window.axe") == "undefined":
        page.evaluate(f"() => {{ {axe_source()} }}")
    return page.evaluate(ASK, [within, RULES])
