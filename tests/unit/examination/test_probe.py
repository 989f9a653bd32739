"""The kind *probe*: the attention of a sentence at two steps, and one word in two sentences."""

from __future__ import annotations

from typing import Any

import pytest

from lamplighter.contract.questions import ProbeQuestion, QuestionError
from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.examination.kinds import probe
from tests.support.village import Village, ignore_progress, stored

SENTENCE = "in the den something howled ."


def ask(model: ExaminedModel, sentence: str = SENTENCE, **fields: Any) -> dict[str, Any]:
    answer = probe.examine(
        model, ProbeQuestion(step=model.step, sentence=sentence, **fields), ignore_progress
    )
    return stored(answer)


def test_each_positions_attention_sums_to_one_over_earlier_positions(village: Village) -> None:
    answer = ask(village.examined())
    [told] = answer["readings"]
    assert answer["sentence"] == [village.word(word) for word in SENTENCE.split()]
    assert len(told["attention"]) == 2
    assert {len(layer) for layer in told["attention"]} == {2}
    for layer in told["attention"]:
        for head in layer:
            assert [len(row) for row in head] == [1, 2, 3, 4, 5, 6]
            assert all(sum(row) == pytest.approx(1, abs=1e-3) for row in head)
    assert told["words"] == []
    assert answer["change"] is None


def test_training_moves_the_attention(village: Village) -> None:
    answer = ask(village.examined(), other_step=0)
    now, then = answer["readings"]
    assert (now["step"], then["step"]) == (250, 0)
    # An untrained head attends uniformly.
    assert then["attention"][0][0][5] == pytest.approx([1 / 6] * 6, abs=0.02)
    for layer in range(2):
        for head in range(2):
            rows = zip(now["attention"][layer][head][1:], then["attention"][layer][head][1:], strict=True)
            moved = [sum(abs(a - b) for a, b in zip(one, other, strict=True)) / 2 for one, other in rows]
            assert answer["change"][layer][head] == pytest.approx(sum(moved) / 5, abs=1e-3)
    assert max(map(max, answer["change"])) > 0.1


def test_one_word_in_two_sentences_separates_layer_by_layer(village: Village) -> None:
    answer = ask(
        village.examined(), "the dog barked in the basket", other_sentence="the cat meowed in the cushion"
    )
    words = answer["readings"][0]["words"]
    pairs = [(word["id"], word["positions"]) for word in words]
    the, where = village.word("the"), village.word("in")
    assert pairs == [(the, [0, 0]), (the, [4, 4]), (where, [3, 3])]
    # The first word sees only itself; before the first block no position has read the others.
    assert words[0]["cosines"] == pytest.approx([1, 1, 1])
    assert words[2]["cosines"][0] == pytest.approx(1)
    assert words[2]["cosines"][2] < 0.999


def test_the_other_step_may_be_the_same(village: Village) -> None:
    assert ask(village.examined(2), other_step=2) == ask(village.examined(2))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sentence": "the " * 13}, "13 words, and this model reads at most 12 words at a time"),
        ({"other_sentence": "the " * 13}, "13 words"),
        ({"other_sentence": "a quark"}, "quark"),
    ],
)
def test_an_unreadable_sentence_is_refused(village: Village, fields: dict[str, str], message: str) -> None:
    with pytest.raises(QuestionError, match=message):
        ask(village.examined(2), **fields)


def test_attention_too_large_for_an_answer_is_refused(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "MAX_NUMBERS", 100)
    assert ask(village.examined(2))["readings"]
    with pytest.raises(QuestionError, match="6 words in 2 layers of 2 heads is 168 numbers"):
        ask(village.examined(2), other_step=0)


def test_a_single_word_attends_to_itself(village: Village) -> None:
    assert ask(village.examined(2), "dog", other_step=0)["change"] == [[0, 0], [0, 0]]
