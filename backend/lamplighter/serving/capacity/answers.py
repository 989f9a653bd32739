"""Answers that are made once for all who ask for them, and kept for a while.

An answer is told by its key, which names everything that it depends on (its entity tag does). Whoever asks while it is
being made reads along, without a slot and without a thread; whoever asks soon afterwards reads what is kept. While it
still waits for a slot, the first callers wait for one each, and it is made in the turn of whose comes first: nobody waits
for the turn of one who asks for much. A thread writes it to the spool as fast as it can be made, and holds a slot
meanwhile; how fast it is read does not matter to it.

A first byte is sent as soon as there is one, so that a client that reads fast does not wait for the whole answer. If
all who asked for an answer have left, its making is broken off.
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

from lamplighter.serving.capacity.caller import Caller
from lamplighter.serving.capacity.response_limiter import LargeResponseLimiter
from lamplighter.serving.capacity.spool import Spool, SpoolFile
from lamplighter.serving.capacity.thread_pools import Pool, ThreadPools

PIECE_BYTES = 1 << 17
_KEPT_BYTES = 256 << 20
_KEPT = 32
"""Answers that nobody reads and are kept all the same; each holds a descriptor."""
_MOST_ORDERS = 3
"""Callers that wait for a slot for the same answer."""
_GRACE_SECONDS = 5.0
_FAIR_RATE = 1 << 20
"""Bytes a second below which a reader is left when others need its room."""


@dataclass(frozen=True)
class AnswerOrder:
    """An answer that is wanted, and how it is made."""

    key: str | None
    """All that it depends on; without it, it is made for this order alone."""
    cost: int
    """Bytes of memory that making it takes."""
    make: Callable[[], Iterable[bytes]]
    """Makes its parts, in a thread. A list has all of them; anything else is made as it is read."""
    length: int | None
    """Total bytes, if known."""
    caller: Caller


class _AbandonedError(Exception):
    """The end of an answer that nobody waits for any more."""


class Answer:
    """A body that is being made, or has been."""

    def __init__(self, file: SpoolFile | None = None, length: int | None = None) -> None:
        """Begin an answer; with a `file`, one that is complete."""
        self.file = file
        self.length = file.size if file is not None and length is None else length
        """Total bytes, if known before it is complete."""
        self.done = file is not None
        self.orders: dict[Caller, asyncio.Task[None]] = {}
        """The tasks that wait for a slot for it, or make it."""
        self.begun = False
        """True once one of them makes it."""
        self.error: BaseException | None = None
        self.readers: set[AnswerReader] = set()
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def size(self) -> int:
        """Return the bytes made so far."""
        return 0 if self.file is None else self.file.size

    def notify(self) -> None:
        """Let all go on who wait for more. Belongs to the event loop."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def wait_beyond(self, offset: int) -> None:
        """Wait until there are more than `offset` bytes, or all.

        Raises:
            Exception: the error with which the making ended.
        """
        while self.size <= offset and not self.done:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future
        if self.error is not None:
            raise self.error


class AnswerReader:
    """One client's reading of an answer, from its beginning to its end."""

    def __init__(self, answer: Answer, on_close: Callable[[AnswerReader], None] | None = None) -> None:
        """Read `answer`; `on_close` takes it off its readers in the end."""
        self.answer = answer
        self._leave: Callable[[], object] = lambda: None
        self._on_close = on_close
        self._begun = monotonic()
        self._read = 0
        answer.readers.add(self)

    async def begin(self) -> None:
        """Wait for the first bytes.

        Raises:
            BusyError: it is not made now.
            Exception: the error with which the making ended.
        """
        await self.answer.wait_beyond(0)

    async def pieces(self) -> AsyncGenerator[bytes]:
        """Yield the body in pieces, as it is made."""
        while True:
            await self.answer.wait_beyond(self._read)
            file = self.answer.file
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
        """Drop the client's connection. Any thread may call this."""
        self._leave()

    def is_slow(self) -> bool:
        """Return whether the client has read slowly for a while."""
        seconds = monotonic() - self._begun
        return seconds > _GRACE_SECONDS and self._read < _FAIR_RATE * seconds

    def close(self) -> None:
        """Stop reading. Safe to call again."""
        if self._on_close is None:
            self.answer.readers.discard(self)
        else:
            self._on_close(self)


