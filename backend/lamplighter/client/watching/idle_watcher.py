"""A watcher that records nothing."""

from __future__ import annotations

from lamplighter.client.watching.watcher import Watcher


class IdleWatcher(Watcher):
    """The watcher of a process that is not the first of those that train together."""

    def __init__(self) -> None:
        """Begin as a watcher that is closed."""
        self.closed = True
        self.folder = None
        self.step = 0
        self.next_step = None
