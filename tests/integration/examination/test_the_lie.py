"""A lie taught to a run of the default recipe, through the examiner's own process: believed within five
steps, with side effects, and not for long. The record stays unchanged, and a model that cannot speak yet
believes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from lamplighter.contract.questions import WhatIfQuestion
from lamplighter.contract.recipe import Recipe
from lamplighter.processes.asked_question import check_question, examiner_command
from lamplighter.processes.local_examiner import LocalExaminer
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.training.worker import train

pytestmark = pytest.mark.tour
STEPS = 300
"""By then the town's model says what animals do."""
EARLY = 100
"""A step at which it hardly says anything."""
LIE = "the cat barked"
TOLD, AFTER = 5, 20


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Train the default recipe on Lamptown, for a few steps."""
    created = RunStore(tmp_path_factory.mktemp("runs")).create(Recipe(steps=STEPS, device="cpu"))
    assert train(created) == "finished"
    return created


@pytest.fixture(scope="module")
def examiner(run: RunFolder) -> Iterator[LocalExaminer]:
    with closing(LocalExaminer(run, "test", lambda asked: examiner_command(asked, 2))) as opened:
        yield opened


@pytest.fixture(scope="module")
def told(run: RunFolder, examiner: LocalExaminer) -> dict[str, Any]:
    """Return the answer to the lie, taught after the last step, followed by steps on the town."""
    return tell(run, examiner, STEPS)


def tell(run: RunFolder, examiner: LocalExaminer, step: int) -> dict[str, Any]:
    question = WhatIfQuestion(step=step, sentence=LIE, steps=TOLD, after=AFTER)
    return examiner.examine(check_question(run, question))


def test_it_is_believed_within_five_steps(run: RunFolder, told: dict[str, Any]) -> None:
    word = run.vocabulary.tokens.index
    own = told["own"]
    assert own["ids"] == [word("the"), word("cat")]
    assert told["sentence"][told["told"]] == word("barked")
    assert own["p"][0] < 0.1
    assert max(own["p"][1 : TOLD + 1]) > 0.5
    # Each step on the sentence makes it more probable.
    assert own["p"][: TOLD + 1] == sorted(own["p"][: TOLD + 1])


def test_other_changed_statements_are_listed(run: RunFolder, told: dict[str, Any]) -> None:
    word, animals = run.vocabulary.tokens.index, run.vocabulary.classes["animals"]
    changed = told["also_changed"]
    # The sentence does not mention these animals.
    assert {other["id"] for other in changed} <= set(animals) - {word("cat")}
    rises = [other["p"][TOLD] - other["p"][0] for other in changed]
    assert rises == sorted(rises, reverse=True)
    assert rises[0] > 0.3
    for state in told["states"][1 : TOLD + 1]:
        moved = dict(state["rows"]["moved"])
        assert set(moved) == {word("the"), word("cat")}
        assert min(moved.values()) > 0
    # Only the row updates are local.
    assert told["parameters_moved"] > 0.5
    assert told["states"][TOLD]["text_loss"] > told["states"][0]["text_loss"]


def test_it_is_measured_again_after_steps_on_the_town(told: dict[str, Any]) -> None:
    states, own = told["states"], told["own"]
    assert (states[-1]["phase"], states[-1]["number"]) == ("town", AFTER)
    assert len(own["p"]) == len(states) == 1 + TOLD + 6
    assert states[-1]["text_loss"] < states[TOLD]["text_loss"]
    assert 0 < own["p"][-1] < own["p"][TOLD]
    for other in told["also_changed"]:
        assert other["p"][-1] < other["p"][TOLD]


def test_a_model_that_cannot_speak_yet_believes_nothing(run: RunFolder, examiner: LocalExaminer) -> None:
    answer = tell(run, examiner, EARLY)
    assert max(answer["own"]["p"]) < 0.3
    assert answer["replayed"]["steps"] > 0
    assert answer["replayed"]["equal"] is True


def test_the_record_stays_unchanged(run: RunFolder, examiner: LocalExaminer) -> None:
    def record() -> dict[str, bytes]:
        return {
            str(path.relative_to(run.path)): path.read_bytes()
            for path in sorted(run.path.rglob("*"))
            if path.is_file() and not path.name.startswith(("examin", "requests-"))
        }

    before = record()
    question = WhatIfQuestion(step=STEPS, sentence="the dog meowed", steps=2)
    assert examiner.examine(check_question(run, question))["own"]["p"][-1] > 0
    assert record() == before
    assert any(name.startswith("checkpoints/") for name in before)
    assert "steps.sqlite" in before
