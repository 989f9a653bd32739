"""The models of the answers: what is read of a stored one, and what is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lamplighter.contract.answers import SpeakAnswer, StoredAnswerError, dump_answer, parse_answer

SAID = {"id": 1, "p": 0.5, "candidates": [[1, 0.5], [2, 0.25]]}
SPOKEN: dict[str, Any] = {
    "kind": "speak",
    "step": 3,
    "attempt": 1,
    "prompt": [4, 5],
    "greedy": [SAID],
    "sampled": [],
    "replayed": {"from": 0, "steps": 3, "equal": True, "difference": 0.0},
}


def test_a_stored_answer_is_read_and_written_as_it_was() -> None:
    answer = parse_answer("speak", json.dumps(SPOKEN))
    assert isinstance(answer, SpeakAnswer)
    assert answer.greedy[0].candidates == [(1, 0.5), (2, 0.25)]
    assert answer.replayed.origin == 0
    assert not answer.imported
    assert json.loads(dump_answer(answer)) == SPOKEN


def test_fields_of_a_later_version_are_dropped() -> None:
    answer = parse_answer("speak", json.dumps(SPOKEN | {"mood": "good", "imported": True}))
    assert json.loads(dump_answer(answer)) == SPOKEN | {"imported": True}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"prompt": ["4"]}, "prompt.0"),
        ({"prompt": None}, "prompt"),
        ({"greedy": [SAID | {"p": True}]}, "greedy.0.p"),
        ({"greedy": [SAID | {"candidates": [[1]]}]}, "candidates.0"),
        ({"step": 1.5}, "step"),
        ({"kind": "say"}, "cannot be read"),
        ({"kind": "rotation"}, "cannot be read"),
    ],
)
def test_an_answer_of_another_shape_cannot_be_read(change: dict[str, Any], place: str) -> None:
    with pytest.raises(StoredAnswerError, match=place):
        parse_answer("speak", json.dumps(SPOKEN | change))


@pytest.mark.parametrize("text", ["", "null", "[" * 100_000, json.dumps(SPOKEN).replace("0.5", "NaN")])
def test_what_is_no_answer_cannot_be_read(text: str) -> None:
    with pytest.raises(StoredAnswerError):
        parse_answer("speak", text)


def test_an_answer_to_another_kind_of_question_is_refused() -> None:
    with pytest.raises(StoredAnswerError, match="of the kind speak, not probe"):
        parse_answer("probe", json.dumps(SPOKEN))
