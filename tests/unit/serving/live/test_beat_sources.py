"""The contract of the fan-out's sources, for a log in memory and for the tail of a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.live import beat_picker, channel_log, folder_beats
from lamplighter.serving.live.beat_log import BeatLog
from lamplighter.serving.live.channel_log import START, Sequence
from lamplighter.serving.live.feeds import MessageKind, ViewerMessage
from lamplighter.serving.live.folder_beats import CLASS, Audience, BeatMaker, FolderBeats
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.wire.frames import decode, encode
from lamplighter.wire.layout_frames import Method
from lamplighter.wire.row_frames import NEVER, Census
from tests.support.beat_page import BeatPage
from tests.support.folders import FakeTrainer, V, layout, make_run, pulse, write_layouts
from tests.support.waiting import wait_until

AT_ONCE = Audience(presents=False, max_norms=CLASS.max_norms)
"""A class that gets all of it at once."""


class Feed(Protocol):
    """A run that grows, and the source that publishes it."""

    source: BeatLog
    touches: np.ndarray
    last_lit: np.ndarray
    notices: int

    def begin(self) -> None: ...
    def train(self) -> None:
        """Train one step and wait until it is published."""
        ...

    def lay_out(self) -> None: ...
    def close(self) -> None: ...


class MemoryFeed:
    """Steps that go through a maker, one second each."""

    def __init__(self) -> None:
        self.source = BeatLog(self._notice)
        self.touches, self.last_lit = np.zeros(V, np.uint32), np.full(V, NEVER, np.uint32)
        self.notices = self._step = 0
        self._now = 0.0
        self._maker = BeatMaker(lambda attempt, step: f'{{"type":"words","step":{step}}}', AT_ONCE)

    def _notice(self) -> None:
        self.notices += 1

    def begin(self) -> None:
        self._give(MessageKind.CENSUS, encode(Census(1, 0, 1.0, self.touches, self.last_lit)))

    def train(self) -> None:
        self._step += 1
        ids = np.unique(np.random.default_rng(self._step).integers(0, V, 6))
        self.touches[ids] += 1
        self.last_lit[ids] = self._step
        self._give(MessageKind.PULSE, encode(pulse(1, self._step, ids)))

    def lay_out(self) -> None:
        self._give(MessageKind.UMAP, encode(layout(1, self._step)))

    def close(self) -> None:
        pass

    def _give(self, kind: MessageKind, data: bytes) -> None:
        self._now += 10
        self._maker.take_messages([ViewerMessage(kind, data, 1)], self._now)
        while due := self._maker.next_publication(self._now):
            self.source.publish(*due)


class FolderFeed:
    """A trainer that writes a run folder, and the tail of it."""

    def __init__(self, folder: Path) -> None:
        store = RunStore(folder)
        self.run = make_run(store)
        self.notices = 0
        self.source = BeatLog(self._notice)
        self._beats = FolderBeats(self.run, RunCatalog(store), self.source, audience=AT_ONCE)
        self._trainer: FakeTrainer | None = None

    @property
    def touches(self) -> np.ndarray:
        assert self._trainer is not None
        return self._trainer.touches

    @property
    def last_lit(self) -> np.ndarray:
        assert self._trainer is not None
        return self._trainer.last_lit

    def _notice(self) -> None:
        self.notices += 1

    def begin(self) -> None:
        self._trainer = FakeTrainer(self.run).begin()
        self._beats.start()
        wait_until(lambda: self.source.newest_state()[1].census is not None, "the census")

    def train(self) -> None:
        assert self._trainer is not None
        self._trainer.train(1)
        step = self._trainer.step
        wait_until(lambda: _newest_step(self.source) == step, "a step")

    def lay_out(self) -> None:
        assert self._trainer is not None
        step = self._trainer.step
        write_layouts(self.run, layout(1, step))
        wait_until(lambda: [one.step for one in self.source.newest_state()[1].layouts] == [step], "a layout")

    def close(self) -> None:
        if self._trainer is not None:
            self.source.close()
            self._beats.stop()
            assert self._beats.wait_ended(10)
            self._trainer.crash()


def _newest_step(source: BeatLog) -> int:
    beat = source.newest_state()[1].beat
    return decode(beat).step if beat else 0


@pytest.fixture(params=["memory", "folder"])
def feed(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Feed]:
    # Beats come as fast as steps.
    monkeypatch.setattr(folder_beats, "BEAT_SECONDS", 0.0)
    for name in ("_MIN_WAIT", "_MAX_WAIT"):
        monkeypatch.setattr(beat_picker, name, 0.0)
    made: Feed = MemoryFeed() if request.param == "memory" else FolderFeed(tmp_path)
    yield made
    made.close()


def test_a_log_is_empty_before_the_first_publication(feed: Feed):
    position, state = feed.source.newest_state()
    assert (position, state.parts(text=True)) == (START, [])
    assert feed.source.since(START) == []
    assert feed.source.since(Sequence(0, 0, 1)) is None


def test_publications_have_the_positions_of_the_record_and_come_in_order(feed: Feed):
    feed.begin()
    for _ in range(4):
        feed.train()
    feed.lay_out()
    position, _ = feed.source.newest_state()
    everything = feed.source.since(START)
    assert everything is not None
    places = [one.seq for one in everything]
    assert places == sorted(set(places))
    assert {(attempt, step) for attempt, step, _ in places} >= {(1, step) for step in range(5)}
    assert position == places[-1] > (1, 4, 1)
    assert [one.time for one in everything] == sorted(one.time for one in everything)
    for start, place in enumerate([START, *places]):
        assert feed.source.since(place) == everything[start:]
    wait_until(lambda: feed.notices == len(places), "a notice of each")


def test_positions_no_longer_kept_or_of_another_log_are_a_gap(feed: Feed, monkeypatch: pytest.MonkeyPatch):
    feed.begin()
    for _ in range(5):
        feed.train()
    places = [START, *(one.seq for one in feed.source.since(START) or [])]
    monkeypatch.setattr(channel_log, "MAX_KEPT", 3)
    feed.train()
    places.append(feed.source.newest_state()[0])
    assert feed.source.since(places[-5]) is None
    assert len(feed.source.since(places[-4]) or []) == 3
    assert feed.source.since(Sequence(1, 7, 1)) is None
    assert feed.source.since(Sequence(1, 0, 9)) is None


def test_a_late_viewer_reaches_the_same_state_as_the_others(feed: Feed):
    feed.begin()
    pages: list[BeatPage] = []
    for number in range(6):
        if number in (0, 2, 4):
            feed.lay_out()
        position, state = feed.source.newest_state()
        page = BeatPage(V)
        page.receive(state.envelope(text=False))
        pages.append(page)
        feed.train()
        for one in feed.source.since(position) or []:
            if one.data:
                # Earlier viewers get the same bytes.
                for earlier in pages:
                    earlier.receive(one.data)
    for page in pages:
        np.testing.assert_array_equal(page.touches, feed.touches)
        np.testing.assert_array_equal(page.last_lit, feed.last_lit)
    feed.lay_out()
    newest = feed.source.newest_state()[1].layouts[-1]
    late = BeatPage(V)
    late.receive(feed.source.newest_state()[1].envelope(text=False))
    np.testing.assert_array_equal(late.layouts[Method.UMAP].places, newest.places)


def test_a_log_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(channel_log, "MAX_BYTES", 1_000)
    feed = MemoryFeed()
    feed.begin()
    places: list[Sequence] = []
    for _ in range(30):
        feed.train()
        places.append(feed.source.newest_state()[0])
    kept = sum(feed.source.since(place) is not None for place in places)
    assert 1 <= kept <= 12
