"""Errors of making a fork."""

from __future__ import annotations


class ForkError(ValueError):
    """An error for a fork that cannot be made; the message says why, in one sentence."""

    def __init__(self, message: str, field: str = "") -> None:
        """Set the message, and the part of the request that it is about: `step`, `changes.sequences`, ..."""
        super().__init__(message)
        self.field = field


class ParentNotReadyError(ForkError):
    """An error for a run that has not begun, or is gone."""


class StartLostError(RuntimeError):
    """An error for a fork whose step 0 cannot be restored; it follows from no seed."""
