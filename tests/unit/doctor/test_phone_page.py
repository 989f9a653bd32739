"""The page that a phone opens, over real sockets: which clients count as phones, and the limits."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from lamplighter.cli.doctor.phone_page import PhonePage
from lamplighter.platform.own_addresses import Address

LOOPBACK = ipaddress.ip_address("127.0.0.1")


def not_own(_: Address) -> bool:
    """Return False, so that a loopback visitor counts as a phone."""
    return False


async def ask(page: PhonePage, request: bytes) -> bytes:
    """Return the page's complete answer to these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", page.port)
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def get(path: str) -> bytes:
    return f"GET /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n\r\n".encode()


async def serving(
    work: Callable[[PhonePage], Awaitable[None]],
    is_own: Callable[[Address], bool] = not_own,
    seconds: float = 5,
) -> PhonePage:
    """Serve a page while `work` uses it. Returns the page."""
    page = PhonePage("127.0.0.1", 0, is_own=is_own, seconds=seconds)
    server = await page.serve()
    try:
        await work(page)
    finally:
        server.close()
        page.close()
    return page


async def test_a_phone_is_detected_and_informed():
    async def visit(page: PhonePage) -> None:
        answer = await ask(page, get(page.path))
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"default-src 'none'" in answer
        assert b"<h1>Seen</h1>" in answer
        assert await page.wait_for_phone(5)

    page = await serving(visit)
    assert (page.phone, page.reached_at) == (LOOPBACK, LOOPBACK)
    assert page.strangers == set()


@pytest.mark.parametrize("spelling", ["{}", "{}/", "{}?utm=1"])
async def test_the_path_may_be_in_capitals_and_end_with_a_slash(spelling: str):
    async def visit(page: PhonePage) -> None:
        assert b"200 OK" in await ask(page, get(spelling.format(page.path.upper())))

    assert (await serving(visit)).phone == LOOPBACK


async def test_a_client_without_the_path_is_not_a_phone():
    async def scan(page: PhonePage) -> None:
        for request in (
            get(""),
            get("aaaaaaaa"),
            get(page.path).replace(b"GET", b"POST"),
            b"GET\r\n\r\n",
            b"x" * 9_000,
        ):
            assert b"200 OK" not in await ask(page, request)
        assert not await page.wait_for_phone(0.05)

    page = await serving(scan)
    assert page.phone is None
    assert page.strangers == {LOOPBACK}
    assert not page.asked_for_tls


async def test_a_browser_that_tries_https_is_disconnected_at_once():
    async def visit(page: PhonePage) -> None:
        assert await ask(page, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32)) == b""

    page = await serving(visit)
    assert page.asked_for_tls


async def test_this_machine_is_not_a_phone():
    async def visit(page: PhonePage) -> None:
        assert b"This is the computer itself" in await ask(page, get(page.path))
        assert await page.answers_at(LOOPBACK)

    page = await serving(visit, LOOPBACK.__eq__)
    assert page.phone is None
    assert page.strangers == set()


async def test_silent_connections_do_not_block_a_phone_for_long():
    async def crowd(page: PhonePage) -> None:
        idle = [await asyncio.open_connection("127.0.0.1", page.port) for _ in range(60)]
        # Those beyond the limit are closed unread, the others when their time is over.
        for reader, _ in idle:
            with suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(), 10) == b""
        assert b"200 OK" in await ask(page, get(page.path))
        for _, writer in idle:
            writer.close()

    assert (await serving(crowd, seconds=0.3)).phone == LOOPBACK


async def test_each_page_has_a_new_path_and_an_exclusive_port():
    pages = [PhonePage("127.0.0.1", 0) for _ in range(20)]
    assert len({page.path for page in pages}) == 20
    assert all(len(page.path) == 8 for page in pages)
    with pytest.raises(OSError):
        PhonePage("127.0.0.1", pages[0].port)
    for page in pages:
        page.close()


@pytest.mark.skipif(not socket.has_ipv6, reason="there is no IPv6")
async def test_a_page_on_every_address_reports_ipv4_as_ipv4():
    page = PhonePage("::", 0, is_own=not_own)
    server = await page.serve()
    assert b"200 OK" in await ask(page, get(page.path))
    assert page.reached_at == LOOPBACK
    server.close()
    page.close()
