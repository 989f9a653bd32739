"""Warnings about a record, which never stop the loop that is recorded."""

from __future__ import annotations

import logging
import warnings

from lamplighter.client.errors import InputError, RecordWarning

log = logging.getLogger(__name__)


def warn(message: str, level: int = 4) -> None:
    """Show a warning to the people whose loop it is. Never raises, even where warnings are errors.

    Args:
        message: the warning.
        level: the calls up to their code, as `warnings.warn` counts them; this one is the first.
    """
    try:
        warnings.warn(message, RecordWarning, stacklevel=level)
    except RecordWarning:
        log.warning("%s", message)


def describe_error(error: Exception) -> str:
    """Return an error as one line; with its type where its message may not be made for people."""
    text = " ".join(str(error).split())[:400]
    return text if isinstance(error, InputError) else f"{type(error).__name__}: {text}"
