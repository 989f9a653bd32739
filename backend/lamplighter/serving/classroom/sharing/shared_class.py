"""One class on several servers. One server owns it at a time, and its decisions count once they are stored in the broker.

The owner has a lease. It writes the whole state of the class under one key, each time in place of what it wrote last: an
owner that has lost its lease without noticing finds another's state there, and its own is refused. The other servers
read the state, and ask the owner for what their viewers want. A presenter who changes something makes his server the owner.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Callable, Collection, Coroutine
from concurrent.futures import CancelledError
from typing import Any, Protocol, TypeVar

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from pydantic import ValidationError

from lamplighter.contract.sentences import say
from lamplighter.serving.classroom.sharing import other_servers, stored_state
from lamplighter.serving.classroom.sharing.class_state import (
    ASKS,
    Answer,
    ClassState,
    JoinAsk,
    LeadAsk,
    PointAsk,
    PredictAsk,
    StateError,
    ViewerAsk,
    decode_state,
)
from lamplighter.serving.fanout.broker import BROKER_ERRORS, RENEW_SECONDS, STUCK_SECONDS, Broker, Lease
from lamplighter.serving.schemas.classroom import PredictionMessage
from lamplighter.web.http.problems import RefusedError

log = logging.getLogger(__name__)

WAIT_SECONDS = 6.0
"""Seconds to wait for an owner: longer than the lease of one that is gone."""
_ASK_SECONDS = 1.0
_AGAIN_SECONDS = 0.1
_WRITE_SECONDS = 0.1
"""Minimum seconds between two states."""
_POLL_SECONDS = 1.0
"""Seconds between two looks at the state, in case that one did not arrive."""
_ASK = "lamp.class.ask"
_MAX_ASK = 16 << 10
_MAX_ASKED = 2_000
"""Maximum asks that wait for their answer to count."""

T = TypeVar("T")


class Decider(Protocol):
    """The class, as far as what is shared goes. Thread-safe."""

    def export_state(self) -> ClassState:
        """Return its state, without owner, fence and revision."""
        ...

    def restore_state(self, state: ClassState, *, kept: bool) -> None:
        """Take over a state. `kept`: another server goes on to change it."""
        ...

    def decide(self, ask: ViewerAsk) -> Answer:
        """Do what a viewer of another server wants. The same again changes nothing."""
        ...

    def announce(self) -> None:
        """Tell the viewers here of the state."""
        ...

    def note_elsewhere(self, server: str, sessions: Collection[str], asking: Collection[str]) -> None: ...


class SharedClass:
    """The part that one server has in a class. Thread-safe, except for what is said to run on the broker's loop."""

    def __init__(
        self, broker: Broker, classroom: Decider, present: Callable[[], other_servers.Present]
    ) -> None:
        self._broker, self._classroom = broker, classroom
        self.others = other_servers.OtherServers(broker, present, classroom.note_elsewhere)
        self._stored = stored_state.StoredState(broker)
        self._lease = Lease(broker, "class", broker.holder)
        self.is_owner = self._is_taking = False
        self._reached = (0, 0)
        """The place of the newest state that is known here."""
        self._changes = itertools.count(1)
        self._newest_change = self._stored_change = 0
        """The numbers of the newest change that was made here, and of the newest that stands in the broker."""
        self._turn = asyncio.Lock()
        """Held while ownership or the state in the broker changes."""
        self._is_stopped = False
        self._answers: dict[str, PredictionMessage] = {}
        """The newest prediction of each session that the owner has not taken yet."""
        self._asking: Subscription | None = None
        self._asked: set[asyncio.Task[None]] = set()
        self._yielded_until = 0.0
        self._news = asyncio.Event()
        self._dirty = asyncio.Event()
        self._outbox = asyncio.Event()

    # Any thread.

    def start(self) -> None:
        for work in (self._keep, self._listen, self._write_often, self._forward, self.others.say_often):
            self._broker.spawn(self._go_on(work))

    def wait_ready(self) -> None:
        """Wait until the state of the class is known here. Raises RefusedError (503) if it is not in time."""

        async def ready() -> None:
            while self._reached == (0, 0):
                await self._wait_for_news()

        self._wait(ready())

    def stop(self) -> None:
        """Give the class away, and close the broker; wait up to 2 s for each."""
        if self._is_stopped:
            return
        self._is_stopped = True
        with contextlib.suppress(CancelledError, *BROKER_ERRORS):
            self._broker.spawn(self._leave()).result(2.0)
        self._broker.close()

    def note_changed(self) -> None:
        """Note that the class was changed here, so that it is written."""
        self._newest_change = next(self._changes)
        self._broker.call_soon(self._dirty.set)

    def wait_stored(self) -> None:
        """Wait until what was changed here stands in the broker. Raises RefusedError (503) if it does not in time,
        or another server owns the class by now.
        """
        if not self._wait(self._until_stored()):
            raise _away()

    def lead(self) -> None:
        """Make this server the owner. Raises RefusedError (503) while the broker is away."""
        if not (self.is_owner and self._lease.is_held):
            self._wait(self._take_lead())

    def ask(self, ask: JoinAsk | PointAsk) -> Answer:
        """Ask the owner, and return its answer once it counts here. Raises RefusedError (503) if there is no owner
        in time.
        """
        return self._wait(self._ask_owner(ask))

    def send_answer(self, session: str, prediction: PredictionMessage) -> None:
        """Give a viewer's prediction to the owner, as often as it takes. A later one of the viewer replaces it."""

        def put() -> None:
            self._answers[session] = prediction
            self._outbox.set()

        self._broker.call_soon(put)

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        future = self._broker.spawn(asyncio.wait_for(work, WAIT_SECONDS))
        try:
            return future.result(WAIT_SECONDS + 1.0)
        except (TimeoutError, CancelledError) as error:
            future.cancel()
            raise _away() from error

    # The broker's loop: who owns the class.

    async def _go_on(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while not self._is_stopped:
            try:
                await work()
            except BROKER_ERRORS:
                self._broker.forget_buckets()
            except Exception:
                log.exception("a class on several servers")
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _keep(self) -> None:
        """Own the class while no other server does."""
        while not self._is_stopped:
            if self._broker.is_connected and time.monotonic() >= self._yielded_until:
                await self._try_to_own()
            elif self.is_owner and not self._lease.is_held:
                async with asyncio.timeout(STUCK_SECONDS), self._turn:
                    await self._lose()
            await asyncio.sleep(RENEW_SECONDS)

    async def _try_to_own(self) -> bool:
        async with asyncio.timeout(STUCK_SECONDS), self._turn:
            held = await self._lease.hold()
            if held and not self.is_owner:
                try:
                    await self._take_over()
                except BROKER_ERRORS as error:
                    log.warning("the class cannot be taken over yet: %s", error)
                    self._broker.forget_buckets()
            elif not held and self.is_owner:
                await self._lose()
            return self.is_owner

    async def _take_over(self) -> None:
        # Its own state arrives while it is written.
        self._is_taking = True
        try:
            await self._take()
        finally:
            self._is_taking = False

    async def _take(self) -> None:
        state = None
        try:
            state = await self._stored.take_over(self._reached[0])
        except StateError as error:
            log.warning("a class on several servers: %s", error)
        # Where nothing can be read, it goes on as it is known here.
        self._classroom.restore_state(state or self._classroom.export_state(), kept=False)
        if await self._write():
            # First, because an owner that cannot be asked would keep its lease.
            self._asking = await self._broker.client.subscribe(_ASK, cb=self._take_ask)
            self.is_owner = True
            self._settle()

    async def _lose(self) -> None:
        self.is_owner = False
        asking, self._asking = self._asking, None
        if asking is not None:
            with contextlib.suppress(*BROKER_ERRORS):
                await asking.unsubscribe()
        # Changes that never stood in the broker never were.
        self._reached = (0, 0)
        with contextlib.suppress(*BROKER_ERRORS):
            await self._look()

    async def _give_away(self) -> None:
        """End the own part as owner, with all that was changed."""
        async with asyncio.timeout(STUCK_SECONDS), self._turn:
            if not self.is_owner:
                return
            if self._stored_change < self._newest_change:
                with contextlib.suppress(*BROKER_ERRORS):
                    await self._write()
            # Time for the server that asked to take it.
            self._yielded_until = time.monotonic() + RENEW_SECONDS
            await self._lease.release()
            await self._lose()

    async def _leave(self) -> None:
        await self._give_away()
        await self.others.say(other_servers.Present((), (), 0))

    async def _take_lead(self) -> None:
        ask = LeadAsk().model_dump_json().encode()
        while not await self._try_to_own():
            try:
                await self._broker.client.request(_ASK, ask, timeout=_ASK_SECONDS)
            except BROKER_ERRORS:
                await asyncio.sleep(_AGAIN_SECONDS)

    # The broker's loop: the state.

    async def _write(self) -> bool:
        """Write the state. Returns False if another owner has written since."""
        change = self._newest_change
        state = await self._stored.write_state(self._classroom.export_state())
        if state is None:
            return False
        self._reached, self._stored_change = state.place, change
        return True

    async def _write_often(self) -> None:
        while not self._is_stopped:
            await self._dirty.wait()
            self._dirty.clear()
            try:
                async with asyncio.timeout(STUCK_SECONDS), self._turn:
                    if self.is_owner and self._stored_change < self._newest_change:
                        if await self._write():
                            self._settle()
                        else:
                            await self._lose()
            except BROKER_ERRORS as error:
                log.warning("the class waits for the broker: %s", error)
                self._broker.forget_buckets()
                self._dirty.set()
            await asyncio.sleep(_WRITE_SECONDS)

    def _settle(self) -> None:
        """Wake those that wait, and the viewers here, after a state is stored."""
        self._news.set()
        self._news = asyncio.Event()
        self._classroom.announce()

    async def _listen(self) -> None:
        """Follow the states of the owner, and who is at the other servers."""
        if not self._broker.is_connected:
            return
        states = await self._broker.client.subscribe(stored_state.SUBJECT, cb=self._take_state)
        here = await self._broker.client.subscribe(other_servers.SUBJECT, cb=self.others.note_message)
        try:
            while not self._is_stopped:
                async with asyncio.timeout(STUCK_SECONDS):
                    await self._look()
                await asyncio.sleep(_POLL_SECONDS)
        finally:
            for one in (states, here):
                with contextlib.suppress(*BROKER_ERRORS):
                    await one.unsubscribe()

    async def _look(self) -> None:
        """Read the state, in case that it did not arrive."""
        if not self.is_owner and (data := await self._stored.read_state()) is not None:
            self._accept(data)

    async def _take_state(self, message: Msg) -> None:
        self._accept(message.data)

    def _accept(self, data: bytes) -> None:
        if self.is_owner or self._is_taking:
            return
        try:
            state = decode_state(data)
        except StateError as error:
            log.warning("a class on several servers: %s", error)
            return
        if state.place > self._reached:
            self._reached = state.place
            self._classroom.restore_state(state, kept=True)
            self._settle()

    # The broker's loop: what viewers want.

    async def _take_ask(self, message: Msg) -> None:
        # Each waits until it counts, and many are written together.
        if len(message.data) <= _MAX_ASK and len(self._asked) < _MAX_ASKED:
            task = asyncio.create_task(self._answer(message))
            self._asked.add(task)
            task.add_done_callback(self._asked.discard)

    async def _answer(self, message: Msg) -> None:
        """Answer another server. Without an answer, it asks the next owner."""
        try:
            ask = ASKS.validate_json(message.data)
        except ValidationError:
            return
        if isinstance(ask, LeadAsk):
            await self._give_away()
            answer = Answer()
        elif self.is_owner:
            answer = self._classroom.decide(ask)
            if not await self._until_stored():
                return
            fence, revision = self._reached
            answer = answer.model_copy(update={"fence": fence, "revision": revision})
        else:
            return
        with contextlib.suppress(*BROKER_ERRORS):
            await message.respond(answer.model_dump_json().encode())

    async def _ask_owner(self, ask: ViewerAsk) -> Answer:
        data = ask.model_dump_json().encode()
        while True:
            if self.is_owner:
                answer = self._classroom.decide(ask)
                if await self._until_stored():
                    return answer
            try:
                reply = await self._broker.client.request(_ASK, data, timeout=_ASK_SECONDS)
                answer = Answer.model_validate_json(reply.data)
            except (*BROKER_ERRORS, ValidationError):
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            while self._reached < (answer.fence, answer.revision):
                await self._wait_for_news()
            return answer

    async def _until_stored(self) -> bool:
        """Wait until what was changed stands in the broker. Returns False if this is not the owner any more."""
        change = self._newest_change
        while self.is_owner and self._stored_change < change:
            self._dirty.set()
            await self._wait_for_news()
        return self.is_owner

    async def _wait_for_news(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), _AGAIN_SECONDS)

    async def _forward(self) -> None:
        """Give predictions to the owner, all that wait at a time."""
        while not self._is_stopped:
            await self._outbox.wait()
            self._outbox.clear()
            waiting, self._answers = self._answers, {}
            await asyncio.gather(*(self._forward_one(*one) for one in waiting.items()))

    async def _forward_one(self, session: str, prediction: PredictionMessage) -> None:
        try:
            ask = PredictAsk(session=session, prediction=prediction)
            await asyncio.wait_for(self._ask_owner(ask), WAIT_SECONDS)
        except TimeoutError:
            # A later one of the same viewer may have come.
            self._answers.setdefault(session, prediction)
            self._outbox.set()


def _away() -> RefusedError:
    return RefusedError(503, say("class_is_away"), headers={"Retry-After": "2"})
