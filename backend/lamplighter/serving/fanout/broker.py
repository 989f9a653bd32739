"""The connection to a NATS broker: a thread with an event loop, so that neither routes nor viewers wait for it; and leases
in its key-value store: one holder at a time, until it ends or its holder no longer renews it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

import nats.errors
import nats.js.errors
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


TTL = 2.0
"""Seconds after which the lease of a server that is gone ends."""
RENEW_SECONDS = 0.5
_BUCKET = "lamp-leases"


class Lease:
    """One lease, as one server sees it. Belongs to the broker's loop.

    The broker alone ends a lease, and clocks differ, so two servers may believe for a moment that they hold it. The work
    that it guards must tolerate that, or be fenced.
    """

    def __init__(self, broker: Broker, name: str, holder: str) -> None:
        self._broker, self._name, self._holder = broker, name, holder
        self._revision = 0
        self._until = 0.0

    @property
    def is_held(self) -> bool:
        """Return whether this server holds it, as far as it can know."""
        return time.monotonic() < self._until

    async def hold(self) -> bool:
        """Take the lease if it is free, or renew it. Returns whether this server holds it now."""
        asked = time.monotonic()
        try:
            async with asyncio.timeout(STUCK_SECONDS / 2):
                bucket = await self._broker.bucket(_BUCKET, ttl=TTL)
                if self._revision:
                    self._revision = await bucket.update(
                        self._name, self._holder.encode(), last=self._revision
                    )
                else:
                    self._revision = await bucket.create(self._name, self._holder.encode())
        except nats.js.errors.KeyWrongLastSequenceError:
            self._revision, self._until = 0, 0.0
        except BROKER_ERRORS:
            # A lease that was taken without an answer ends by itself.
            self._broker.forget_buckets()
            self._revision = 0
        else:
            self._until = asked + 0.8 * TTL
        return self.is_held

    async def release(self) -> None:
        """End the lease, so that another server need not wait for it."""
        revision, self._revision, self._until = self._revision, 0, 0.0
        if revision:
            try:
                bucket = await self._broker.bucket(_BUCKET, ttl=TTL)
                await bucket.delete(self._name, last=revision)
            except BROKER_ERRORS:
                return
