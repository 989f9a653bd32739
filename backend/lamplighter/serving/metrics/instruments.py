"""All that notes what a server does, started and stopped as one."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import anyio.to_thread

from lamplighter.serving.metrics.audit_log import AuditLog
from lamplighter.serving.metrics.counters import Counters
from lamplighter.serving.metrics.loop_lag import LoopLag
from lamplighter.serving.metrics.traffic import TrafficCounts


@dataclass
class Instruments:
    """The instruments of one server."""

    audit: AuditLog
    counters: Counters = field(default_factory=Counters)
    traffic: TrafficCounts = field(default_factory=TrafficCounts)
    lag: LoopLag = field(default_factory=LoopLag)
    started: float = field(default_factory=time.monotonic)
    """When the server was built, in seconds of the monotonic clock."""
    _measuring: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start to measure and to write, on the running event loop."""
        self._measuring = asyncio.create_task(self.lag.measure_forever())
        self.audit.start()

    async def close(self) -> None:
        """Stop to measure, and write what is left of the audit log."""
        if self._measuring is not None:
            self._measuring.cancel()
        await anyio.to_thread.run_sync(self.audit.stop)
