"""The progress bar of commands that take a while."""

from __future__ import annotations

from rich.console import Console
from rich.progress import Progress


def make_progress_bar() -> Progress:
    """Return a progress bar on standard error, which disappears when it is done."""
    return Progress(console=Console(stderr=True), transient=True, refresh_per_second=4)
