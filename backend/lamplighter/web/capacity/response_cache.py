"""Bodies of responses that are made once for all clients that request them, and kept for a while.

A body is identified by its key, which covers everything it depends on (like its entity tag). A request for a
body in the making shares it, without a slot or a thread; a later one reads the kept body. While a body waits
for a slot, each of its first callers waits for one, and the first turn makes it, so a caller is not delayed
by another one's many requests. A thread writes the body to the spool as fast as it can be made, and holds a
slot until it is complete; slow readers do not delay the thread.

The first byte is sent as soon as it exists, so a fast client does not wait for the whole body. If all clients
of a body have left, the making is aborted.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import count
from time import monotonic

import anyio.to_thread

from lamplighter.web.capacity.caller import Caller
from lamplighter.web.capacity.limiter import Limiter
from lamplighter.web.capacity.spool import Spool, SpoolFile
from lamplighter.web.capacity.thread_pools import Pool, ThreadPools

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


_GRACE_SECONDS = 5.0
_KEPT_BYTES = 256 << 20
_KEPT = 32
"""Maximum bodies kept without a reader; each holds a descriptor."""
_MAX_ORDERS = 3
"""Maximum callers that wait for a slot for the same body."""


class AbandonedError(Exception):
    """Raised to abort a body without readers."""


class ResponseCache:
    """The bodies being made, read or kept. Belongs to one event loop, unless a method says otherwise."""

    def __init__(
        self,
        limiter: Limiter,
        pools: ThreadPools,
        spool: Spool,
        *,
        kept: int = _KEPT,
        kept_bytes: int = _KEPT_BYTES,
        grace_seconds: float = _GRACE_SECONDS,
    ) -> None:
        """Keep at most `kept` bodies and `kept_bytes` without a reader. One may be slow for `grace_seconds` before
        it is dropped.
        """
        self._limiter = limiter
        self._pools = pools
        self._spool = spool
        self._kept, self._kept_bytes, self._grace_seconds = kept, kept_bytes, grace_seconds
        self._lock = threading.Lock()
        self._by_key: OrderedDict[tuple[str, bool], Body] = OrderedDict()
        self._held: set[Body] = set()
        self._orders = count()
        self._closed = False
        self.made = 0
        """Number of bodies made."""
        spool.make_room = self._make_room

    def open(self, order: BodyOrder) -> BodyReader:
        """Return a reader of the body, which is made unless it is being made or kept. Its `begin` raises refusals."""
        presenter = order.caller.presenter
        own_key = order.key or f"one-time {next(self._orders)}"
        with self._lock:
            for key in ((own_key, presenter), (own_key, not presenter)):
                body = self._by_key.get(key)
                # Another client's waiting body may be refused where this caller's is not.
                if body is not None and (key[1] == presenter or body.file is not None):
                    self._by_key.move_to_end(key)
                    break
            else:
                body = self._by_key[own_key, presenter] = Body(length=order.length)
            reader = BodyReader(body, self._on_close)
        is_waiting = not (body.begun or body.done)
        if is_waiting and order.caller not in body.orders and len(body.orders) < _MAX_ORDERS:
            body.orders[order.caller] = asyncio.create_task(self._make_in_turn(body, order))
        return reader

    def hold(self, content: bytes, *, presenter: bool = False) -> BodyReader:
        """Write a finished body into the spool and return its only reader. Blocks briefly, so call it from a
        thread. Raises BusyError if the spool has no room for it.
        """
        body = Body(self._spool.hold(content, presenter=presenter))
        with self._lock:
            self._held.add(body)
            return BodyReader(body, self._on_close)

    def require_wanted(self, key: str) -> None:
        """Call this now and then, from the thread that makes the body of a key, if its parts take long. Raises
        AbandonedError once all its clients have left.
        """
        with self._lock:
            bodies = [body for presenter in (True, False) if (body := self._by_key.get((key, presenter)))]
            if not self._closed and any(body.readers for body in bodies):
                return
            for body in bodies:
                self._remove(body)
        raise AbandonedError

    def close(self) -> None:
        self._closed = True

    async def _make_in_turn(self, body: Body, order: BodyOrder) -> None:
        """Make a body when this order gets a slot, unless another order gets one first."""
        try:
            release = await self._limiter.acquire(order.caller, order.cost)
        except BaseException as error:
            body.orders.pop(order.caller, None)
            if not body.begun and not body.orders:
                self._end(body, error)
            if not isinstance(error, (Exception, asyncio.CancelledError)):
                raise
            return
        body.begun = True
        for caller, other in body.orders.items():
            if caller != order.caller:
                other.cancel()
        try:
            await self._make(body, order)
        finally:
            release()

    async def _make(self, body: Body, order: BodyOrder) -> None:
        """Make a body and wake its readers, which receive its errors."""
        loop = asyncio.get_running_loop()

        def work() -> None:
            self._write(body, order, partial(loop.call_soon_threadsafe, body.notify))

        try:
            await self._pools.run_in(Pool.MAKING, work, caller=order.caller)
        except BaseException as error:
            self._end(body, error)
            if not isinstance(error, Exception):
                raise
        else:
            self.made += 1
            self._end(body)

    def _end(self, body: Body, error: BaseException | None = None) -> None:
        body.done, body.error = True, error
        # A task cancelled before its first step has not removed itself.
        body.orders.clear()
        if error is not None:
            self._forget(body)
        body.notify()
        self._keep_few()

    def _write(self, body: Body, order: BodyOrder, notify: Callable[[], object]) -> None:
        parts = order.make()
        if isinstance(parts, list):
            body.length = sum(map(len, parts))
        iterator = iter(parts)
        try:
            for part in iterator:
                if body.file is None:
                    body.file = self._spool.open(body.length, presenter=order.caller.presenter)
                self._require_wanted(body)
                body.file.write(part)
                notify()
            if body.file is not None:
                body.file.trim()
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    def _require_wanted(self, body: Body) -> None:
        with self._lock:
            if self._closed or not body.readers:
                # No reader can begin between this check and the end.
                self._remove(body)
                raise AbandonedError

    def _on_close(self, reader: BodyReader) -> None:
        body = reader.body
        with self._lock:
            body.readers.discard(reader)
            if body.readers or not body.done:
                return
            self._held.discard(body)
            kept = any(body is other for other in self._by_key.values())
        if not kept and body.file is not None:
            body.file.close()
        self._keep_few()

    def _forget(self, body: Body) -> None:
        with self._lock:
            self._remove(body)
        if not body.readers and body.file is not None:
            body.file.close()

    def _remove(self, body: Body) -> None:
        for key, other in list(self._by_key.items()):
            if other is body:
                del self._by_key[key]

    def _keep_few(self) -> None:
        with self._lock:
            idle = [body for body in self._by_key.values() if body.done and not body.readers]
        size = sum(body.size for body in idle)
        for index, body in enumerate(idle):
            if size <= self._kept_bytes and len(idle) - index <= self._kept:
                break
            size -= body.size
            self._forget(body)

    def _make_room(self) -> bool:
        """Drop the oldest body without a reader, else the slowest readers, so that the next request has room.
        Thread-safe.
        """
        with self._lock:
            complete = [*(body for body in self._by_key.values() if body.done), *self._held]
            idle = next((body for body in complete if not body.readers), None)
            if idle is not None:
                self._remove(idle)
        if idle is not None:
            if idle.file is not None:
                idle.file.close()
            return True
        for body in complete:
            readers = list(body.readers)
            if all(reader.is_slow(self._grace_seconds) for reader in readers):
                for reader in readers:
                    reader.leave()
                self._forget(body)
                break
        return False
