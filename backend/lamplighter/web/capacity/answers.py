"""Answers that are made once for all who ask for them, and kept for a while.

An answer is identified by its key, which names everything that it depends on (as its entity tag does). A caller that
asks while it is being made reads along, without a slot and without a thread; one that asks soon afterwards reads the
kept answer. While an answer waits for a slot, its first callers wait for one each, and the first turn that comes makes
it: no caller waits for the turn of one that asks for much. A thread writes the answer to the spool as fast as it can be
made, and holds a slot until it is whole; slow readers do not delay the thread.

A first byte is sent as soon as there is one, so that a client that reads fast does not wait for the whole answer. If
all who asked for an answer have left, its making is broken off.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from itertools import count

from lamplighter.web.capacity.answer import Answer, AnswerOrder, AnswerReader
from lamplighter.web.capacity.response_limiter import LargeResponseLimiter
from lamplighter.web.capacity.spool import Spool
from lamplighter.web.capacity.thread_pools import Pool, ThreadPools

_KEPT_BYTES = 256 << 20
_KEPT = 32
"""Answers that nobody reads and are kept all the same; each holds a descriptor."""
_MAX_ORDERS = 3
"""Callers that wait for a slot for the same answer."""


class _AbandonedError(Exception):
    """The end of an answer that nobody waits for any more."""


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
        if is_waiting and order.caller not in answer.orders and len(answer.orders) < _MAX_ORDERS:
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

    def close(self) -> None:
        """Break off whatever is being made."""
        self._closed = True

    async def _make_in_turn(self, answer: Answer, order: AnswerOrder) -> None:
        """Make an answer when there is a slot for this order, unless there is one for another order first."""
        try:
            release = await self._limiter.acquire(order.caller, order.cost)
        except BaseException as error:
            answer.orders.pop(order.caller, None)
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
        # A task that was cancelled before its first step has not taken itself off.
        answer.orders.clear()
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
