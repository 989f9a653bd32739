"""The release of plotly.js that the page was examined with."""

from __future__ import annotations

import re
from pathlib import Path

from lamplighter.web.http.assets import find_plotly

ROOT = Path(__file__).parents[4]


def test_the_pinned_plotly_carries_the_release_that_was_examined() -> None:
    script = find_plotly()
    assert script is not None
    found = re.search(rb"plotly\.js v(\S+)", script.read_bytes()[:512])
    assert found is not None
    # After `make constraints`: read its release notes and look at the map and the charts before this is changed.
    decision = ROOT / "docs/decisions/0007-land-and-names-travel-with-the-lamps.md"
    assert f"plotly.js {found[1].decode()}" in decision.read_text(encoding="utf-8")
