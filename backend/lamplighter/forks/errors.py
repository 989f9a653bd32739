"""Errors of making a fork."""

from __future__ import annotations

from lamplighter.contract.reason import Reason


class ForkError(ValueError):
    """An error for a fork that cannot be made; the message says why, in one sentence."""

    def __init__(self, message: str, field: str = "", reason: Reason | None = None) -> None:
        """Set the message, the part of the request that it is about (`step`, `changes.sequences`, ...), and
        the reason as a code where a person may meet it on the page.
        """
        super().__init__(message)
        self.field = field
        self.reason = reason


class ParentNotReadyError(ForkError):
    """An error for a run that has not begun, or is gone."""


class StartLostError(RuntimeError):
    """An error for a fork whose step 0 cannot be restored; it follows from no seed."""
