"""Viewers who wish their class ill, each with a good session: `python -m benchmarks.classroom.hostile URL RUN COOKIE...`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from contextvars import ContextVar

from benchmarks.hostile_clients import Attack, Client, run_attack

EACH = 10
"""Clients of each of the five kinds."""
_member: ContextVar[str] = ContextVar("member")
_FLOOD = b"\x81\x8b\x00\x00\x00\x00" + b"not a guess"


class ClassAttack(Attack):
    """Fifty clients of one process."""

    def __init__(self, url: str, run: str, *cookies: str) -> None:
        """Choose a class on this machine, one of its runs, and a session for each client."""
        super().__init__(url, run)
        self.socket_path = f"/api/runs/{run}/beats"
        self._origin = url
        self._cookies = cookies

    def kinds(self) -> list[tuple[Client, int]]:
        """Return the kinds of clients, and how many there are of each."""
        kinds = (self._stall, self._ping, self._flood, self._reconnect, self._read_slowly)
        return [(self._as_member(kind, number), EACH) for number, kind in enumerate(kinds)]

    def more_headers(self) -> str:
        """Return the headers of the member that this task is."""
        return f"Origin: {self._origin}\r\nCookie: {_member.get()}\r\n"

    def _as_member(self, client: Client, kind: int) -> Client:
        async def act(number: int) -> None:
            _member.set(self._cookies[(kind * EACH + number) % len(self._cookies)])
            await client(number)

        return act

    async def _stall(self, _: int) -> None:
        """Watch, and read nothing."""
        writer = (await self._upgrade("", buffer=4_096))[1]
        with contextlib.closing(writer):
            await asyncio.sleep(60)

    async def _flood(self, _: int) -> None:
        """Say something that is no prediction, as fast as it is taken."""
        writer = (await self._upgrade(""))[1]
        with contextlib.closing(writer):
            while not writer.is_closing():
                writer.write(_FLOOD * 50)
                await writer.drain()


if __name__ == "__main__":
    os.setpriority(os.PRIO_PROCESS, 0, 19)
    run_attack(ClassAttack(*sys.argv[1:]))
