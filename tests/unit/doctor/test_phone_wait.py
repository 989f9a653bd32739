"""The wait: how long it is, that sleep is noticed, and that nothing slow holds up its end."""

from __future__ import annotations

import asyncio

import pytest

from lamplighter.doctor.network_probe import FirewallFacts
from lamplighter.doctor.phone_page import PhonePage
from lamplighter.doctor.phone_wait import PhoneWait, wait_for_phone
from tests.unit.doctor.fake_probe import HOME, LOOPBACK, FakeProbe, at, facts

pytestmark = pytest.mark.anyio


async def wait(probe: FakeProbe, seconds: float = 0.2) -> PhoneWait:
    page = PhonePage(probe, "127.0.0.1", 0)
    try:
        return await wait_for_phone(probe, page, probe.look_around(), seconds, tick=0.05)
    finally:
        page.close()


async def test_a_wait_in_vain_tells_of_before_and_after():
    later = facts(at("192.168.1.9"))
    found = await wait(FakeProbe(views=[HOME, later], firewall=FirewallFacts("on", "ufw")))
    assert found.visit is None
    assert (found.before, found.after) == (HOME, later)
    assert found.firewall == FirewallFacts("on", "ufw")
    assert found.waited >= 0.2
    assert found.slept == 0


async def test_a_phone_ends_the_wait():
    probe = FakeProbe(slow=600)
    page = PhonePage(probe, "127.0.0.1", 0)
    waiting = asyncio.create_task(wait_for_phone(probe, page, HOME, 600, tick=0.05))
    reader, writer = await asyncio.open_connection("127.0.0.1", page.port)
    writer.write(f"GET /{page.path} HTTP/1.1\r\n\r\n".encode())
    await reader.read()
    # The firewall is still being asked, and nobody waits for that.
    found = await asyncio.wait_for(waiting, 10)
    writer.close()
    page.close()
    assert found.visit is not None
    assert found.visit.phone == LOOPBACK


async def test_sleep_shows_between_the_clocks():
    found = await wait(FakeProbe(sleeps=[0, 40.0]))
    assert 39 < found.slept < 41


async def test_a_clock_that_is_set_back_is_no_sleep():
    found = await wait(FakeProbe(sleeps=[0, -40.0]))
    assert found.slept == 0


async def test_a_firewall_that_takes_too_long_is_unknown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("lamplighter.doctor.phone_wait._FIREWALL_SECONDS", 0.05)
    found = await wait(FakeProbe(slow=600))
    assert found.firewall.state == "unknown"


async def test_addresses_that_answer_are_told_from_those_that_do_not():
    found = await wait(FakeProbe(views=[facts(at("127.0.0.1"))], own=frozenset([LOOPBACK])))
    assert found.answered == {LOOPBACK}
    # The page listens on one address of this machine only.
    found = await wait(FakeProbe(views=[facts(at("127.0.0.2"))]))
    assert found.answered == frozenset()
