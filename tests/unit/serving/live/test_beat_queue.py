"""The beats of one viewer: the steps it is sent, their counts, and the chart data of the others."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lamplighter.serving.live.send_queue import BeatQueue, MessageKind, SendQueue, ViewerMessage
from lamplighter.serving.live.viewer import QueryError, parse_interval
from lamplighter.wire.beat_frames import Beat
from lamplighter.wire.frames import decode, encode
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import NEVER, Census
from tests.support.folders import V, pulse


class Watched:
    """A viewer of beats with a test clock, and the true counts of the training."""

    def __init__(self, interval: float = 0.7) -> None:
        self.now = 100.0
        self.queue = SendQueue(beats=BeatQueue(interval), clock=lambda: self.now)
        self.touches = np.zeros(V, np.uint32)
        self.last_lit = np.full(V, NEVER, np.uint32)
        self.start()

    def start(self, attempt: int = 1, step: int = 0) -> None:
        census = Census(attempt, step, 1.0, self.touches.copy(), self.last_lit.copy())
        self.queue.put(ViewerMessage(MessageKind.CENSUS, encode(census), attempt))

    def train(self, step: int, attempt: int = 1, **changes: Any) -> Pulse:
        trained = replace(pulse(attempt, step), **changes)
        self.touches[trained.batch_ids] += np.uint32(1)
        self.last_lit[trained.batch_ids] = step
        self.queue.put(ViewerMessage(MessageKind.PULSE, encode(trained), attempt))
        return trained

    async def taken(self) -> list[Any]:
        """Return the messages due now."""
        found: list[Any] = []
        while True:
            try:
                data = await asyncio.wait_for(self.queue.get(), 0.01)
            except TimeoutError:
                return found
            found.append(json.loads(data) if isinstance(data, str) else decode(data))


async def test_counts_and_figures_cover_all_steps_however_long_nothing_is_read() -> None:
    watched = Watched()
    (census,) = await watched.taken()
    watched.train(1)
    (first,) = await watched.taken()
    assert isinstance(census, Census)
    assert (first.step, first.first_step) == (1, 1)
    for step in range(2, 301):
        watched.train(step)
    watched.now += 30
    passed, beat = await watched.taken()
    assert isinstance(beat, Beat)
    assert (beat.first_step, beat.step) == (2, 300)
    touches, last_lit = census.touches.copy(), census.last_lit.copy()
    for one in (first, beat):
        touches[one.between.ids] += one.between.touches
        last_lit[one.between.ids] = one.between.last_lit
        touches[one.batch_ids] += np.uint32(1)
        last_lit[one.batch_ids] = one.step
    np.testing.assert_array_equal(touches, watched.touches)
    np.testing.assert_array_equal(last_lit, watched.last_lit)
    assert beat.between.norms is not None
    assert (passed["type"], passed["steps"]) == ("passed", list(range(2, 300)))
    assert passed["losses"] == pytest.approx([pulse(1, step).loss for step in range(2, 300)])
    assert len(passed["norms"][0]) == len(first.layer_norms)
    assert passed["ever_rows"][-1] <= np.count_nonzero(watched.last_lit != NEVER)


async def test_beats_keep_the_requested_interval_and_the_last_step_gets_one() -> None:
    watched, shown = Watched(0.7), []
    for step in range(1, 41):
        watched.train(step)
        shown += [(watched.now, one.step) for one in await watched.taken() if isinstance(one, Beat)]
        watched.now += 0.05
    watched.now += 2
    shown += [(watched.now, one.step) for one in await watched.taken() if isinstance(one, Beat)]
    assert shown[0][1] == 1
    assert shown[-1][1] == 40
    times = [at for at, _ in shown]
    assert np.diff(times).min() >= 0.7 - 1e-9
    assert len(shown) == 4


async def test_a_new_start_drops_the_superseded_steps() -> None:
    watched = Watched()
    watched.train(1)
    await watched.taken()
    watched.train(2)
    watched.start(attempt=2, step=1)
    watched.train(2, attempt=2)
    watched.now += 5
    census, beat = await watched.taken()
    assert isinstance(census, Census)
    assert (beat.attempt, beat.first_step, beat.step) == (2, 2, 2)


async def test_gradients_of_rows_outside_the_batch_come_with_the_step() -> None:
    watched = Watched()
    every = np.arange(V, dtype=np.uint32)
    trained = watched.train(1, gradient_ids=every, gradient_norms=np.ones(V, np.float32))
    _, beat, whole = await watched.taken()
    assert beat.elsewhere
    assert isinstance(whole, Pulse)
    np.testing.assert_array_equal(whole.gradient_ids, trained.gradient_ids)


async def test_the_figures_of_a_viewer_that_reads_nothing_are_bounded() -> None:
    watched = Watched()
    watched.train(1)
    await watched.taken()
    for step in range(2, 5_000):
        watched.train(step)
    watched.now += 5
    passed, _ = await watched.taken()
    assert 500 <= len(passed["steps"]) <= 1_000
    assert passed["steps"] == sorted(passed["steps"])


@pytest.mark.parametrize(
    "query", ["interval=0.1", "interval=61", "interval=x", "interval=1e-3", "channels=pulse"]
)
def test_rejects_an_invalid_interval(query: str) -> None:
    name, _, value = query.partition("=")
    with pytest.raises(QueryError):
        parse_interval({name: value}, {"beats", value})
    with pytest.raises(QueryError):
        parse_interval({"interval": "1"}, {"pulse"})


def test_the_default_interval_is_a_third_of_a_second() -> None:
    assert parse_interval({}, {"beats"}) == pytest.approx(1 / 3)
    assert parse_interval({"interval": "0.7"}, {"beats"}) == 0.7
    assert parse_interval({}, {"pulse"}) is None
