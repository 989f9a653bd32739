"""The fan-out over a NATS broker: one JetStream stream for each run, one subject for each channel.

Each server keeps the newest entries of the runs that it follows, so no viewer waits for the broker. An entry names the one
before it: a reader that has missed some sees it, reads what the stream still keeps, and is told of the gap if that is
not enough.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import re
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import api

from lamplighter.serving.fanout.broker import ANSWER_SECONDS, BROKER_ERRORS, STUCK_SECONDS, Broker
from lamplighter.serving.fanout.contract import Entry, Sequence, is_state
from lamplighter.serving.fanout.memory_fanout import MAX_KEPT, FollowedRun

log = logging.getLogger(__name__)

MAX_ENTRY = 8 << 20
"""Maximum bytes of an entry."""
MAX_WAITING = MAX_KEPT
"""Entries that wait for a broker that is away; the oldest are dropped."""
_STREAM_BYTES = 64 << 20
_STREAM_SECONDS = 3_600.0
_RETRY_SECONDS = 0.25
_FILL_TRIES = 8
_SEQ, _BEFORE, _ROLLUP, _ID = "Lamp-Seq", "Lamp-Before", "Nats-Rollup", "Nats-Msg-Id"
_PLACE = re.compile(r"(\d{1,9})\.(\d{1,12})\.(\d{1,12})")
CHANNELS = frozenset({"beats", "beats-text", "state", "state-text"})


class _SharedRun(FollowedRun):
    """A run that is followed over the broker. What is not said to be thread-safe belongs to the broker's loop."""

    def __init__(self, run: str, on_published: Callable[[str], None]) -> None:
        super().__init__(on_published)
        # An id may hold what a subject may not.
        self.key = hashlib.sha256(run.encode()).hexdigest()[:24]
        self.waiting: deque[tuple[str, Sequence, Sequence | None, bytes]] = deque(maxlen=MAX_WAITING)
        """What is to be sent. Thread-safe."""
        self.wake = asyncio.Event()
        self.has_gap = True
        self.is_prepared = False
        self.filled = asyncio.Event()
        """Set once it has what the stream keeps."""
        self.missing: dict[str, Sequence] = {}
        """The newest entry of each channel that arrived after a gap."""
        self.subscription: Subscription | None = None
        self.work: Future[None] | None = None


