"""The rules on a small real run and on its control, with answers of the examiner: they distinguish learning
from its absence.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

import pytest

from lamplighter.claims.control import gather_with_control, make_control_recipe, read_control
from lamplighter.claims.evidence import Evidence, StoredAnswer
from lamplighter.claims.gathering import read_moment
from lamplighter.claims.questions_asked import list_questions
from lamplighter.examination.answering import examine
from lamplighter.runfolder.reading.lru_cache import LruCache
from tests.support.evidences import CONDITIONAL, FAILING, HOLDS, find, judge, said
from tests.support.village import (
    STEPS,
    Village,
    ignore_progress,
    record_village,
    village_recipe,
    village_text,
)

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
