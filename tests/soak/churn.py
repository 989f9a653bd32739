"""Viewers who join a class, watch a run for a moment and leave, again and again."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from contextlib import suppress
from copy import copy

import websockets

from tests.support.application import Application
from tests.support.classroom.class_client import ClassClient

_LONGEST_STAY = 3.0
_PATIENCE = 60.0
"""Seconds in which a viewer must be greeted, and one who waits for it be removed, however busy the machine is."""
_GREETING = {"hello", "class"}
_REMOVED = 4403
"""The code that the socket of a viewer who was removed is closed with."""


class Churn:
    """Viewers who join, watch for a moment, and leave."""

    def __init__(self, application: Application, run_id: str, rate: float, seed: int) -> None:
        self.joined = 0
        self.ends: Counter[str] = Counter()
        """The ways in which viewers left."""
        self.faults: Counter[str] = Counter()
        self.greeted: list[float] = []
        """Seconds from an open socket to its first messages."""
        self.messages = 0
        self.bytes = 0
        self._application = application
        self._way_in = ClassClient(application)
        self._run_id = run_id
        self._rate = rate
        self._choose = random.Random(seed)

    async def go_on(self, seconds: float) -> None:
        """Let viewers come and go for so long. Returns when the last one has gone."""
        begun = time.monotonic()
        over = asyncio.Event()
        removing = asyncio.create_task(self._remove(over))
        watching: set[asyncio.Task[None]] = set()
        try:
            number = 0
            while (now := time.monotonic() - begun) < seconds:
                # Those who come late because the machine was busy come all the same.
                while number < now * self._rate and len(watching) < 10 * self._rate * _LONGEST_STAY:
                    task = asyncio.create_task(self._visit())
                    watching.add(task)
                    task.add_done_callback(watching.discard)
                    number += 1
                await asyncio.sleep(0.5 / self._rate)
            await asyncio.gather(*watching)
        finally:
            # What the presenter has begun ends first: a thread cannot be cancelled.
            over.set()
            await removing

    async def _visit(self) -> None:
        stay = self._choose.uniform(0.2, _LONGEST_STAY)
        how = self._choose.choice(("closed", "dropped", "removed"))
        try:
            cookie = await self._join()
            self.joined += 1
            async with websockets.connect(
                f"{self._way_in.url.replace('http', 'ws', 1)}/api/runs/{self._run_id}/beats",
                origin=websockets.Origin(self._way_in.url),
                additional_headers={"Cookie": cookie},
                compression=None,
                max_size=None,
                open_timeout=_PATIENCE,
                close_timeout=5,
                proxy=None,
            ) as socket:
                told = await self._watch(socket, _PATIENCE if how == "removed" else stay)
                if told is None and how == "dropped":
                    socket.transport.abort()
        except (OSError, websockets.WebSocketException, asyncio.IncompleteReadError, ValueError) as error:
            self.faults[f"{type(error).__name__}: {error}"[:120]] += 1
            return
        if told == _REMOVED:
            self.ends["removed"] += 1
        elif told is None and how != "removed":
            self.ends[how] += 1
        else:
            # The presenter removes a viewer every second, and these waited long.
            self.faults[f"closed with {told}, not removed"] += 1

    async def _join(self) -> str:
        """Join by the link. Returns the cookie.

        Raises:
            ValueError: the class does not let this viewer in.
        """
        status, cookie = await asyncio.to_thread(self._join_in_thread)
        if status != 204:
            raise ValueError(f"joining: {status}")
        return cookie

    def _join_in_thread(self) -> tuple[int, str]:
        viewer = copy(self._way_in)
        status = viewer.join()
        return status, viewer.cookie

    async def _watch(self, socket: websockets.ClientConnection, seconds: float) -> int | None:
        """Receive the first messages of a class, and then for so long. Returns the code with which the server closed the
        socket; None if it did not.

        Raises:
            ValueError: the first messages do not come.
        """
        kinds: set[str] = set()
        begun = time.monotonic()
        try:
            async with asyncio.timeout(_PATIENCE) as limit:
                async for data in socket:
                    self.messages += 1
                    self.bytes += len(data)
                    if kinds >= _GREETING or not isinstance(data, str):
                        continue
                    kinds.add(json.loads(data)["type"])
                    if kinds >= _GREETING:
                        self.greeted.append(time.monotonic() - begun)
                        limit.reschedule(asyncio.get_running_loop().time() + seconds)
        except TimeoutError:
            if not kinds >= _GREETING:
                raise ValueError(f"told only {sorted(kinds)}") from None
            return None
        except websockets.ConnectionClosed:
            pass
        return socket.close_code or 1006

    async def _remove(self, over: asyncio.Event) -> None:
        """Remove, as the presenter, those who have gone and a third of those who are here, again and again until it is over;
        take the newest link each time."""
        while not over.is_set():
            try:
                await asyncio.to_thread(self._remove_once)
            except (OSError, AssertionError) as error:
                self.faults[f"presenter: {error}"[:120]] += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), 1)

    def _remove_once(self) -> None:
        described = self._application.get("/api/class")
        self._way_in.secret = described["link"].rpartition("#")[2]
        now = time.time()
        for member in described["members"]:
            aged = now - member["joined"] > 2 * _LONGEST_STAY
            if aged or (member["connected"] and self._choose.random() < 1 / 3):
                # It can only be gone if another caller removed it, and none does.
                self._application.change("DELETE", f"/api/class/members/{member['id']}")
