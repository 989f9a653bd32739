"""A guard for calls that need the whole application if only `lamplighter-watch` is installed."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def require_whole_application(what: str) -> Generator[None]:
    """Guard the imports inside for `what`, which begins the message: a missing one raises an ImportError with
    the line to type."""
    try:
        yield
    except ModuleNotFoundError as error:
        message = f"{what} needs the whole application: pip install . in a checkout of Lamplighter"
        raise ImportError(message, name=error.name) from error
