"""Warnings about a record, which never stop the recorded loop."""

from __future__ import annotations

import inspect
import logging
import sys
import sysconfig
import warnings
from pathlib import Path

from lamplighter.client.errors import InputError, RecordWarning

log = logging.getLogger(__name__)

Place = tuple[str, int]
"""A file and a line number."""

_PATHS = sysconfig.get_paths()
_PACKAGE = str(Path(__file__).parents[2])
_INSTALLED = tuple(_PATHS[name] for name in ("stdlib", "platstdlib", "purelib", "platlib"))
_PACKAGES = {"site-packages", "dist-packages"}
"""Folders of installed packages, also those of another environment that this one reads."""


def warn(message: str, otherwise: Place | None = None) -> None:
    """Show a warning at the line of the loop that caused it, or at `otherwise` if no code of the loop is
    running. Never raises, even if warnings are errors."""
    file, line = find_place() or otherwise or ("lamplighter", 0)
    try:
        warnings.warn_explicit(message, RecordWarning, file, line)
    except Exception:  # noqa: BLE001 (where warnings are errors, or go to a terminal that is gone)
        log.warning("%s", message)


def print_notice(message: str) -> None:
    """Print a line about a record. Never raises, even without a terminal, or if it cannot encode the message."""
    try:
        print(f"Lamplighter: {message}")
    except (OSError, ValueError, AttributeError):
        log.info("%s", message)


def find_place() -> Place | None:
    """Return the running line of the loop: the innermost one outside installed packages, or else outside this package
    and torch; None if there is none, as in a thread of torch."""
    installed: Place | None = None
    # This module does not import torch, which may lie anywhere.
    torch = getattr(sys.modules.get("torch"), "__file__", None)
    no_loop = (_PACKAGE, "<frozen ", *([] if torch is None else [str(Path(torch).parent)]))
    frame = inspect.currentframe()
    while frame is not None:
        file = frame.f_code.co_filename
        own = not file.startswith(no_loop)
        if own and not file.startswith(_INSTALLED) and _PACKAGES.isdisjoint(Path(file).parts):
            return file, frame.f_lineno
        if installed is None and own:
            installed = file, frame.f_lineno
        frame = frame.f_back
    return installed


def describe_error(error: Exception) -> str:
    """Return an error as one line, with its type if its message may not be meant for users."""
    text = " ".join(str(error).split())[:400]
    return text if isinstance(error, InputError) else f"{type(error).__name__}: {text}"
