"""The page that a phone opens: one random path on one port.

Anyone on the network can connect, so connections, the size of a request and its time are bounded. A port scanner finds
the port but not the path, and does not count as a phone.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress

from lamplighter.cli.language import language, tell
from lamplighter.platform.own_addresses import Address, read_interface_addresses

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without letters that look alike, because the path may have to be typed."""
_LENGTH = 8
_HEAD_BYTES = 4_096
_SECONDS = 5.0
_MAX_CONNECTIONS = 32
_MAX_STRANGERS = 16
_TLS = b"\x16"
"""The first byte of a TLS connection."""
_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,"><title>Lamplighter: {title}</title></head>
<body><h1>{title}</h1><p>{text}</p></body></html>
"""
_HEAD = """HTTP/1.1 {status}
Content-Type: text/html; charset=utf-8
Content-Length: {length}
Cache-Control: no-store
Content-Security-Policy: default-src 'none'; img-src data:
Referrer-Policy: no-referrer
X-Content-Type-Options: nosniff
Connection: close

""".replace("\n", "\r\n")


def is_own_address(address: Address) -> bool:
    return address.is_loopback or any(one.address == address for one in read_interface_addresses())


class PhonePage:
    """The page, served from one event loop. `host` may be `0.0.0.0` for every IPv4 address or `::` for every
    address, and the port 0 for any free one; the port is open at once, and `serve` starts to answer."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        is_own: Callable[[Address], bool] = is_own_address,
        seconds: float = _SECONDS,
    ) -> None:
        self.path = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        """The path, without its slash."""
        self.phone: Address | None = None
        """The first phone that opened the page."""
        self.reached_at: Address | None = None
        """The address of this computer that the phone used."""
        self.strangers: set[Address] = set()
        """The other addresses that reached the port but asked for something else."""
        self.asked_for_tls = False
        """Whether a connection has tried https."""
        self._is_own = is_own
        self._seconds = seconds
        plain = host.strip("[]")
        self._listening = socket.create_server(
            (plain, port),
            family=socket.AF_INET6 if ":" in plain else socket.AF_INET,
            dualstack_ipv6=plain == "::" and socket.has_dualstack_ipv6(),
            backlog=_MAX_CONNECTIONS,
        )
        self.port = int(self._listening.getsockname()[1])
        self._seen = asyncio.Event()
        self._open = 0

    def url(self, host: str) -> str:
        return f"http://{host}:{self.port}/{self.path}"

    async def serve(self) -> asyncio.Server:
        return await asyncio.start_server(self._answer, sock=self._listening, limit=_HEAD_BYTES)

    async def wait_for_phone(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._seen.wait()
        return self._seen.is_set()

    async def answers_at(self, address: Address) -> bool:
        """Return whether the port can be reached at an address of this computer, from this computer."""
        try:
            # Not wait_for, which in Python 3.11 loses a Ctrl-C that arrives together with the connection.
            async with asyncio.timeout(2):
                _, writer = await asyncio.open_connection(str(address), self.port)
        except (OSError, TimeoutError):
            return False
        writer.transport.abort()
        return True

    def close(self) -> None:
        self._listening.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                async with asyncio.timeout(self._seconds):
                    if self._open <= _MAX_CONNECTIONS:
                        await self._answer_in_time(reader, writer)
        finally:
            self._open -= 1
            writer.transport.abort()

    async def _answer_in_time(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        phone = _plain_address(writer.get_extra_info("peername"))
        own = self._is_own(phone)
        if not own and len(self.strangers) < _MAX_STRANGERS:
            # A mere connection already shows that the network lets it through.
            self.strangers.add(phone)
        first = await reader.readexactly(1)
        if first == _TLS:
            # Without a typed scheme, some browsers try https first and fall back to http.
            self.asked_for_tls = self.asked_for_tls or not own
            return
        head = first + await reader.readuntil(b"\r\n\r\n")
        words = head.split(b"\r\n", 1)[0].split(b" ")
        path = words[1].split(b"?", 1)[0].strip(b"/").lower() if len(words) == 3 else b""
        right = words[0] == b"GET" and hmac.compare_digest(path, self.path.encode())
        if not right:
            title, text = tell("page_missed_title"), tell("page_missed")
        elif own:
            title, text = tell("page_here_title"), tell("page_here")
        else:
            title, text = tell("page_seen_title"), tell("page_seen")
        body = _PAGE.format(language=language.get(), title=title, text=text).encode()
        writer.write(
            _HEAD.format(status="200 OK" if right else "404 Not Found", length=len(body)).encode() + body
        )
        writer.close()
        await writer.wait_closed()
        if right and not own:
            self.strangers.discard(phone)
            if self.phone is None:
                self.phone, self.reached_at = phone, _plain_address(writer.get_extra_info("sockname"))
            self._seen.set()


def _plain_address(place: tuple[str, ...]) -> Address:
    """Return the address of one end of a socket: without a zone, IPv4 as IPv4."""
    address = ipaddress.ip_address(place[0].partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address
