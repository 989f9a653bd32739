"""A watcher that records nothing."""

from __future__ import annotations

from typing import Any

from lamplighter.client.watching.watcher import Watcher


class IdleWatcher(Watcher):
    """The watcher of a training that is recorded elsewhere or cannot be recorded."""

    def __init__(self, why: str) -> None:
        """Start as a closed watcher.

        Args:
            why: the reason why it records nothing.
        """
        self.introduction = why
        self.closed = True
        self.folder = self.address = None
        self.step = 0
        self.next_step = None

    def __repr__(self) -> str:
        return f"<Lamplighter records nothing: {self.introduction}>"

    def log(self, *, loss: Any = None, **scalars: Any) -> None:
        """Do nothing."""

    def log_losses(self, losses: Any, inputs: Any, targets: Any) -> None:
        """Do nothing."""

    def close(self, error: BaseException | None = None) -> None:
        """Do nothing."""
