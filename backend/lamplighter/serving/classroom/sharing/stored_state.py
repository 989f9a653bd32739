"""The state of the class under its key in the broker, which each owner writes only in place of what it knows."""

from __future__ import annotations

import itertools

import nats.js.errors
from nats.js.kv import KeyValue

from lamplighter.serving.classroom.sharing.class_state import (
    ClassState,
    StateError,
    decode_state,
    encode_state,
)
from lamplighter.serving.fanout.broker import Broker

_BUCKET, _KEY = "lamp-class", "state"
SUBJECT = f"$KV.{_BUCKET}.{_KEY}"
"""The subject on which each state arrives when it is written."""


class StoredState:
    """The key. Belongs to the broker's loop; its methods raise `BROKER_ERRORS` while the broker is away."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._fence = 0
        self._revision = 0
        """The key's revision when this server took it over or wrote it; 0: it did not exist."""
        self._numbers = itertools.count(1)

    async def read_state(self) -> bytes | None:
        try:
            entry = await (await self._bucket()).get(_KEY)
        except nats.js.errors.KeyNotFoundError:
            return None
        return entry.value or b""

    async def take_over(self, known: int) -> ClassState | None:
        """Prepare to write with a fence above that of the state that is stored, and above `known`. Returns that
        state; None: there is none. Raises StateError if what is stored is not a state; the next write replaces
        it.
        """
        self._fence, self._revision = known + 1, 0
        try:
            entry = await (await self._bucket()).get(_KEY)
        except nats.js.errors.KeyNotFoundError:
            return None
        self._revision = entry.revision or 0
        state = decode_state(entry.value or b"")
        self._fence = max(known, state.fence) + 1
        return state

    async def write_state(self, state: ClassState) -> ClassState | None:
        """Store a state. Returns it as stored; None: another owner has written since, and this one is none any more."""
        update = {"owner": self._broker.holder, "fence": self._fence, "revision": next(self._numbers)}
        numbered = state.model_copy(update=update)
        data, bucket = encode_state(numbered), await self._bucket()
        try:
            if self._revision:
                self._revision = await bucket.update(_KEY, data, last=self._revision)
            else:
                self._revision = await bucket.create(_KEY, data)
        except nats.js.errors.KeyWrongLastSequenceError:
            try:
                entry = await bucket.get(_KEY)
                found = decode_state(entry.value or b"")
            except nats.js.errors.KeyNotFoundError:
                # The broker has lost its disk, but not the class.
                self._revision = await bucket.create(_KEY, data)
                return numbered
            except StateError:
                return None
            if (found.owner, found.fence) != (numbered.owner, numbered.fence):
                return None
            # It was stored, and the broker's word of it was lost.
            self._revision = await bucket.update(_KEY, data, last=entry.revision or 0)
        return numbered

    async def _bucket(self) -> KeyValue:
        return await self._broker.bucket(_BUCKET)
