"""The release of plotly.js that the page was tested with, and a warning about any other."""

from __future__ import annotations

import logging
import re
from pathlib import Path

log = logging.getLogger(__name__)

EXAMINED_PLOTLY_JS = "4.1.1"
"""The release that was checked for traces that compile code at run time, which the page's content security policy
forbids (`docs/decisions/0007-land-and-names-travel-with-the-lamps.md`)."""
_HEAD = re.compile(rb"plotly\.js v(\d+\.\d+\.\d+\S*)")
_HEAD_BYTES = 512


def read_plotly_version(script: Path) -> str | None:
    """Return the release of plotly.js that a script declares, or None."""
    with script.open("rb") as file:
        found = _HEAD.search(file.read(_HEAD_BYTES))
    return None if found is None else found[1].decode("ascii", "replace")


def warn_of_other_plotly(script: Path | None) -> None:
    """Log a warning if a script is of another major release of plotly.js than the tested one."""
    if script is None:
        return
    try:
        version = read_plotly_version(script)
    except OSError:
        # The route reports that it is missing.
        return
    if version is None or version.split(".")[0] != EXAMINED_PLOTLY_JS.split(".")[0]:
        log.warning(
            "the installed plotly has plotly.js %s, but this page was tested only with %s: charts may stay empty "
            "under its content security policy; install the plotly of requirements/constraints.txt",
            version or "of an unknown release",
            EXAMINED_PLOTLY_JS,
        )
