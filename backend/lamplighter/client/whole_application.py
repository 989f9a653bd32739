"""A guard of calls that the whole application is needed for, where only `lamplighter-watch` is installed."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def require_whole_application(what: str) -> Generator[None]:
    """Guard the imports inside: one that is missing says how to install the rest.

    Args:
        what: begins the message: what needs it.

    Raises:
        ImportError: a module is missing; the message is the line to type.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        message = f"{what} needs the whole application: pip install . in a checkout of Lamplighter"
        raise ImportError(message, name=error.name) from error
