from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from lamplighter.serving.live.send_queue import (
    MAX_TEXTS,
    MERGE_AFTER,
    MessageKind,
    SendQueue,
    TooFarBehindError,
    ViewerMessage,
)
from lamplighter.wire.frames import decode, encode
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Rows
from tests.support.folders import BATCH_TOKENS, D, V, pulse


def a_pulse(step: int, attempt: int = 1) -> ViewerMessage:
    return ViewerMessage(MessageKind.PULSE, encode(pulse(attempt, step)), attempt)


def rows(step: int, *ids: int) -> ViewerMessage:
    found = np.array(ids or range(V), dtype=np.uint32)
    frame = Rows(1, step, 0.0, V, found, np.full((len(found), D), step, dtype=np.float32))
    return ViewerMessage(MessageKind.ROWS if ids else MessageKind.MATRIX, encode(frame), 1)


async def drain(queue: SendQueue) -> list[bytes | str]:
    return [await queue.get() for _ in range(queue.pending_count())]


def pulses(data: list[bytes | str]) -> list[Pulse]:
    return [f for f in (decode(d) for d in data if isinstance(d, bytes)) if isinstance(f, Pulse)]


async def test_a_viewer_that_keeps_up_gets_the_original_bytes() -> None:
    queue = SendQueue()
    sent = [a_pulse(step) for step in range(1, MERGE_AFTER + 1)]
    for message in sent:
        queue.put(message)
    taken = await drain(queue)
    assert all(a is b.data for a, b in zip(taken, sent, strict=True))


async def test_a_lagging_viewer_gets_merged_pulses_without_a_gap() -> None:
    queue = SendQueue()
    for step in range(1, 1001):
        queue.put(a_pulse(step))
        assert queue.pending_count() <= MERGE_AFTER + 1
    found = pulses(await drain(queue))
    assert (found[0].first_step, found[0].merged, found[-1].step) == (1, True, 1000)
    for before, after in pairwise(found):
        assert after.first_step == before.step + 1
    assert sum(int(p.batch_counts.sum()) for p in found) == BATCH_TOKENS * 1000


async def test_pulses_of_two_attempts_never_merge() -> None:
    queue = SendQueue()
    for step in range(1, 101):
        queue.put(a_pulse(step))
    for step in range(101, 301):
        queue.put(a_pulse(step, attempt=2))
    found = pulses(await drain(queue))
    assert {p.attempt for p in found} == {1, 2}
    assert [(p.first_step, p.step) for p in found if p.attempt == 1] == [(1, 100)]
    assert found[-1].step == 300


async def test_large_frames_merge_early() -> None:
    queue = SendQueue(merge_bytes=1_000)
    for step in range(1, 60):
        queue.put(a_pulse(step))
        assert queue.pending_count() < 12


async def test_merged_rows_hold_the_newest_vectors() -> None:
    queue = SendQueue(merge_after=4)
    for step in range(1, 12):
        queue.put(rows(step, step % 3, 10 + step % 3))
    frames = [decode(d) for d in await drain(queue) if isinstance(d, bytes)]
    matrix = np.zeros((V, D), dtype=np.float32)
    for frame in frames:
        assert isinstance(frame, Rows)
        matrix[frame.token_ids] = frame.vectors
    assert matrix[[0, 1, 2, 10, 11, 12], 0].tolist() == [9, 10, 11, 9, 10, 11]


async def test_only_the_newest_layout_status_and_census_wait() -> None:
    queue = SendQueue()
    for number in range(5):
        for what in (MessageKind.LINEAR, MessageKind.UMAP, MessageKind.STATUS):
            queue.put(ViewerMessage(what, f"{what.value} {number}"))
    assert await drain(queue) == ["linear 4", "umap 4", "status 4"]


async def test_a_replacement_keeps_its_place() -> None:
    queue = SendQueue()
    queue.put(ViewerMessage(MessageKind.STATUS, "old"))
    queue.put(a_pulse(1))
    queue.put(ViewerMessage(MessageKind.STATUS, "new"))
    assert await queue.get() == "new"


async def test_a_census_and_a_matrix_replace_what_they_include() -> None:
    queue = SendQueue()
    queue.put(a_pulse(1))
    queue.put(rows(1, 3))
    queue.put(ViewerMessage(MessageKind.CENSUS, b"census"))
    queue.put(rows(2))
    queue.put(a_pulse(3))
    taken = await drain(queue)
    assert taken[0] == b"census"
    assert [type(decode(d)).__name__ for d in taken[1:] if isinstance(d, bytes)] == ["Rows", "Pulse"]


async def test_text_is_never_dropped_and_keeps_its_order_among_frames() -> None:
    queue = SendQueue()
    queue.put(ViewerMessage(MessageKind.TEXT, "hello"))
    queue.put(a_pulse(1))
    queue.put(ViewerMessage(MessageKind.TEXT, "acknowledged"))
    queue.put(a_pulse(2))
    kinds = [d if isinstance(d, str) else "pulse" for d in await drain(queue)]
    assert kinds == ["hello", "pulse", "acknowledged", "pulse"]
    for number in range(MAX_TEXTS):
        queue.put(ViewerMessage(MessageKind.TEXT, str(number)))
    with pytest.raises(TooFarBehindError):
        queue.put(ViewerMessage(MessageKind.TEXT, "one too many"))
