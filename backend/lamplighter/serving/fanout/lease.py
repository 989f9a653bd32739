"""A lease in the broker's key-value store: one holder at a time, until it ends or its holder no longer renews it."""

from __future__ import annotations

import asyncio
import time

import nats.js.errors

from lamplighter.serving.fanout.broker import BROKER_ERRORS, STUCK_SECONDS, Broker

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
