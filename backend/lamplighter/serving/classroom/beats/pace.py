"""Limits how often a class is sent a message: a minimum interval, and a byte rate."""

from __future__ import annotations

_LONGEST = 10.0
"""Maximum seconds between two messages of any size."""


class Pace:
    """When the next message may be sent."""

    def __init__(self, least_seconds: float, bytes_a_second: float) -> None:
        """Allow the first message at once."""
        self._least_seconds = least_seconds
        self._rate = bytes_a_second
        self.next_at = float("-inf")
        """The earliest time of the next message, in seconds."""

    def note_sent(self, now: float, size: int) -> None:
        """Note that a message of `size` bytes was sent to every viewer."""
        self.next_at = now + max(self._least_seconds, min(size / self._rate, _LONGEST))
