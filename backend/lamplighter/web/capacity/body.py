"""The body of a response, in the making or complete, and its readers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from time import monotonic

import anyio.to_thread

from lamplighter.web.capacity.caller import Caller
from lamplighter.web.capacity.spool import SpoolFile

PIECE_BYTES = 1 << 17
_FAIR_RATE = 1 << 20
"""Bytes per second below which a reader may be dropped when others need its room."""


@dataclass(frozen=True)
class BodyOrder:
    """A request for a body, and how to make it."""

    key: str | None
    """Everything it depends on; without a key, it is made for this order alone."""
    cost: int
    """Bytes of memory needed to make it."""
    make: Callable[[], Iterable[bytes]]
    """Makes its parts, in a thread. A list has all of them; any other iterable is made as it is read."""
    length: int | None
    """Total bytes, if known."""
    caller: Caller


class Body:
    """A body that is being made, or is complete."""

    def __init__(self, file: SpoolFile | None = None, length: int | None = None) -> None:
        self.file = file
        self.length = file.size if file is not None and length is None else length
        """Total bytes, if known before it is complete."""
        self.done = file is not None
        self.orders: dict[Caller, asyncio.Task[None]] = {}
        """The tasks that wait for a slot for it, or make it."""
        self.begun = False
        """True once one of them is making it."""
        self.error: BaseException | None = None
        self.readers: set[BodyReader] = set()
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def size(self) -> int:
        return 0 if self.file is None else self.file.size

    def notify(self) -> None:
        """Notify all readers that wait for more. Belongs to the event loop."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def wait_beyond(self, offset: int) -> None:
        """Wait until there are more than `offset` bytes, or all of them. Raises the error that ended the making."""
        while self.size <= offset and not self.done:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future
        if self.error is not None:
            raise self.error


class BodyReader:
    """One client's reading of a body, from beginning to end."""

    def __init__(self, body: Body, on_close: Callable[[BodyReader], None] | None = None) -> None:
        self.body = body
        self._leave: Callable[[], object] = lambda: None
        self._on_close = on_close
        self._begun = monotonic()
        self._read = 0
        body.readers.add(self)

    async def begin(self) -> None:
        """Wait for the first bytes. Raises BusyError if it cannot be made now, or the error that ended the making."""
        await self.body.wait_beyond(0)

    async def pieces(self) -> AsyncGenerator[bytes]:
        while True:
            await self.body.wait_beyond(self._read)
            file = self.body.file
            if file is None or self._read >= file.size:
                return
            if file.in_memory:
                piece = file.read(self._read, PIECE_BYTES)
            else:
                piece = await anyio.to_thread.run_sync(file.read, self._read, PIECE_BYTES)
            self._read += len(piece)
            yield piece

    def leave_by(self, abort: Callable[[], object]) -> None:
        """Use `abort`, which belongs to the running event loop, to drop the client's connection."""
        self._leave = partial(asyncio.get_running_loop().call_soon_threadsafe, abort)

    def leave(self) -> None:
        """Drop the client's connection. Thread-safe."""
        self._leave()

    def is_slow(self, grace_seconds: float) -> bool:
        seconds = monotonic() - self._begun
        return seconds > grace_seconds and self._read < _FAIR_RATE * seconds

    def close(self) -> None:
        """Stop reading. Idempotent."""
        if self._on_close is None:
            self.body.readers.discard(self)
        else:
            self._on_close(self)
