"""The line between a relay and the owner of a class: numbered messages over a NATS broker.

A number that is missing, or three seconds of silence, ends the line with all its sockets, so nothing is lost unseen. No
message is sent twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import ssl
import time
from collections.abc import Awaitable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lamplighter.web.settings import BrokerSettings, SettingsError

if TYPE_CHECKING:
    from nats.aio.client import Client

log = logging.getLogger(__name__)

TOKEN_VARIABLE = "LAMPLIGHTER_BROKER_TOKEN"
SILENT_SECONDS = 3.0
"""Seconds of silence after which the other end of a line is gone."""
ALIVE_SECONDS = 1.0
OWNER, RELAY = "lamp.class.owner", "lamp.class.relay."
"""The subject of what is sent to the owner, and the start of that of a relay."""
_PART = 256 << 10
"""Bytes of a message; longer ones are sent in parts. A broker takes 1 MB by default."""
_LARGEST = 64 << 20
_ID = re.compile(r"[0-9a-f]{16}")


class LineError(Exception):
    """A line that is over."""


def check_client() -> None:
    """Raise SettingsError if the client of a broker is not installed, which only a class with relays needs."""
    if find_spec("nats") is None:
        raise SettingsError("broker: this needs nats-py; install lamplighter[nats]")


async def connect(settings: BrokerSettings) -> Client:
    """Connect to the broker, however long that takes. The connection comes back by itself. Raises SettingsError."""
    settings.check()
    check_client()
    from nats.aio.client import Client

    async def on_error(error: Exception) -> None:
        log.debug("broker: %s", error)

    client = Client()
    await client.connect(
        servers=[settings.url],
        token=os.environ.get(TOKEN_VARIABLE),
        tls=ssl.create_default_context() if settings.encrypted else None,
        name="lamplighter",
        connect_timeout=2,
        # Typed as an int, and slept for as it is.
        reconnect_time_wait=0.25,  # pyright: ignore[reportArgumentType]
        max_reconnect_attempts=-1,
        ping_interval=1,
        max_outstanding_pings=2,
        error_cb=on_error,
    )
    return client


class Line:
    """One end of what a relay and the owner send each other. Belongs to the event loop."""

    def __init__(self, client: Client, relay: str, subject: str) -> None:
        self.relay = relay
        self.heard = time.monotonic()
        self._client, self._subject = client, subject
        self._sent = self._got = 0
        self._parts: list[bytes] = []
        self._sending = asyncio.Lock()

    @property
    def is_silent(self) -> bool:
        return time.monotonic() - self.heard > SILENT_SECONDS

    async def send(self, head: Mapping[str, Any], body: bytes = b"") -> None:
        """Send one message. Raises LineError."""
        # The parts of a message follow each other, even if its sender is cancelled between two.
        await asyncio.shield(self._send_whole(head, body))

    async def _send_whole(self, head: Mapping[str, Any], body: bytes) -> None:
        async with self._sending:
            while len(body) > _PART:
                await self._publish({"more": True}, body[:_PART])
                body = body[_PART:]
            await self._publish(head, body)

    async def _publish(self, head: Mapping[str, Any], body: bytes) -> None:
        import nats.errors

        numbered = {**head, "relay": self.relay, "n": self._sent}
        self._sent += 1
        try:
            await self._client.publish(self._subject, json.dumps(numbered).encode() + b"\n" + body)
        except (nats.errors.Error, OSError) as error:
            raise LineError(str(error)) from error

    def take(self, head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes] | None:
        """Return a message that has come whole; None: a part of one. Raises LineError: something is missing."""
        if head.get("n") != self._got:
            raise LineError("a message is missing")
        self._got, self.heard = self._got + 1, time.monotonic()
        self._parts.append(body)
        if sum(map(len, self._parts)) > _LARGEST:
            raise LineError("a message is too large")
        if head.get("more") is True:
            return None
        whole, self._parts = b"".join(self._parts), []
        return head, whole


def open_message(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the head and the body of what came from the broker. Raises ValueError: it is none of ours."""
    text, _, body = data.partition(b"\n")
    head = json.loads(text)
    if not isinstance(head, dict) or not _ID.fullmatch(str(head.get("relay"))):  # pyright: ignore
        raise ValueError("not a message of a line")
    return head, body


async def until_over(work: Awaitable[object]) -> None:
    with contextlib.suppress(LineError):
        await work


def to_text(headers: list[tuple[bytes, bytes]]) -> list[list[str]]:
    """Return headers as a line carries them."""
    return [[key.decode("latin-1"), value.decode("latin-1")] for key, value in headers]


def to_bytes(headers: list[list[str]]) -> list[tuple[bytes, bytes]]:
    """Return headers as ASGI has them. Raises ValueError or TypeError."""
    return [(str(key).encode("latin-1"), str(value).encode("latin-1")) for key, value in headers]
