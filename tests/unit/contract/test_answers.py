"""The models of the answers: what is read of a stored one, and what is not.

The sentences that a server recognises.
"""

from __future__ import annotations

import json
from string import Formatter
from typing import Any, get_args

import pytest

from lamplighter.contract.answers import SpeakAnswer, StoredAnswerError, dump_answer, parse_answer
from lamplighter.contract.reason import Reason, ReasonCode
from lamplighter.contract.sentences import SENTENCES, recognise, say

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


def values_of(sentence: str) -> dict[str, Any]:
    """Return a value for each field of a sentence: a large number where it has a format, else a text."""
    fields = [(name, spec) for _, name, spec, _ in Formatter().parse(sentence) if name is not None]
    return {
        name: (12 if spec.endswith("g") else 1_234_567) if spec else f"a {name}; ({name})"
        for name, spec in fields
    }


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_is_recognised_with_its_values(code: ReasonCode):
    values = values_of(SENTENCES[code])
    assert recognise(say(code, **values)) == Reason(code, values)
    assert code in get_args(ReasonCode.__value__)


def test_a_number_that_is_not_finite_is_a_word_since_json_has_none():
    assert recognise("stopped at step 1e999; it can be continued") == Reason("stopped", {"step": "1e999"})
    told = recognise(say("loss_not_finite", step=3, loss=float("nan")))
    assert told == Reason("loss_not_finite", {"step": 3, "loss": "nan"})


@pytest.mark.parametrize(
    "text",
    [
        *("", "Stopped at step 5", "stopped at step five; it can be continued", "x" * 1_000_000),
        *(
            f"stopped at step {number}; it can be continued"
            for number in ("1.2.3", "1..2", ".", "9" * 900, "\u0663")
        ),
    ],
)
def test_any_other_text_is_no_sentence(text: str):
    assert recognise(text) is None
