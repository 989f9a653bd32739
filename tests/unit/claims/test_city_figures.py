"""The input and output matrix on an ordered text and on a shuffled one, and the similarity of their
neighbours.

The rules on a small real run and on its control, with answers of the examiner: they distinguish learning
from its absence.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lamplighter.claims.control import gather_with_control, make_control_recipe, read_control
from lamplighter.claims.evidence import Evidence, StoredAnswer
from lamplighter.claims.gathering import read_moment
from lamplighter.claims.intervals import CLEAR
from lamplighter.claims.matrix_evidence import compare_with_text, sample_nearest, share_of_same
from lamplighter.claims.questions_asked import list_questions
from lamplighter.examination.examined_model import examine
from lamplighter.runfolder.reading.lru_cache import LruCache
from living_map.rows import unit_rows
from tests.support.evidences import CONDITIONAL, FAILING, HOLDS, find, judge, said
from tests.support.village import (
    STEPS,
    Village,
    ignore_progress,
    record_village,
    village_recipe,
    village_text,
)

WORDS, KINDS = 60, 5
WIDTH = 2 * KINDS

Text = NDArray[np.uint32]
Matrix = NDArray[np.float32]


def ordered_text(tokens: int = 20_000) -> Text:
    """Return a text of words in five rows: a word's place in its row determines from which row the next one
    is drawn.

    So the followers reveal a word's place, and the predecessors its row.
    """
    draw = np.random.default_rng(0)
    words = np.arange(WORDS).reshape(KINDS, WORDS // KINDS)
    text = [0]
    for _ in range(tokens - 1):
        text.append(int(draw.choice(words[text[-1] % (WORDS // KINDS) % KINDS])))
    return np.array(text, dtype=np.uint32)


def told_apart(kinds: NDArray[np.int64]) -> Matrix:
    """Return a matrix in which words of one class are near each other, shape (V, D)."""
    draw = np.random.default_rng(1)
    centres = np.eye(KINDS, WIDTH)[kinds]
    return (centres + 0.1 * draw.standard_normal(centres.shape)).astype(np.float32)


ROWS = np.arange(WORDS) // (WORDS // KINDS)
"""Row of each word: it determines what comes before the word."""
PLACES = np.arange(WORDS) % (WORDS // KINDS) % KINDS
"""Place of each word: it determines what follows the word."""


def test_each_matrix_agrees_with_its_own_side_of_an_ordered_text() -> None:
    found = compare_with_text(told_apart(PLACES), told_apart(ROWS), ordered_text())
    assert found is not None
    for side in found:
        assert side.mean > 0.5
        assert side.score(0) < -CLEAR
        assert side.draws == WORDS


def test_swapped_matrices_lean_to_the_wrong_sides() -> None:
    found = compare_with_text(told_apart(ROWS), told_apart(PLACES), ordered_text())
    assert found is not None
    assert all(side.mean < -0.5 for side in found)


def test_shuffled_words_remove_the_difference() -> None:
    shuffled = np.random.default_rng(2).permutation(ordered_text())
    found = compare_with_text(told_apart(PLACES), told_apart(ROWS), shuffled)
    assert found is not None
    for side in found:
        assert abs(side.mean) < 0.05
        assert abs(side.score(0)) < CLEAR


def test_untrained_matrices_lean_to_neither_side() -> None:
    inputs, outputs = np.random.default_rng(3).standard_normal((2, WORDS, WIDTH)).astype(np.float32)
    found = compare_with_text(inputs, outputs, ordered_text())
    assert found is not None
    assert all(abs(side.mean) < 0.05 for side in found)


def test_rare_words_are_left_out_and_too_few_give_no_result() -> None:
    text = ordered_text()
    tables = told_apart(PLACES), told_apart(ROWS)
    rare = np.concatenate((text[text != 7], np.full(4, 7, dtype=np.uint32)))
    found = compare_with_text(*tables, rare)
    assert (found and found[0].draws) == WORDS - 1
    found = compare_with_text(*tables, np.append(rare, np.uint32(7)))
    assert (found and found[0].draws) == WORDS
    assert compare_with_text(*tables, text[text < 9]) is None
    assert compare_with_text(*tables, text[:0]) is None
    # Identical rows correlate with nothing.
    assert compare_with_text(np.ones_like(tables[0]), tables[1], text) is None


def test_all_nearest_are_shared_within_one_matrix_and_few_by_chance_between_two() -> None:
    first, second = np.random.default_rng(4).standard_normal((2, 400, 16)).astype(np.float32)
    near, other = sample_nearest(first), sample_nearest(second)
    assert share_of_same(near, near).mean == 1
    chance = share_of_same(near, other)
    assert chance.mean == pytest.approx(10 / 399, abs=4 * chance.deviation)
    assert 0 < chance.deviation < 0.005
    # The order within a list does not matter.
    assert share_of_same(near, near[:, ::-1]).mean == 1
    turned = unit_rows(first)
    assert share_of_same(near, sample_nearest(turned)).mean == pytest.approx(1, abs=0.01)


FEW: dict[str, Any] = {"sequences": 1, "passages": 1}
"""So few sequences that most rows rest in a step."""
ASKED = ("probe", "substitution")


@dataclass(frozen=True)
class Both:
    """A run and its control."""

    village: Village
    control: Village

    def evidence(self) -> Evidence:
        """Return the evidence about the run, including that about the control."""
        run = self.village.run
        return gather_with_control(run, LruCache(), read_moment(run), read_control(run))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    """Train the village, and the same on its shuffled words."""
    runs = tmp_path_factory.mktemp("both")
    words = village_text().split()
    random.Random(1).shuffle(words)
    corpus = make_control_recipe(village_recipe()).corpus.model_dump()
    return Both(record_village(runs, **FEW), record_village(runs, " ".join(words), corpus=corpus, **FEW))


def examined(village: Village, evidence: Evidence) -> Evidence:
    """Return evidence with the answers to some of the board's own questions."""
    answers = {
        question.kind: StoredAnswer(
            examine(village.examined(question.model_step), question, ignore_progress), "0" * 16
        )
        for question in list_questions(evidence)
        if question.kind in ASKED
    }
    assert sorted(answers) == sorted(ASKED)
    return replace(evidence, answers=answers)


def test_words_come_together_in_the_village_but_not_in_its_control(both: Both) -> None:
    evidence = both.evidence()
    assert evidence.control is not None
    found = find(2, evidence)
    assert (found.state, find(2, evidence.control).state) == (HOLDS, FAILING), found.reason
    assert (found.null and found.null.code) == "shuffled_words"
    assert judge(1, evidence, evidence.control) == [HOLDS, HOLDS]


def test_the_two_matrices_lean_to_their_sides_only_in_the_village(both: Both) -> None:
    evidence = both.evidence()
    assert evidence.control is not None
    # The village has 35 words, so its matrices share more by chance than the threshold.
    assert judge(24, evidence, evidence.control) == [CONDITIONAL, FAILING]
    for one in (evidence, evidence.control):
        assert one.cities is not None
        assert one.cities.step == STEPS
        assert len(one.cities.earlier) == 2


def test_near_words_replace_each_other_only_in_the_village(both: Both) -> None:
    evidence = both.evidence()
    assert evidence.control is not None
    own, control = examined(both.village, evidence), examined(both.control, evidence.control)
    assert judge(3, own, control) == [CONDITIONAL, FAILING]
    assert said(find(3, control))["readings_hold"]["holding"] == 0
    # Neither has planted relations.
    assert judge(14, control) == [FAILING]
