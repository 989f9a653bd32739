"""The release of plotly.js that the page was examined with."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamplighter.web.http.assets import find_plotly
from lamplighter.web.http.plotly_version import (
    EXAMINED_PLOTLY_JS,
    read_plotly_version,
    warn_of_other_plotly,
)

ROOT = Path(__file__).parents[4]


def test_the_pinned_plotly_carries_the_release_that_was_examined() -> None:
    script = find_plotly()
    assert script is not None
    # After `make constraints`: read its release notes and look at the map and the charts before this is changed.
    assert read_plotly_version(script) == EXAMINED_PLOTLY_JS
    decision = ROOT / "docs/decisions/0007-land-and-names-travel-with-the-lamps.md"
    assert f"plotly.js {EXAMINED_PLOTLY_JS}" in decision.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("head", "warned"),
    [
        ("/**\n* plotly.js v3.3.0\n", True),
        ("/* something else */", True),
        ("/**\n* plotly.js v4.2.0\n", False),
    ],
)
def test_another_main_release_is_said_at_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, head: str, warned: bool
) -> None:
    script = tmp_path / "plotly.min.js"
    script.write_text(head)
    warn_of_other_plotly(script)
    assert ("tested only with" in caplog.text) is warned
    caplog.clear()
    warn_of_other_plotly(tmp_path / "none.js")
    warn_of_other_plotly(None)
    assert caplog.text == ""
