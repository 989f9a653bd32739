"""The catalogue of the engine's sentences: each code has a text in each language with the values that are given with it,
and its stored English is recognised.
"""

from __future__ import annotations

from typing import Any, get_args

import pytest

from lamplighter.contract.reason import Reason, ReasonCode
from lamplighter.contract.recognition import recognise
from lamplighter.contract.sentences import SENTENCES, fill, say
from tests.support.catalogues import ROOT, calls, check_variants, fields_of, read_trees, strings_of

ENGLISH, GERMAN = SENTENCES.english, SENTENCES.german
ITS_OWN_WORDS = "{sentence}"
TREES = read_trees(ROOT, but=[ROOT / "contract" / "reason.py"])
LEFT_OUT: dict[str, str] = {
    **dict.fromkeys(
        (
            "run_unreadable",
            "checkpoint_failed",
            "checkpoint_replaced",
            "waypoint_failed",
            "export_unreadable",
            "export_failed",
            "export_no_room",
            "no_process",
            "export_not_started",
            "set_unreadable",
            "class_is_full",
        ),
        "error",
    ),
    "disk_paused": "why",
    "loss_not_finite": "loss",
    "training_no_memory": "limited",
    "output_kept_since": "first step",
    **dict.fromkeys(
        (
            "export_not_begun",
            "export_no_step",
            "run_moved",
            "run_is_trained",
            "run_arrives",
            "run_may_be_trained",
            "run_without_steps",
            "run_without_tokens",
            "run_without_claims",
            "run_without_numbers",
            "fork_text_not_kept",
            "fork_attempt",
        ),
        "run",
    ),
    "export_killed": "signal",
    **dict.fromkeys(("export_ended", "import_ended", "map_ended"), "number"),
    **dict.fromkeys(("no_such_run", "no_such_set", "folder_read_only"), "folder"),
    **dict.fromkeys(("set_is_open", "set_is_swept", "set_without_word"), "set"),
    "no_such_token": "tokens",
    "no_layout": "method",
    "no_such_part": "part",
    "export_unfinished": "percent",
    "set_without_two": "set step",
    "set_without_group": "group last",
    "fork_nothing_kept": "run step",
    "fork_too_far": "most nearest run step",
    "class_wrong_codes": "seconds",
}
"""The values of a sentence that the German text does without: a page shows which run it is about, and a class has no use
for a number of the system."""


@pytest.mark.parametrize("texts", [ENGLISH, GERMAN], ids=["en", "de"])
def test_each_code_has_a_text_and_each_text_a_code(texts: dict[str, str]):
    codes = set(get_args(ReasonCode.__value__))
    assert {key for key in texts if "__" not in key} == codes
    check_variants(texts)


def test_each_code_is_raised_or_said_somewhere():
    strings = strings_of(TREES)
    assert [code for code in get_args(ReasonCode.__value__) if code not in strings] == []


def test_each_text_has_the_values_that_are_given_with_its_code():
    found = list(calls(TREES, ("say", "give_reason")))
    assert len(found) > 170
    for function, code, names in found:
        english = fields_of(ENGLISH[code]).keys() - {"sentence"}
        assert english == names if function == "say" else english <= names, code
        assert fields_of(GERMAN[code]).keys() <= names, code
    assert {
        code: " ".join(sorted(missing))
        for code, text in ENGLISH.items()
        if text != ITS_OWN_WORDS and (missing := fields_of(text).keys() - fields_of(GERMAN[code]).keys())
    } == LEFT_OUT


def test_a_text_of_one_is_chosen_by_its_number_and_that_of_none_by_an_empty_word():
    assert say("fork_new_words", words=1).startswith("1 word begins with a new row")
    assert say("fork_new_words", words=1_234).startswith("1,234 words begin with new rows")
    values = {"words": "xyzzy", "similar": ""}
    assert "Use words of its text" in SENTENCES.tell("unknown_words", values)
    assert SENTENCES.tell("unknown_words", values | {"similar": "lamp"}, "de").endswith("etwa „lamp“.")


def test_numbers_are_written_as_in_the_language():
    text = "{a:count} {b:percent} {c:number} {d:.2} {e:2} {f:+2} {g}"
    values = {"a": 1_234, "b": 0.0731, "c": 0.0005, "d": 1_234.5, "e": 0.456, "f": 0.1, "g": "1,2"}
    assert fill(text, values) == "1,234 7.31 % 0.0005 1234.50 0.46 +0.1 1,2"
    assert fill(text, values, "de") == "1.234 7,31 % 0,0005 1234,50 0,46 +0,1 1,2"


def values_of(sentence: str) -> dict[str, Any]:
    """Return a value for each field of a sentence: a large number where it has a format, else a text."""
    return {
        name: (1_234_567 if spec in ("count", ".1") else 12) if spec else f"a {name}; ({name})"
        for name, spec in fields_of(sentence).items()
    }


@pytest.mark.parametrize("key", [key for key, text in ENGLISH.items() if text != ITS_OWN_WORDS])
def test_a_sentence_is_recognised_with_its_values(key: str):
    values = values_of(ENGLISH[key])
    told = recognise(fill(ENGLISH[key], values))
    assert told is not None
    assert (told.code, told.values) == (key.partition("__")[0], values)


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
