"""The refusal of a server that does as much of something as it can at once."""

from __future__ import annotations

import random

_RETRY_SECONDS = (2, 6)


class BusyError(Exception):
    """A refusal for now: asked again after `retry_after` seconds, the same request may be answered."""

    def __init__(self, detail: str) -> None:
        """Set the reason, a sentence for the person who waits."""
        super().__init__(detail)
        # Drawn at random, so that those refused together do not come back together.
        self.retry_after = random.randint(*_RETRY_SECONDS)
