"""What only the whole application can do, where no more of it than `lamplighter-watch` is installed."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def require_whole_application(what: str) -> Generator[None]:
    """Tell how to install the rest if what is imported inside is not there.

    Args:
        what: begins the message: what needs it.

    Raises:
        ImportError: a module is missing; the message is the line to type.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        message = f"{what} needs the whole application: pip install lamplighter"
        raise ImportError(message, name=error.name) from error
