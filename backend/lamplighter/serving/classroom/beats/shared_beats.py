"""The beats of a run whose class sits on several servers: one of them makes the beats, the others receive them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from concurrent.futures import Future, wait

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.fanout.broker import RENEW_SECONDS, Lease
from lamplighter.serving.fanout.nats_fanout import NatsFanout
from lamplighter.serving.live.beat_log import BeatLog
from lamplighter.serving.live.folder_beats import FolderBeats
from lamplighter.serving.reading.run_catalog import RunCatalog

_FILL_SECONDS = 2.0
"""Seconds to wait for what the broker keeps of a run."""


class SharedBeats:
    """The beats of one run on one of several servers.

    They are made here while this server has the run's lease, and while the broker is away. All servers read the same record,
    so a viewer sees the same beats from each.
    """

    def __init__(
        self,
        run: RunFolder,
        catalog: RunCatalog,
        log: BeatLog,
        fanout: NatsFanout,
        on_failed: Callable[[int, str], None],
    ) -> None:
        self._run, self._catalog, self._log, self._fanout = run, catalog, log, fanout
        self._on_failed = on_failed
        self._made: FolderBeats | None = None
        self._work: Future[None] | None = None
        key = hashlib.sha256(run.id.encode()).hexdigest()[:24]
        self._lease = Lease(fanout.broker, f"beats-{key}", fanout.broker.holder)

    def start(self) -> None:
        self._work = self._fanout.broker.spawn(self._take_turns())

    def stop(self) -> None:
        if self._work is not None:
            self._work.cancel()

    def wait_ended(self, timeout: float | None = None) -> bool:
        if self._work is not None:
            done, _ = wait([self._work], timeout)
            if not done:
                return False
        return self._made is None or self._made.wait_ended(timeout)

    async def _take_turns(self) -> None:
        try:
            # Beats go on from the place that the last server came to.
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._fanout.wait_filled(self._run.id), _FILL_SECONDS)
            while True:
                is_away = not self._fanout.broker.is_connected
                if is_away or await self._lease.hold():
                    if self._made is None:
                        self._made = FolderBeats(self._run, self._catalog, self._log, self._on_failed)
                        self._made.start()
                elif self._made is not None:
                    self._made.stop()
                    self._made = None
                await asyncio.sleep(RENEW_SECONDS)
        finally:
            if self._made is not None:
                self._made.stop()
            await self._lease.release()
