"""The lines of a step as JSON: they round-trip, and anything else is rejected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.tables.lines import (
    MAX_LINES_CHARACTERS,
    SpokenLine,
    decode_lines,
    decode_prompts,
    encode_lines,
)
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader

V = 200_000
LINES = [
    SpokenLine((1, 2), (3, 4), (0.5, 1.25e-7), False),
    SpokenLine((V - 1,), (0,), (1.0,), True),
]


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
