"""A guard for calls that need the whole application if only `lamplighter-watch` is installed."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def require_whole_application(what: str) -> Generator[None]:
    """Guard the imports inside: a missing one raises an error that says how to install the rest.

    Args:
        what: the caller, which begins the message.

    Raises:
        ImportError: a module is missing; the message is the line to type.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        message = f"{what} needs the whole application: pip install . in a checkout of Lamplighter"
        raise ImportError(message, name=error.name) from error
