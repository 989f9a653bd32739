"""The page that a phone opens to be seen: one path, which nobody can guess, on one port.

Anybody on the network can connect, so whatever comes is bounded: connections, the size of a request, and its time. A
scanner of ports finds the port, but not the path, and is not taken for a phone.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import secrets
import socket
import time
from contextlib import suppress
from dataclasses import dataclass

from lamplighter.doctor.network_probe import NetworkProbe
from lamplighter.platform.interface_addresses import Address
from lamplighter.platform.own_addresses import write_host

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without letters that are taken for others: the path may have to be typed."""
_LENGTH = 8
_HEAD_BYTES = 4_096
_SECONDS = 5.0
_AT_ONCE = 32
_MOST_STRANGERS = 16
_TLS = b"\x16"
"""The first byte of a TLS connection."""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,"><title>Lamplighter: {title}</title></head>
<body><h1>{title}</h1><p>{text}</p></body></html>
"""
_SEEN = ("Seen", "The computer sees this phone. A class can join from here. You can close this page.")
_HERE = ("This is the computer itself", "It says nothing about the network. Open the address on a phone.")
_NOT_HERE = ("Not quite", "The computer was reached, but the end of the address is another one. Look again.")


@dataclass(frozen=True)
class PhoneVisit:
    """A phone that opened the page."""

    phone: Address
    """Its address."""
    here: Address
    """The address of this machine that it used."""
    seconds: float
    """Seconds after the page was there."""


class PhonePage:
    """The page while it is served. Belongs to one event loop."""

    def __init__(self, probe: NetworkProbe, host: str, port: int) -> None:
        """Open the port; nobody is answered before `serve`.

        Args:
            probe: tells which addresses are this machine's own.
            host: the address to listen on; `0.0.0.0` for every IPv4 address, `::` for every address.
            port: the port; 0 for any free one.

        Raises:
            OSError: the port is taken, or the host is not this machine's.
        """
        self.path = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        """The path, without its slash."""
        self.visit: PhoneVisit | None = None
        """The first visit of a phone."""
        self.strangers: dict[Address, None] = {}
        """Others that reached the port and asked for something else, in order of their coming."""
        self.opened_here = False
        """True once the page was opened on this machine itself."""
        self.asked_for_tls = False
        """True once somebody came with https."""
        self._probe = probe
        self._listening = _listen(host.strip("[]"), port)
        self.port = int(self._listening.getsockname()[1])
        self._seen = asyncio.Event()
        self._open = 0
        self._begun = 0.0

    def url(self, host: str) -> str:
        """Return the page's address under a host name or address, IPv6 in brackets."""
        return f"http://{host}:{self.port}/{self.path}"

    async def serve(self) -> asyncio.Server:
        """Begin to answer. Returns the server, for its end."""
        self._begun = time.monotonic()
        return await asyncio.start_server(self._answer, sock=self._listening, limit=_HEAD_BYTES)

    async def wait(self, seconds: float) -> bool:
        """Return whether a phone has come, after so many seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._seen.wait()
        return self._seen.is_set()

    async def answers_at(self, address: Address) -> bool:
        """Return whether the port can be reached at an address of this machine, from this machine."""
        try:
            # Not wait_for, which in Python 3.11 loses a Ctrl-C that comes together with the connection.
            async with asyncio.timeout(2):
                _, writer = await asyncio.open_connection(str(address), self.port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True

    def close(self) -> None:
        """Close the port."""
        self._listening.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._open >= _AT_ONCE:
            writer.transport.abort()
            return
        self._open += 1
        try:
            with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                async with asyncio.timeout(_SECONDS):
                    await self._answer_in_time(reader, writer)
        finally:
            self._open -= 1
            # Nothing is left to send, or nobody to send it to.
            writer.transport.abort()

    async def _answer_in_time(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        phone = _plain_address(writer.get_extra_info("peername"))
        here = _plain_address(writer.get_extra_info("sockname"))
        if phone is None or here is None:
            return
        own = self._probe.is_own(phone)
        if not own and len(self.strangers) < _MOST_STRANGERS:
            # Until it asks for the page: whoever only connects has shown that the network lets it through, too.
            self.strangers[phone] = None
        first = await reader.readexactly(1)
        if first == _TLS:
            # Some browsers try https first where no scheme is typed, and go on with http once that fails.
            self.asked_for_tls = self.asked_for_tls or not own
            return
        head = first + await reader.readuntil(b"\r\n\r\n")
        words = head.split(b"\r\n", 1)[0].split(b" ")
        path = words[1].split(b"?", 1)[0].strip(b"/").lower() if len(words) == 3 else b""
        right = words[0] == b"GET" and hmac.compare_digest(path, self.path.encode())
        title, text = _NOT_HERE if not right else _HERE if own else _SEEN
        await _send_page(writer, 200 if right else 404, title, text)
        if not right:
            return
        if own:
            self.opened_here = True
            return
        self.strangers.pop(phone, None)
        self.visit = self.visit or PhoneVisit(phone, here, time.monotonic() - self._begun)
        self._seen.set()


async def _send_page(writer: asyncio.StreamWriter, status: int, title: str, text: str) -> None:
    body = _PAGE.format(title=title, text=text).encode()
    reason = "OK" if status == 200 else "Not Found"
    head = (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nContent-Security-Policy: default-src 'none'; img-src data:\r\n"
        "Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
    writer.close()
    await writer.wait_closed()


def _listen(host: str, port: int) -> socket.socket:
    """Open a listening socket, which another program cannot share.

    Raises:
        OSError: that is not possible.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if host == "::" and socket.has_dualstack_ipv6():
        return socket.create_server((host, port), family=family, dualstack_ipv6=True, backlog=_AT_ONCE)
    return socket.create_server((host, port), family=family, backlog=_AT_ONCE)


def _plain_address(place: object) -> Address | None:
    """Return the address in what a socket tells of an end: without a zone, IPv4 as IPv4."""
    if not isinstance(place, tuple) or not place:
        return None
    try:
        address = ipaddress.ip_address(str(place[0]).partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def list_page_hosts(addresses: tuple[Address, ...], name: str | None, host: str) -> list[str]:
    """Return the hosts under which a page can be opened, the likeliest first, as they stand in a URL.

    Args:
        addresses: of this machine, the likeliest first.
        name: of this machine on the local network, if it has one.
        host: the address that is listened on.
    """
    plain = host.strip("[]")
    if plain not in ("0.0.0.0", "::"):
        return [f"[{plain}]" if ":" in plain else plain]
    reached = [one for one in addresses if plain == "::" or one.version == 4]
    return [write_host(one) for one in reached] + ([name] if name and reached else [])
