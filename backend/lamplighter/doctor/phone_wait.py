"""The wait for a phone, and what was seen of the network meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from lamplighter.doctor.network_probe import FirewallFacts, NetworkFacts, NetworkProbe
from lamplighter.doctor.phone_page import PhonePage, PhoneVisit
from lamplighter.platform.interface_addresses import Address

_TICK = 0.5
_LATE = 5.0
"""Seconds by which a tick is late only if the machine stood still."""
_DRIFT = 3.0
"""Seconds between two clocks that no setting of the clock explains, but a sleep does."""
_FIREWALL_SECONDS = 10.0
_LOOK_SECONDS = 5.0

Fact = TypeVar("Fact")


@dataclass(frozen=True)
class PhoneWait:
    """All that was seen while a phone was waited for."""

    visit: PhoneVisit | None
    """The phone; None if none came."""
    before: NetworkFacts
    after: NetworkFacts
    firewall: FirewallFacts
    waited: float
    """Seconds."""
    slept: float
    """Seconds that the machine slept meanwhile; 0 if it did not."""
    answered: frozenset[Address]
    """The addresses of this machine at which it reached the page itself."""
    strangers: tuple[Address, ...] = ()
    """Others that reached the port and did not ask for the page."""
    asked_for_tls: bool = False
    """True if one of them came with https."""
    opened_here: bool = False
    """True if the page was opened on this machine itself."""


async def wait_for_phone(
    probe: NetworkProbe, page: PhonePage, before: NetworkFacts, seconds: float, tick: float = _TICK
) -> PhoneWait:
    """Serve the page until a phone has opened it, at most so many seconds.

    Args:
        probe: the machine.
        page: the page; its port is closed when this returns.
        before: the network at the beginning.
        seconds: how long to wait.
        tick: seconds between two looks at the clocks.
    """
    firewall = _Reading(lambda: probe.read_firewall(page.port))
    server = await page.serve()
    try:
        answered = frozenset([one.address for one in before.addresses if await page.answers_at(one.address)])
        begun = last = probe.read_clocks()
        slept = 0.0
        while True:
            seen = await page.wait(min(tick, max(0.0, seconds - (last[0] - begun[0]))))
            now = probe.read_clocks()
            slept += _sleep_between(last, now, tick)
            last = now
            if seen or now[0] - begun[0] >= seconds:
                break
        after, facts = before, FirewallFacts("unknown")
        if not seen:
            after = await _Reading(probe.look_around).finish(_LOOK_SECONDS, before)
            facts = await firewall.finish(_FIREWALL_SECONDS, facts)
        return PhoneWait(
            page.visit,
            before,
            after,
            facts,
            last[0] - begun[0],
            slept,
            answered,
            tuple(page.strangers),
            page.asked_for_tls,
            page.opened_here,
        )
    finally:
        server.close()


def _sleep_between(last: tuple[float, float], now: tuple[float, float], tick: float) -> float:
    """Return the seconds that the machine slept between two readings of its clocks.

    On Linux and macOS the clock that only goes on stands still meanwhile, and the wall's does not; on Windows both
    go on, and the reading is late.
    """
    passed, on_the_wall = now[0] - last[0], now[1] - last[1]
    if on_the_wall - passed >= _DRIFT:
        return on_the_wall - passed
    return passed - tick if passed >= tick + _LATE else 0.0


class _Reading(Generic[Fact]):
    """A reading in a thread that nobody has to wait for, so that Ctrl-C ends the program at once."""

    def __init__(self, read: Callable[[], Fact]) -> None:
        self._read = read
        self._found: list[Fact] = []
        self._done = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._run, daemon=True).start()

    async def finish(self, seconds: float, otherwise: Fact) -> Fact:
        """Return what was found; something else if it takes longer than so many seconds, or fails."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._done.wait()
        return self._found[0] if self._found else otherwise

    def _run(self) -> None:
        with suppress(OSError):
            self._found.append(self._read())
        # The loop may have ended meanwhile.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._done.set)
