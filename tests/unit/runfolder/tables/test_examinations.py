"""The file of questions and answers: a bounded queue that survives its writer, read change by change.

The districts of a layouts file: old ones are thinned out, events stay.
The lines of a step as JSON: they round-trip, and anything else is rejected.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.tables import examinations
from lamplighter.runfolder.tables.examinations import ExaminationsReader, ExaminationsWriter
from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.runfolder.tables.lines import (
    MAX_LINES_CHARACTERS,
    SpokenLine,
    decode_lines,
    decode_prompts,
    encode_lines,
)
from lamplighter.runfolder.tables.requests import EXAMINE, Request
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.district_frames import Districts


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "examinations.sqlite"


def add(writer: ExaminationsWriter, question_id: str, problem: str | None = None) -> None:
    writer.add_question(question_id, attempt=1, step=8, kind="speak", question='{"step":8}', problem=problem)


def test_a_question_passes_through_all_states(path: Path):
    with ExaminationsWriter(path) as writer, ExaminationsReader(path) as reader:
        add(writer, "a")
        (waiting,) = reader.entries()
        assert (waiting.state, waiting.is_open, waiting.tries, waiting.made) == ("waiting", True, 0, None)
        writer.begin("a")
        writer.report("a", 0.5, "computing")
        (running,) = reader.entries(after=waiting.revision)
        assert (running.state, running.share, running.activity, running.tries) == (
            "running",
            0.5,
            "computing",
            1,
        )
        writer.finish("a", '{"word":"ü"}')
        (done,) = reader.entries(after=running.revision)
        assert (done.state, done.share, done.is_open) == ("done", 1, False)
        assert reader.entries(after=done.revision) == []
        assert reader.newest_revision() == done.revision
        assert (reader.answer("a"), reader.answer_bytes("a")) == ('{"word":"ü"}', 13)
        assert (reader.answer("b"), reader.answer_bytes("b"), reader.entry("b")) == (None, 0, None)


def test_a_repeated_question_is_answered_once_unless_it_failed(path: Path):
    with ExaminationsWriter(path) as writer:
        add(writer, "a")
        add(writer, "a")
        assert len(writer.open_entries()) == 1
        writer.finish("a", "{}")
        add(writer, "a")
        assert writer.open_entries() == []
        add(writer, "b", problem="too many")
        failed = writer.entry("b")
        assert failed is not None
        assert (failed.state, failed.problem) == ("failed", "too many")
        add(writer, "b")
        assert [entry.problem for entry in writer.open_entries()] == [None]
        writer.cancel("b")
        writer.cancel("a")
        writer.cancel("none")
        assert [entry and entry.state for entry in map(writer.entry, "ab")] == ["done", "cancelled"]
        add(writer, "b")
        assert [entry.id for entry in writer.open_entries()] == ["b"]


def test_the_next_writer_continues_the_queue(path: Path):
    with ExaminationsWriter(path) as writer:
        for name in "cab":
            add(writer, name)
        writer.begin("c")
        writer.add_applied(Request("server", 7, 0.0, EXAMINE, {}), 1, 8)
        revision = writer.open_entries()[-1].revision
    with ExaminationsWriter(path) as writer:
        assert [(entry.id, entry.state, entry.tries) for entry in writer.open_entries()] == [
            ("c", "running", 1), ("a", "waiting", 0), ("b", "waiting", 0),
        ]  # fmt: skip
        assert writer.last_applied() == {"server": 7}
        writer.requeue("c")
        entry = writer.entry("c")
        assert entry is not None
        assert (entry.state, entry.tries) == ("waiting", 0)
        assert entry.revision > revision
        assert writer.close(sealed=True)


def test_drops_the_oldest_answers_but_no_open_question(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(examinations, "MAX_ANSWERS_BYTES", 100)
    with ExaminationsWriter(path) as writer, ExaminationsReader(path) as reader:
        add(writer, "waits")
        for name, size in (("a", 60), ("b", 30), ("c", 30)):
            add(writer, name)
            writer.finish(name, "1" * size)
        assert sorted(entry.id for entry in reader.entries()) == ["b", "c", "waits"]
        monkeypatch.setattr(examinations, "MAX_ANSWERS", 1)
        add(writer, "d")
        writer.finish("d", "1")
        assert sorted(entry.id for entry in reader.entries()) == ["d", "waits"]


def districts(step: int) -> Districts:
    return Districts(1, step, 1.0, np.array([4], np.uint32), ("animals",), np.ones(9, np.uint16))


def test_thins_old_districts_and_keeps_events(tmp_path: Path) -> None:
    path = tmp_path / "layouts.sqlite"
    with LayoutsWriter(path) as writer:
        for step in range(40):
            writer.commit_districts(districts(step), [("district-born", f"at {step}")])
        assert writer.thin_districts(40) == 0
        assert writer.thin_districts(20) == 10
    with LayoutsReader(path) as reader:
        steps = [entry.step for entry in reader.districts_entries()]
        assert (steps[0], len(steps), steps[-20:]) == (0, 30, list(range(20, 40)))
        assert len(reader.district_events()) == 40
        assert [event.message for event in reader.district_events(limit=2)] == ["at 38", "at 39"]
        assert [event.message for event in reader.district_events(after=1, limit=2)] == ["at 1", "at 2"]


V = 200_000
LINES = [SpokenLine((1, 2), (3, 4), (0.5, 1.25e-7), False), SpokenLine((V - 1,), (0,), (1.0,), True)]


def test_lines_round_trip() -> None:
    assert decode_lines(encode_lines(LINES), V) == LINES


def test_keeps_six_digits_of_a_probability() -> None:
    [line] = decode_lines(encode_lines([SpokenLine((1,), (2,), (1 / 3,), False)]), V)
    assert line.probabilities == (0.333333,)


def test_the_longest_lines_fit() -> None:
    longest = SpokenLine((V - 1,) * 200, (V - 1,) * 64, (1.23456e-300,) * 64, False)
    text = encode_lines([longest] * 4)
    assert len(text) <= MAX_LINES_CHARACTERS
    assert decode_lines(text, V) == [longest] * 4


def changed(**values: Any) -> str:
    return json.dumps([json.loads(encode_lines(LINES))[0] | values])


@pytest.mark.parametrize(
    "hostile",
    [
        None, b"x", 7, "", "{}", "[]", "[1]", "[[]]", "[" * 5_000, "[{}]", "[" + " " * MAX_LINES_CHARACTERS + "]",
        json.dumps(json.loads(changed()) * 5),
        changed(more=1), changed(sampled=1), changed(sampled=None),
        changed(prompt=[]), changed(prompt=[1] * 201), changed(prompt="12"), changed(prompt=[-1]), changed(prompt=[V]),
        changed(prompt=[True]), changed(prompt=[1.0]), changed(prompt=[10**400]), changed(prompt=[None]),
        changed(words=[]), changed(words=[3]), changed(words=[3, V]), changed(words=[3] * 65),
        changed(probabilities=[]), changed(probabilities=[0.5]), changed(probabilities=[0.5, -0.1]), changed(probabilities=[0.5, 1.1]),
        changed(probabilities=[0.5, float("nan")]), changed(probabilities=[0.5, float("inf")]), changed(probabilities=[0.5, True]),
        changed(probabilities=[0.5, "1"]), changed(probabilities=[0.5, 10**400]), changed(probabilities={"0": 1}),
    ],
)  # fmt: skip
def test_rejects_invalid_lines(hostile: Any) -> None:
    with pytest.raises(FormatError):
        decode_lines(hostile, V)


@pytest.mark.parametrize("hostile", [None, "12", {}, [[]], [[1], 2], [["1"]], [[9]], [[1]] * 5, [[1] * 201]])
def test_rejects_invalid_prompts(hostile: Any) -> None:
    with pytest.raises(FormatError):
        decode_prompts(hostile, 9)
    assert decode_prompts([[8], [1, 2]], 9) == [(8,), (1, 2)]


def test_ignores_lines_of_superseded_steps(tmp_path: Path) -> None:
    path = tmp_path / "steps.sqlite"
    with StepsWriter(path) as writer:
        writer.start_attempt(0)
        writer.add_lines(0, "start")
        for step in (1, 2, 3):
            writer.commit(StepRecord(step, b"pulse", b"digest", lines=f"first {step}"))
        writer.start_attempt(2)
        writer.commit(StepRecord(2, b"pulse", b"digest", lines="second"))
        with StepsReader(path) as reader:
            assert reader.lines(0, 99, 9) == {0: "start", 1: "first 1", 2: "second"}
            assert reader.lines(1, 99, 1) == {1: "first 1"}
            assert reader.lines_sizes(0, 99, 9) == {0: 5, 1: 7, 2: 6}
