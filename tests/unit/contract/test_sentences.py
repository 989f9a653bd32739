"""The sentences that a server recognises."""

from __future__ import annotations

from string import Formatter
from typing import Any, get_args

import pytest

from lamplighter.contract.reason import Reason, ReasonCode
from lamplighter.contract.sentences import SENTENCES, recognise, say


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