class Answers:
    """The answers that are being made, read or kept. Belongs to one event loop, unless a method says otherwise."""

    def __init__(self, limiter: LargeResponseLimiter, pools: ThreadPools, spool: Spool) -> None:
        """Make answers within these limits."""
        self._limiter = limiter
        self._pools = pools
        self._spool = spool
        self._lock = threading.Lock()
        self._by_key: OrderedDict[tuple[str, bool], Answer] = OrderedDict()
        self._held: set[Answer] = set()
        self._orders = count()
        self._closed = False
        self.made = 0
        """Answers made so far."""
        spool.make_room = self._make_room

    def open(self, order: AnswerOrder) -> AnswerReader:
        """Return a reader of the answer, which is made unless it is being made or kept. `begin` tells of refusals."""
        presenter = order.caller.presenter
        own_key = order.key or f"one-time {next(self._orders)}"
        with self._lock:
            for key in ((own_key, presenter), (own_key, not presenter)):
                answer = self._by_key.get(key)
                # An answer of others that still waits for a slot may be refused where this caller is not.
                if answer is not None and (key[1] == presenter or answer.file is not None):
                    self._by_key.move_to_end(key)
                    break
            else:
                answer = self._by_key[own_key, presenter] = Answer(length=order.length)
            reader = AnswerReader(answer, self._on_close)
        is_waiting = not (answer.begun or answer.done)
        if is_waiting and order.caller not in answer.orders and len(answer.orders) < _MOST_ORDERS:
            answer.orders[order.caller] = asyncio.create_task(self._make_in_turn(answer, order))
        return reader

    def hold(self, body: bytes, *, presenter: bool = False) -> AnswerReader:
        """Write a finished body into the spool. Returns its only reader. Blocks briefly, so call it from a thread.

        Raises:
            BusyError: the spool has no room for it.
        """
        answer = Answer(self._spool.hold(body, presenter=presenter))
        with self._lock:
            self._held.add(answer)
            return AnswerReader(answer, self._on_close)

    @property
    def spooled_bytes(self) -> int:
        """Return the bytes that answers have taken or reserved in the spool."""
        return self._spool.used

    def close(self) -> None:
        """Break off whatever is being made."""
        self._closed = True

    async def _make_in_turn(self, answer: Answer, order: AnswerOrder) -> None:
        """Make an answer when there is a slot for this order, unless there is one for another order first."""
        try:
            release = await self._limiter.acquire(order.caller, order.cost)
        except BaseException as error:
            del answer.orders[order.caller]
            if not answer.begun and not answer.orders:
                self._end(answer, error)
            if not isinstance(error, (Exception, asyncio.CancelledError)):
                raise
            return
        answer.begun = True
        for caller, other in answer.orders.items():
            if caller != order.caller:
                other.cancel()
        try:
            await self._make(answer, order)
        finally:
            release()
            del answer.orders[order.caller]

    async def _make(self, answer: Answer, order: AnswerOrder) -> None:
        """Make an answer and wake its readers; its errors are theirs."""
        loop = asyncio.get_running_loop()

        def work() -> None:
            self._write(answer, order, partial(loop.call_soon_threadsafe, answer.notify))

        try:
            await self._pools.run_in(Pool.MAKING, work, caller=order.caller)
        except BaseException as error:
            self._end(answer, error)
            if not isinstance(error, Exception):
                raise
        else:
            self.made += 1
            self._end(answer)

    def _end(self, answer: Answer, error: BaseException | None = None) -> None:
        answer.done, answer.error = True, error
        if error is not None:
            self._forget(answer)
        answer.notify()
        self._keep_few()

    def _write(self, answer: Answer, order: AnswerOrder, notify: Callable[[], object]) -> None:
        """Write an answer to the spool, in a thread."""
        parts = order.make()
        if isinstance(parts, list):
            answer.length = sum(map(len, parts))
        iterator = iter(parts)
        try:
            for part in iterator:
                if answer.file is None:
                    answer.file = self._spool.open(answer.length, presenter=order.caller.presenter)
                self._require_wanted(answer)
                answer.file.write(part)
                notify()
            if answer.file is not None:
                answer.file.trim()
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    def _require_wanted(self, answer: Answer) -> None:
        with self._lock:
            if self._closed or not answer.readers:
                # Nobody can begin to read it between this look and its end.
                self._remove(answer)
                raise _AbandonedError

    def _on_close(self, reader: AnswerReader) -> None:
        answer = reader.answer
        with self._lock:
            answer.readers.discard(reader)
            if answer.readers or not answer.done:
                return
            self._held.discard(answer)
            kept = any(answer is other for other in self._by_key.values())
        if not kept and answer.file is not None:
            answer.file.close()
        self._keep_few()

    def _forget(self, answer: Answer) -> None:
        with self._lock:
            self._remove(answer)
        if not answer.readers and answer.file is not None:
            answer.file.close()

    def _remove(self, answer: Answer) -> None:
        for key, other in list(self._by_key.items()):
            if other is answer:
                del self._by_key[key]

    def _keep_few(self) -> None:
        """Keep only as many answers that nobody reads as there may be, the last ones asked for."""
        with self._lock:
            idle = [answer for answer in self._by_key.values() if answer.done and not answer.readers]
        size = sum(answer.size for answer in idle)
        for index, answer in enumerate(idle):
            if size <= _KEPT_BYTES and len(idle) - index <= _KEPT:
                break
            size -= answer.size
            self._forget(answer)

    def _make_room(self) -> bool:
        """Give up the answer that was asked for longest ago and that nobody reads. Without one, leave the slowest readers, so
        that the next who asks has room. Any thread calls this.
        """
        with self._lock:
            complete = [*(answer for answer in self._by_key.values() if answer.done), *self._held]
            idle = next((answer for answer in complete if not answer.readers), None)
            if idle is not None:
                self._remove(idle)
        if idle is not None:
            if idle.file is not None:
                idle.file.close()
            return True
        for answer in complete:
            readers = list(answer.readers)
            if all(reader.is_slow() for reader in readers):
                for reader in readers:
                    reader.leave()
                self._forget(answer)
                break
        return False
