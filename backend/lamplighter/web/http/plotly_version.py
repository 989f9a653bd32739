"""The release of plotly.js that the page was written and examined with, and a warning about any other."""

from __future__ import annotations

import logging
import re
from pathlib import Path

log = logging.getLogger(__name__)

EXAMINED_PLOTLY_JS = "4.1.1"
"""The release that was examined: which of its traces compile code at run time, which the page's content security policy
forbids (`docs/decisions/0007-land-and-names-travel-with-the-lamps.md`)."""
_HEAD = re.compile(rb"plotly\.js v(\d+\.\d+\.\d+\S*)")
_HEAD_BYTES = 512


def read_plotly_version(script: Path) -> str | None:
    """Return the release of plotly.js that a script says to be; None if it says none."""
    with script.open("rb") as file:
        found = _HEAD.search(file.read(_HEAD_BYTES))
    return None if found is None else found[1].decode("ascii", "replace")


def warn_of_other_plotly(script: Path | None) -> None:
    """Report in the log if a script is of another main release of plotly.js than the one that was examined."""
    if script is None:
        return
    try:
        version = read_plotly_version(script)
    except OSError:
        # The route says that it is missing.
        return
    if version is None or version.split(".")[0] != EXAMINED_PLOTLY_JS.split(".")[0]:
        log.warning(
            "the installed plotly carries plotly.js %s, and this page was examined with %s only: charts may stay empty "
            "under its content security policy; install the plotly of requirements/constraints.txt",
            version or "of an unknown release",
            EXAMINED_PLOTLY_JS,
        )