class NatsFanout:
    """The channels of runs that several servers share. Thread-safe."""

    is_shared = True

    def __init__(
        self, broker: Broker, is_sound: Callable[[str, bytes], bool] = lambda channel, data: True
    ) -> None:
        """Use a broker. `is_sound` says whether an entry of a channel that arrives may be kept."""
        self.broker = broker
        self._is_sound = is_sound
        self._runs: dict[str, _SharedRun] = {}
        self.refused = 0
        """Entries that arrived and were not sound."""

    def follow(self, run: str, on_published: Callable[[str], None]) -> Callable[[], None]:
        shared = self._runs[run] = _SharedRun(run, on_published)
        shared.work = self.broker.spawn(self._serve(shared))

        def leave() -> None:
            if self._runs.get(run) is shared:
                del self._runs[run]
            if shared.work is not None:
                shared.work.cancel()

        return leave

    def publish(self, run: str, channel: str, seq: Sequence, data: bytes) -> bool:
        """Append an entry, and send it to the other servers. Returns False unless it is after the newest one."""
        shared = self._runs.get(run)
        before = shared and shared.channel(channel).append(seq, data)
        if shared is None or before is None:
            return False
        shared.on_published(channel)
        shared.waiting.append((channel, seq, None if is_state(channel) else before, data))
        self.broker.call_soon(shared.wake.set)
        return True

    def since(self, run: str, channel: str, seq: Sequence) -> list[Entry] | None:
        shared = self._runs.get(run)
        return shared.channel(channel).entries_after(seq) if shared else None

    def last(self, run: str, channel: str) -> Entry | None:
        shared = self._runs.get(run)
        return shared.channel(channel).newest_entry() if shared else None

    async def wait_filled(self, run: str) -> None:
        """Wait until a run that is followed has what the broker keeps of it. Runs on the broker's loop."""
        shared = self._runs.get(run)
        if shared is not None:
            await shared.filled.wait()

    async def _serve(self, shared: _SharedRun) -> None:
        told: type[BaseException] | None = None
        try:
            while True:
                try:
                    async with asyncio.timeout(STUCK_SECONDS):
                        await self._prepare(shared)
                        await self._fill(shared)
                        shared.filled.set()
                        await self._send(shared)
                except BROKER_ERRORS as error:
                    if self.broker.is_connected and type(error) is not told:
                        log.warning("the broker does not take a run: %s", error)
                        told = type(error)
                    shared.is_prepared, shared.has_gap = False, True
                    await asyncio.sleep(_RETRY_SECONDS)
                    continue
                await shared.wake.wait()
                shared.wake.clear()
        finally:
            if shared.subscription is not None:
                with contextlib.suppress(*BROKER_ERRORS):
                    await shared.subscription.unsubscribe()

    async def _prepare(self, shared: _SharedRun) -> None:
        """Make the stream, which a broker that lost its memory no longer has, and listen."""
        if shared.is_prepared:
            return
        if not self.broker.is_connected:
            raise ConnectionError("the broker is away")
        try:
            await self.broker.jetstream.stream_info(f"LAMP-{shared.key}")
        except nats.js.errors.NotFoundError:
            await self.broker.jetstream.add_stream(_stream_of(shared.key))
        if shared.subscription is None:

            async def take(message: Msg) -> None:
                self._take(shared, message.subject, message.headers or {}, message.data)

            # It is made again with each connection.
            shared.subscription = await self.broker.client.subscribe(f"lamp.{shared.key}.*", cb=take)
        shared.is_prepared = True

    async def _fill(self, shared: _SharedRun) -> None:
        """Read what the stream keeps, until it has what has been seen to arrive after a gap."""
        tries = 0
        while shared.has_gap and tries < _FILL_TRIES:
            shared.has_gap = False
            missing, shared.missing = shared.missing, {}
            await self._read_stream(shared)
            if any(shared.channel(channel).newest < seq for channel, seq in missing.items()):
                # A message may arrive before the stream has kept it.
                shared.missing, shared.has_gap = {**missing, **shared.missing}, True
                tries += 1
                await asyncio.sleep(0.02 * tries)

    async def _read_stream(self, shared: _SharedRun) -> None:
        for channel in sorted(CHANNELS):
            subject, after = f"lamp.{shared.key}.{channel}", 1
            for _ in range(2 * MAX_KEPT):
                try:
                    found = await self.broker.jetstream.get_msg(
                        f"LAMP-{shared.key}", seq=after, subject=subject, direct=True, next=True
                    )
                except nats.js.errors.NotFoundError:
                    break
                after = (found.seq or after) + 1
                self._take(shared, subject, found.headers or {}, found.data or b"", filling=True)

    def _take(
        self,
        shared: _SharedRun,
        subject: str,
        headers: Mapping[str, str],
        data: bytes,
        *,
        filling: bool = False,
    ) -> None:
        """Keep an entry that arrived. Everything about it may be forged."""
        channel = subject.rpartition(".")[2]
        seq, before = _parse_place(headers.get(_SEQ)), _parse_place(headers.get(_BEFORE))
        if channel not in CHANNELS or seq is None or len(data) > MAX_ENTRY:
            self.refused += 1
            return
        kept = shared.channel(channel)
        newest = kept.newest
        if seq <= newest:
            return
        if before is None and not is_state(channel):
            self.refused += 1
            return
        if not filling and before is not None and before != newest:
            shared.missing[channel], shared.has_gap = seq, True
            shared.wake.set()
            return
        if not self._is_sound(channel, data):
            self.refused += 1
            return
        if kept.append(seq, data, before) is not None:
            shared.on_published(channel)

    async def _send(self, shared: _SharedRun) -> None:
        while shared.waiting:
            item = shared.waiting[0]
            channel, seq, before, data = item
            subject = f"lamp.{shared.key}.{channel}"
            headers = {_SEQ: _format_place(seq), _ID: f"{subject}.{_format_place(seq)}"}
            if before is None:
                headers[_ROLLUP] = "sub"
            else:
                headers[_BEFORE] = _format_place(before)
            try:
                await self.broker.jetstream.publish(subject, data, timeout=ANSWER_SECONDS, headers=headers)
            except nats.js.errors.NoStreamResponseError:
                raise
            except (nats.js.errors.APIError, nats.errors.MaxPayloadError) as error:
                # It is full, or the entry too large. Readers are told of a gap.
                log.warning("the broker refuses %d bytes of %s: %s", len(data), channel, error)
            if shared.waiting and shared.waiting[0] is item:
                shared.waiting.popleft()


def _stream_of(key: str) -> api.StreamConfig:
    return api.StreamConfig(
        name=f"LAMP-{key}",
        subjects=[f"lamp.{key}.*"],
        storage=api.StorageType.MEMORY,
        max_msgs_per_subject=MAX_KEPT,
        max_bytes=_STREAM_BYTES,
        max_msg_size=MAX_ENTRY,
        max_age=_STREAM_SECONDS,
        discard=api.DiscardPolicy.OLD,
        allow_direct=True,
        allow_rollup_hdrs=True,
    )


def _format_place(seq: Sequence) -> str:
    return ".".join(map(str, seq))


def _parse_place(text: str | None) -> Sequence | None:
    found = _PLACE.fullmatch(text or "")
    return Sequence(*map(int, found.groups())) if found else None
