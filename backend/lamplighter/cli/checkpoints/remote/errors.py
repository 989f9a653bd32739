"""Errors of fetching. Each message is one line that says what to do."""

from __future__ import annotations


class FetchError(RuntimeError):
    """Something on the web cannot be read, or must not be."""


class MissingFileError(FetchError):
    """The server has no such file."""


class UnavailableError(FetchError):
    """A server that cannot be read now, and may be later."""


class ChangedFileError(FetchError):
    """A file is no longer the one that was read before."""
