"""What the presenter's pages are sent: beats with their counts, the figures of the steps between, and all else at once."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lamplighter.serving.live.beat_picker import BEAT_SECONDS
from lamplighter.serving.live.feeds import MAX_ACKNOWLEDGED, MessageKind, ViewerMessage
from lamplighter.serving.live.folder_beats import PRESENTER, BeatMaker
from lamplighter.wire.beat_frames import Beat
from lamplighter.wire.envelope import decode_envelope
from lamplighter.wire.frames import decode, encode
from lamplighter.wire.layout_frames import Layout
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import NEVER, Census
from tests.support.folders import V, layout, pulse


class Watched:
    """A maker of the presenter's log with a test clock, and the true counts of the training."""

    def __init__(self) -> None:
        self.now = 100.0
        self.maker = BeatMaker(None, PRESENTER)
        self.touches = np.zeros(V, np.uint32)
        self.last_lit = np.full(V, NEVER, np.uint32)
        self.start()

    def start(self, attempt: int = 1, step: int = 0) -> None:
        census = Census(attempt, step, 1.0, self.touches.copy(), self.last_lit.copy())
        self.take(MessageKind.CENSUS, encode(census), attempt)

    def train(self, step: int, attempt: int = 1, **changes: Any) -> Pulse:
        trained = replace(pulse(attempt, step), **changes)
        self.touches[trained.batch_ids] += np.uint32(1)
        self.last_lit[trained.batch_ids] = step
        self.take(MessageKind.PULSE, encode(trained), attempt)
        return trained

    def take(self, kind: MessageKind, data: bytes | str, attempt: int = 1) -> None:
        self.maker.take_messages([ViewerMessage(kind, data, attempt)], self.now)

    def taken(self) -> list[Any]:
        """Return what is published now."""
        found: list[Any] = []
        while due := self.maker.next_publication(self.now):
            publication, self.state = due
            parts = decode_envelope(publication.envelope(text=True) or b"")
            found += (json.loads(part) if isinstance(part, str) else decode(part) for part in parts)
        return found


def test_counts_and_figures_cover_all_steps() -> None:
    watched = Watched()
    (census,) = watched.taken()
    watched.train(1)
    (first,) = watched.taken()
    assert isinstance(census, Census)
    assert (first.step, first.first_step) == (1, 1)
    for step in range(2, 301):
        watched.train(step)
    watched.now += 30
    passed, beat = watched.taken()
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


def test_beats_keep_their_distance_and_the_last_step_gets_one() -> None:
    watched, shown = Watched(), list[tuple[float, int]]()
    for step in range(1, 41):
        watched.train(step)
        shown += [(watched.now, one.step) for one in watched.taken() if isinstance(one, Beat)]
        watched.now += 0.05
    watched.now += 2
    shown += [(watched.now, one.step) for one in watched.taken() if isinstance(one, Beat)]
    assert (shown[0][1], shown[-1][1]) == (1, 40)
    assert np.diff([at for at, _ in shown]).min() >= BEAT_SECONDS - 1e-9
    assert len(shown) == 7


def test_layouts_and_texts_are_sent_at_once_and_as_they_are() -> None:
    watched = Watched()
    watched.taken()
    for step in range(3):
        watched.take(MessageKind.UMAP, encode(layout(1, step)))
        watched.take(MessageKind.MEASURES, json.dumps({"type": "measures", "step": step}))
        measures, drawn = sorted(watched.taken(), key=lambda one: isinstance(one, Layout))
        assert (measures["step"], drawn.step) == (step, step)
    watched.take(MessageKind.LINES, '{"type":"lines"}')
    assert watched.taken() == [{"type": "lines"}]


def test_one_who_skips_to_the_state_learns_what_was_acknowledged() -> None:
    watched = Watched()
    for number in range(MAX_ACKNOWLEDGED + 5):
        said = json.dumps({"type": "acknowledged", "request": number})
        watched.take(MessageKind.ACKNOWLEDGED, said)
        assert {"type": "acknowledged", "request": number} in watched.taken()
    parts = decode_envelope(watched.state.envelope(text=True))
    kept = [json.loads(part)["request"] for part in parts if isinstance(part, str)]
    assert kept == list(range(5, MAX_ACKNOWLEDGED + 5))


def test_a_new_start_drops_the_superseded_steps() -> None:
    watched = Watched()
    watched.train(1)
    watched.taken()
    watched.train(2)
    watched.start(attempt=2, step=1)
    watched.train(2, attempt=2)
    watched.now += 5
    census, beat = watched.taken()
    assert isinstance(census, Census)
    assert (beat.attempt, beat.first_step, beat.step) == (2, 2, 2)


def test_gradients_of_rows_outside_the_batch_come_with_the_step() -> None:
    watched = Watched()
    every = np.arange(V, dtype=np.uint32)
    trained = watched.train(1, gradient_ids=every, gradient_norms=np.ones(V, np.float32))
    _, beat, whole = watched.taken()
    assert beat.elsewhere
    assert isinstance(whole, Pulse)
    np.testing.assert_array_equal(whole.gradient_ids, trained.gradient_ids)


def test_the_figures_between_two_beats_are_bounded() -> None:
    watched = Watched()
    watched.train(1)
    watched.taken()
    for step in range(2, 5_000):
        watched.train(step)
    watched.now += 5
    passed, _ = watched.taken()
    assert 500 <= len(passed["steps"]) <= 1_000
    assert passed["steps"] == sorted(passed["steps"])
