from __future__ import annotations

import pytest

from lamplighter.serving.live.send_queue import (
    MAX_WAITING,
    MAX_WAITING_BYTES,
    MessageKind,
    SendQueue,
    TooFarBehindError,
    ViewerMessage,
)
from lamplighter.wire.frames import encode
from tests.support.folders import pulse


def a_pulse(step: int) -> ViewerMessage:
    return ViewerMessage(MessageKind.PULSE, encode(pulse(1, step)), 1)


async def take(queue: SendQueue, count: int) -> list[bytes | str]:
    return [await queue.get() for _ in range(count)]


async def test_a_viewer_gets_the_original_bytes() -> None:
    queue = SendQueue()
    sent = [a_pulse(step) for step in range(1, 65)]
    for message in sent:
        queue.put(message)
    assert all(a is b.data for a, b in zip(await take(queue, 64), sent, strict=True))


async def test_only_the_newest_layout_status_and_census_wait() -> None:
    queue = SendQueue()
    for number in range(5):
        for what in (MessageKind.LINEAR, MessageKind.UMAP, MessageKind.STATUS):
            queue.put(ViewerMessage(what, f"{what.value} {number}"))
    queue.put(ViewerMessage(MessageKind.TEXT, "last"))
    assert await take(queue, 4) == ["linear 4", "umap 4", "status 4", "last"]


async def test_a_replacement_keeps_its_place() -> None:
    queue = SendQueue()
    queue.put(ViewerMessage(MessageKind.STATUS, "old"))
    queue.put(a_pulse(1))
    queue.put(ViewerMessage(MessageKind.STATUS, "new"))
    assert await queue.get() == "new"


async def test_a_census_replaces_the_steps_that_it_includes() -> None:
    queue = SendQueue()
    queue.put(a_pulse(1))
    queue.put(ViewerMessage(MessageKind.TEXT, "said"))
    queue.put(ViewerMessage(MessageKind.CENSUS, b"census"))
    after = a_pulse(3)
    queue.put(after)
    assert await take(queue, 3) == ["said", b"census", after.data]


async def test_nothing_that_waits_is_dropped_and_all_keeps_its_order() -> None:
    queue = SendQueue()
    sent: list[ViewerMessage] = []
    for number in range(MAX_WAITING):
        sent.append(a_pulse(number) if number % 2 else ViewerMessage(MessageKind.TEXT, str(number)))
        queue.put(sent[-1])
    with pytest.raises(TooFarBehindError):
        queue.put(ViewerMessage(MessageKind.TEXT, "one too many"))
    assert await take(queue, MAX_WAITING) == [message.data for message in sent]


async def test_a_viewer_with_too_many_bytes_waiting_is_given_up() -> None:
    queue = SendQueue()
    half = ViewerMessage(MessageKind.TEXT, "x" * (MAX_WAITING_BYTES // 2))
    for _ in range(3):
        queue.put(half)
        await queue.get()
    queue.put(half)
    queue.put(half)
    with pytest.raises(TooFarBehindError):
        queue.put(ViewerMessage(MessageKind.TEXT, "x"))
