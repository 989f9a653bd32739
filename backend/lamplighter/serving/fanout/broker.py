"""The connection to a NATS broker: a thread with an event loop, so that neither routes nor viewers wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import ssl
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext, api
from nats.js.kv import KeyValue

from lamplighter.web.settings import BrokerSettings

log = logging.getLogger(__name__)

BROKER_ERRORS = (nats.errors.Error, OSError)
"""The errors of a call to a broker that is away, full or restarted."""
TOKEN_VARIABLE = "LAMPLIGHTER_BROKER_TOKEN"
ANSWER_SECONDS = 2.0
"""Seconds to wait for the broker's answer."""
STUCK_SECONDS = 6.0
"""Seconds after which several calls together are given up: while a connection is lost, one may never return."""
_RETRY_SECONDS = 0.25
_PING_SECONDS, _PINGS = 1, 2
"""A broker that answers none of two pings, a second apart, is away."""
_CONNECT_SECONDS = 2

T = TypeVar("T")


class Broker:
    """One connection, which comes back by itself. Thread-safe, except for what says that it runs on its loop."""

    def __init__(self, settings: BrokerSettings) -> None:
        """Begin to connect, without waiting. Raises SettingsError."""
        settings.check()
        self._settings = settings
        self.holder = secrets.token_hex(8)
        """The name of this server in leases."""
        self._loop = asyncio.new_event_loop()
        self._client = Client()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._buckets: dict[str, KeyValue] = {}
        self.closed = False
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)
        self._thread.start()
        self.spawn(self._connect())

    @property
    def is_connected(self) -> bool:
        return self._client.is_connected

    @property
    def client(self) -> Client:
        return self._client

    @property
    def jetstream(self) -> JetStreamContext:
        return self._client.jetstream(timeout=ANSWER_SECONDS)

    def spawn(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call_soon(self, call: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call)

    async def bucket(self, name: str, *, ttl: float | None = None) -> KeyValue:
        """Return a bucket of keys and values, made if there is none. Runs on the loop. `ttl`: seconds after which
        an entry is forgotten; None: never.
        """
        if name not in self._buckets:
            self._buckets[name] = await self.jetstream.create_key_value(
                api.KeyValueConfig(bucket=name, ttl=ttl, storage=api.StorageType.FILE, direct=True)
            )
        return self._buckets[name]

    def forget_buckets(self) -> None:
        """Make each bucket again before its next use: a broker that lost its disk has none. Runs on the loop."""
        self._buckets.clear()

    def close(self) -> None:
        """Close the connection, and wait up to 2 s for it."""
        if self.closed:
            return
        self.closed = True
        with contextlib.suppress(Exception):
            self.spawn(self._close()).result(ANSWER_SECONDS)
        self.call_soon(self._loop.stop)
        self._thread.join(ANSWER_SECONDS)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _end(self) -> None:
        """End what still runs, and let the connections of the client close."""
        ending = asyncio.all_tasks(self._loop) - {asyncio.current_task()}
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        await asyncio.sleep(0.01)

    async def _close(self) -> None:
        with contextlib.suppress(*BROKER_ERRORS):
            await self._client.close()

    async def _connect(self) -> None:
        told = False
        while not self.closed:
            try:
                await self._client.connect(
                    servers=[self._settings.url],
                    token=os.environ.get(TOKEN_VARIABLE),
                    tls=ssl.create_default_context() if self._settings.encrypted else None,
                    name="lamplighter",
                    connect_timeout=_CONNECT_SECONDS,
                    # Typed as an int, and slept for as it is.
                    reconnect_time_wait=_RETRY_SECONDS,  # pyright: ignore[reportArgumentType]
                    max_reconnect_attempts=-1,
                    ping_interval=_PING_SECONDS,
                    max_outstanding_pings=_PINGS,
                    disconnected_cb=self._on_away,
                    reconnected_cb=self._on_back,
                    error_cb=self._on_error,
                )
            except BROKER_ERRORS as error:
                if not told:
                    log.warning("the broker cannot be reached yet: %s", error)
                told = True
                await asyncio.sleep(_RETRY_SECONDS)
                self._client = Client()
            else:
                return

    async def _on_away(self) -> None:
        if not self.closed:
            log.warning("the broker is away: what the class does waits for it")

    async def _on_back(self) -> None:
        self.forget_buckets()
        log.warning("the broker is back")

    async def _on_error(self, error: Exception) -> None:
        log.debug("broker: %s", error)
