"""A viewer of a class: its position in the log of its run, and its class messages."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from lamplighter.serving.fanout.contract import Sequence
from lamplighter.serving.live.viewer import CloseConnection


@dataclass(eq=False)
class ClassViewer:
    """One socket of a class. It has no queue: only the position in the log differs between viewers."""

    session_id: str
    position: Sequence | None = None
    """The position in the log up to which everything was sent; None before it joined."""
    text: bool = False
    """True while it may see the run's text."""
    told: str = ""
    """The class message it was sent last."""
    to_tell: str = ""
    """The newest class message."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when there may be something to send."""
    ended: asyncio.Future[CloseConnection] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def request_close(self, code: int, reason: str) -> None:
        if not self.ended.done():
            self.ended.set_result(CloseConnection(code, reason))
