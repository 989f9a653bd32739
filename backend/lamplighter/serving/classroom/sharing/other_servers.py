"""The viewers with an open page at the other servers of a class, which each server tells once a second."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import NamedTuple

from nats.aio.msg import Msg
from pydantic import ValidationError

from lamplighter.serving.classroom.sharing.class_state import Here
from lamplighter.serving.fanout.broker import BROKER_ERRORS, STUCK_SECONDS, Broker

SUBJECT = "lamp.class.here"
_SECONDS = 1.0
_KEPT_SECONDS = 4.0
"""Seconds after which the viewers of a server that says nothing are no longer there."""
_MAX_SERVERS = 64
_MAX_BYTES = 1 << 20


class Present(NamedTuple):
    """Who is at one server: ids of sessions."""

    sessions: Collection[str]
    """Those with an open page."""
    asking: Collection[str]
    """Those that have sent a request just now."""
    behind: int
    """How many are more than a second behind."""


@dataclass(frozen=True)
class _Server:
    sessions: frozenset[str]
    behind: int
    at: float


class OtherServers:
    """The viewers at other servers. Belongs to the broker's loop, except for what is said to be thread-safe."""

    def __init__(
        self,
        broker: Broker,
        present: Callable[[], Present],
        note: Callable[[str, Collection[str], Collection[str]], None],
    ) -> None:
        """Say who is here, and hear who is elsewhere. `note` is called with a server's name, the sessions with an
        open page there, and those that ask there.
        """
        self._broker, self._present, self._note = broker, present, note
        self._servers: dict[str, _Server] = {}

    def viewers(self) -> tuple[set[str], int]:
        """Return the ids of the sessions with an open page elsewhere, and how many of these are behind. Thread-safe."""
        found = list(self._servers.values())
        return {one for server in found for one in server.sessions}, sum(server.behind for server in found)

    async def say_often(self) -> None:
        """Say who is here, and forget servers that say nothing any more."""
        while not self._broker.closed:
            await self.say(self._present())
            for name, server in list(self._servers.items()):
                if time.monotonic() - server.at > _KEPT_SECONDS:
                    del self._servers[name]
                    self._note(name, (), ())
            await asyncio.sleep(_SECONDS)

    async def say(self, present: Present) -> None:
        """Say who is here, unless the broker is away."""
        here = Here(
            server=self._broker.holder,
            sessions=sorted(present.sessions),
            asking=sorted(present.asking),
            behind=present.behind,
        )
        with contextlib.suppress(*BROKER_ERRORS):
            async with asyncio.timeout(STUCK_SECONDS):
                await self._broker.client.publish(SUBJECT, here.model_dump_json().encode())

    async def note_message(self, message: Msg) -> None:
        if len(message.data) > _MAX_BYTES:
            return
        try:
            here = Here.model_validate_json(message.data)
        except ValidationError:
            return
        is_known = here.server in self._servers or len(self._servers) < _MAX_SERVERS
        if here.server != self._broker.holder and is_known:
            self._servers[here.server] = _Server(frozenset(here.sessions), here.behind, time.monotonic())
            self._note(here.server, here.sessions, here.asking)
