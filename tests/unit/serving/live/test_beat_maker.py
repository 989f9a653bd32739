"""Which steps of a run become beats, what is counted of the others, and how much a class is sent."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from lamplighter.runfolder.phase import Phase
from lamplighter.serving.live.beat_picker import BEAT_SECONDS
from lamplighter.serving.live.feeds import MessageKind, ViewerMessage
from lamplighter.serving.live.folder_beats import CLASS, Audience, BeatMaker
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import StatusMessage
from lamplighter.serving.schemas.runs import Status
from lamplighter.wire.frames import encode
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import NEVER, Census
from tests.support.beat_page import BeatPage


def status_message(message: str = "", step: int = 0) -> str:
    status = Status(
        phase=Phase.RUNNING,
        message=message,
        alive=True,
        attempt=1,
        step=step,
        steps=1_000,
        loss=2.5,
        pace="full",
        pace_steps_per_second=None,
        snapshots="all",
        bytes=10**6,
        crowded=False,
        changed=1.0,
    )
    return to_json_text(StatusMessage(status=status))


class Class:
    """A maker with a test clock, two pages that get all it publishes, and the state from pulses alone."""

    def __init__(
        self,
        vocabulary: int = 60,
        seed: int = 0,
        read_words: Any = lambda attempt, step: None,
        audience: Audience = CLASS,
    ) -> None:
        self.vocabulary = vocabulary
        self.random = np.random.default_rng(seed)
        self.maker = BeatMaker(read_words, audience)
        self.now = 100.0
        self.step = 0
        self.page, self.reader = BeatPage(vocabulary), BeatPage(vocabulary)
        self.truth = BeatPage(vocabulary)
        self.sent: list[tuple[float, int]] = []
        self.beats_at: list[float] = []
        self.give(MessageKind.CENSUS, encode(Census(1, 0, 1.0, self.truth.touches, self.truth.last_lit)))

    def give(self, kind: MessageKind, data: bytes | str) -> None:
        self.maker.take_messages([ViewerMessage(kind, data, 1)], self.now)
        self.publish()

    def publish(self) -> None:
        while due := self.maker.next_publication(self.now):
            publication, self.state = due
            before = len(self.page.beats)
            for page, text in ((self.page, False), (self.reader, True)):
                data = publication.envelope(text=text)
                if data is not None:
                    page.receive(data)
            self.sent.append((self.now, len(publication.envelope(text=True) or b"")))
            self.beats_at += [self.now] * (len(self.page.beats) - before)

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.01)):
            self.now += 0.01
            self.publish()

    def train(self, rows: float = 0.1, *, everywhere: bool = False) -> Pulse:
        """Train a step that reads a given share of the rows; `everywhere`: every row gets a gradient."""
        self.step += 1
        size = self.vocabulary

        def some(share: float) -> np.ndarray:
            return np.flatnonzero(self.random.random(size) < share).astype(np.uint32)

        batch = some(rows)
        gradient = np.arange(size, dtype=np.uint32) if everywhere else batch
        moved = some(0.5) if self.step % 2 else batch
        pulse = Pulse(
            attempt=1,
            step=self.step,
            time=self.now,
            vocabulary=size,
            loss=float(self.step),
            learning_rate=0.1,
            tokens_per_second=1.0,
            step_seconds=0.1,
            observe_seconds=0.0,
            batch_ids=batch,
            batch_counts=np.ones(len(batch), np.uint32),
            gradient_ids=gradient,
            gradient_norms=np.abs(self.random.standard_normal(len(gradient))).astype(np.float32),
            moved_ids=moved,
            moved_distances=np.ones(len(moved), np.float32),
            layer_norms=np.ones(2, np.float32),
            verified=bool(self.step % 2),
        )
        self.truth.touches[batch] += np.uint32(1)
        self.truth.last_lit[batch] = self.step
        self.truth.gradient[gradient] = pulse.gradient_norms
        self.give(MessageKind.PULSE, encode(pulse))
        return pulse

    def lay_out(self, method: Method = Method.UMAP) -> None:
        xy = self.random.standard_normal((self.vocabulary, 2)).astype(np.float32) * 0.01
        xy[:2] = [[-1, -1], [1, 1]]
        kind = MessageKind.UMAP if method is Method.UMAP else MessageKind.LINEAR
        self.give(kind, encode(Layout(1, self.step, self.now, method, xy)))


@pytest.mark.parametrize("steps_per_second", [0.5, 2, 4, 7, 40])
def test_a_beat_is_one_fresh_step_at_most_three_times_a_second(steps_per_second: float):
    there = Class()
    pulses: dict[int, Pulse] = {}
    for _ in range(max(5, int(20 * steps_per_second))):
        pulse = there.train()
        pulses[pulse.step] = pulse
        there.pass_time(1 / steps_per_second)
    gaps = [later - earlier for earlier, later in pairwise(there.beats_at)]
    assert min(gaps) >= BEAT_SECONDS - 1e-9
    if steps_per_second <= 2:
        assert len(there.page.beats) == len(pulses), "every step of a slow run is shown"
    else:
        assert len(there.page.beats) > 20
    for beat, at in zip(there.page.beats, there.beats_at, strict=True):
        pulse = pulses[beat.step]
        np.testing.assert_array_equal(beat.batch_ids, pulse.batch_ids)
        np.testing.assert_array_equal(beat.gradient_norms, pulse.gradient_norms)
        assert (beat.loss, beat.gradient_rows, beat.moved_rows) == (
            pulse.loss,
            len(pulse.gradient_ids),
            len(pulse.moved_ids),
        )
        drifting = len(set(pulse.moved_ids.tolist()) - set(pulse.batch_ids.tolist()))
        assert beat.drifting_rows == (drifting if pulse.verified else None)
        assert at - pulse.time <= 1.0


def test_the_last_step_before_a_pause_is_shown():
    there = Class()
    for _ in range(10):
        there.train()
        there.pass_time(0.05)
    there.pass_time(2)
    assert there.page.beats[-1].step == 10
    assert there.beats_at[-1] <= 100 + 0.5 + 1.1


@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize("steps_per_second", [3, 25])
def test_every_count_covers_all_pulses(steps_per_second: int, everywhere: bool):
    there = Class(seed=3, audience=replace(CLASS, max_norms=30))
    for number in range(steps_per_second * 12):
        there.train(rows=0.05 if number % 40 < 20 else 0.3, everywhere=everywhere and number % 50 < 10)
        there.pass_time(1 / steps_per_second)
        if there.page.step == there.step:
            np.testing.assert_array_equal(there.page.touches, there.truth.touches)
            np.testing.assert_array_equal(there.page.last_lit, there.truth.last_lit)
            known = ~np.isnan(there.page.gradient)
            np.testing.assert_array_equal(there.page.gradient[known], there.truth.gradient[known])
    assert sum(beat.step - beat.first_step + 1 for beat in there.page.beats) == there.page.step
    if not everywhere:
        assert known.sum() > 30, "norms are told while they are few"


def test_a_late_viewer_has_the_counts_and_the_light_of_the_others():
    there = Class(read_words=lambda attempt, step: f'{{"type":"words","step":{step}}}')
    for _ in range(60):
        there.train()
        there.lay_out()
        there.pass_time(0.05)
    joining, reading = BeatPage(60), BeatPage(60)
    joining.receive(there.state.envelope(text=False))
    reading.receive(there.state.envelope(text=True))
    for page in (joining, reading):
        np.testing.assert_array_equal(page.touches, there.page.touches)
        np.testing.assert_array_equal(page.last_lit, there.page.last_lit)
        assert page.step == there.page.step
        np.testing.assert_array_equal(page.beats[-1].batch_ids, there.page.beats[-1].batch_ids)
        place, same = page.layouts[Method.UMAP], there.page.layouts[Method.UMAP]
        np.testing.assert_array_equal(place.places, same.places)
        assert (place.number, place.step) == (same.number, same.step)
    assert (joining.kinds(), reading.kinds()) == ([], ["words"])
    assert there.page.changes > 0


def test_words_go_only_to_viewers_who_may_read_them():
    there = Class(read_words=lambda attempt, step: f'{{"type":"words","step":{step}}}')
    there.give(MessageKind.STATUS, status_message())
    there.give(MessageKind.MEASURES, '{"type":"measures"}')
    there.give(MessageKind.LINES, '{"type":"lines"}')
    there.give(MessageKind.EXAMINATION, '{"type":"examination"}')
    there.give(MessageKind.ACKNOWLEDGED, '{"type":"acknowledged"}')
    there.pass_time(1)
    there.train()
    assert there.page.kinds() == ["status", "measures"]
    assert there.reader.kinds() == ["status", "measures", "lines", "examination", "words"]
    there.give(MessageKind.LINES, '{"type":"lines"}')
    before = len(there.page.texts)
    there.pass_time(1)
    assert len(there.page.texts) == before


def test_trainer_messages_go_only_to_callers_who_may_read_the_text():
    there = Class()
    there.give(MessageKind.STATUS, status_message("diary.txt has 2 words"))
    there.pass_time(1)
    assert [text["status"]["message"] for text in there.page.texts] == [""]
    assert there.reader.texts[-1]["status"]["message"] == "diary.txt has 2 words"
    for text in (False, True):
        joining = BeatPage(there.vocabulary)
        joining.receive(there.state.envelope(text=text))
        assert [one["status"]["message"] for one in joining.texts] == [
            "diary.txt has 2 words" if text else ""
        ]


def test_a_new_attempt_starts_from_its_census():
    there = Class()
    for _ in range(20):
        there.train()
        there.pass_time(0.05)
    ids = np.arange(3, dtype=np.uint32)
    touches, lit = np.zeros(60, np.uint32), np.full(60, NEVER, np.uint32)
    touches[ids], lit[ids] = 2, 7
    there.train()
    there.give(MessageKind.CENSUS, encode(Census(2, 7, 1.0, touches, lit)))
    assert (there.page.step, len(there.page.censuses)) == (7, 2)
    np.testing.assert_array_equal(there.page.touches, touches)
    there.step = 7
    there.pass_time(1)
    pulse = there.train()
    assert there.page.beats[-1].first_step == 8
    touches[pulse.batch_ids] += 1
    np.testing.assert_array_equal(there.page.touches, touches)


def test_the_map_is_sent_at_most_once_a_second_and_the_linear_view_less_often():
    there = Class()
    steps: dict[Method, set[int]] = {Method.UMAP: set(), Method.LINEAR: set()}
    for _ in range(100):
        there.train()
        there.lay_out(Method.LINEAR)
        if there.step > 20:
            there.lay_out(Method.UMAP)
        there.pass_time(0.2)
        for method, layout in there.page.layouts.items():
            steps[method].add(layout.step)
    # 4 s without a map, then three of four.
    assert 11 <= len(steps[Method.UMAP]) <= 14
    assert 7 <= len(steps[Method.LINEAR]) <= 10
    there.pass_time(9)
    assert {layout.step for layout in there.page.layouts.values()} == {100}


@pytest.mark.parametrize(("vocabulary", "rows"), [(2_400, 0.068), (20_000, 0.02), (4_000, 0.5)])
def test_a_class_is_sent_eight_kilobytes_a_second_for_any_run(vocabulary: int, rows: float):
    there = Class(vocabulary)
    there.sent.clear()
    begun = there.now
    for number in range(900):
        there.train(rows)
        if number % 10 == 0:
            there.lay_out()
            there.lay_out(Method.LINEAR)
        if number % 30 == 0:
            there.give(MessageKind.STATUS, status_message(step=number))
        there.now += 1 / 30
        there.publish()
    seconds = there.now - begun
    # Messages in transit at the end belong to the next seconds.
    sent = sum(size for at, size in there.sent if at < begun + seconds - 10)
    assert sent / seconds <= 8_000
    assert len(there.page.beats) >= 3
