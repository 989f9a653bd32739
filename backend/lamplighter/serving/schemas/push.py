"""Schemas of runs that are pushed."""

from __future__ import annotations

from lamplighter.serving.schemas.base import ApiModel


class PushPosition(ApiModel):
    """How far a run has arrived; a pusher goes on from there."""

    attempt: int
    step: int
    """The highest step up to which all have arrived, of that attempt."""
    event: int
    """The id of the last event, by the sender's own count."""
    applied: int
    """The id of the last applied request, likewise."""
    made: int
    """When the last fragment was made, in microseconds since 1970."""
