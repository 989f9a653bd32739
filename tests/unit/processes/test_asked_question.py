"""A question is checked before it is asked: it fits the run, and the run has the step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lamplighter.contract.questions import Question, QuestionError, parse_question
from lamplighter.processes.asked_question import ExaminationRefusedError, check_question
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.training.worker import train
from tests.support.runs import make_run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    run = make_run(tmp_path_factory.mktemp("runs"), steps=12)
    train(run)
    return run


def question(**fields: Any) -> Question:
    return parse_question({"step": 1} | fields)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (question(kind="speak", prompt="zzyzx"), "prompt: .*zzyzx"),
        (question(kind="speak", prompt="   "), "prompt: .*empty"),
        (question(kind="what_if", sentence="zzyzx"), "sentence: .*zzyzx"),
        (question(kind="probe", sentence=".", other_sentence="zzyzx"), "other_sentence: .*zzyzx"),
        (question(kind="speak", prompt=". " * 900), "prompt: 900 tokens are too many; at most 512"),
        (question(kind="what_if", sentence="."), "sentence: it is too short; write at least 2 words"),
        (question(kind="what_if", sentence=". " * 9), "sentence: it has 9 words, and .* at most 8 words"),
        (question(kind="probe", sentence=". " * 9), "sentence: it has 9 words"),
        (question(kind="probe", sentence=".", other_sentence=". " * 9), "other_sentence: it has 9 words"),
        (question(kind="transplant", prompt=". " * 9, into=".", source_step=2), "prompt: it has 9 words"),
        (question(kind="transplant", prompt=".", into="zzyzx"), "into: .*zzyzx"),
        (question(kind="transplant", prompt=".", into=". .", source_step=2), "into: .* is 2 words here"),
        (question(kind="transplant", prompt=".", into=".", source="zzyzx"), "source: .*zzyzx"),
        (question(kind="transplant", prompt=".", source="."), "into: say whose row is replaced"),
        (question(kind="transplant", prompt="."), "source_step: say another step"),
        (question(kind="transplant", prompt=".", source_step=1), "source_step: say another step"),
        (question(kind="transplant", prompt=".", into="."), "source: nothing would be changed"),
        (question(kind="transplant", prompt=".", into=".", source="."), "source: nothing would be changed"),
        (question(kind="microscope", token=199_999), "token: 199,999 is out of range"),
        (
            question(kind="microscope", coordinate=16),
            "coordinate: 16 is out of range for this run: 0 to 15",
        ),
        (question(kind="microscope", sequence=4), "sequence: 4 is out of range"),
    ],
)
def test_a_question_that_does_not_fit_the_run_names_its_field(trained: RunFolder, asked: Question, said: str):
    with pytest.raises(QuestionError, match=said):
        check_question(trained, asked)


@pytest.mark.parametrize(
    "fields", [{"kind": "speak", "prompt": "."}, {"kind": "probe", "sentence": ".", "step": 1}]
)
def test_a_step_that_was_not_reached_is_refused(trained: RunFolder, fields: dict[str, Any]):
    beyond = {"other_step": 900} if fields["kind"] == "probe" else {"step": 900}
    with pytest.raises(
        ExaminationRefusedError, match="step 900 has not been reached: this run is at step 12"
    ):
        check_question(trained, parse_question(fields | beyond))


def test_a_run_that_has_not_begun_or_was_recorded_has_no_model(tmp_path: Path):
    run = make_run(tmp_path)
    with pytest.raises(ExaminationRefusedError, match="has not begun"):
        check_question(run, question(kind="rotation"))
    recipe = run.recipe.model_copy(
        update={"corpus": run.recipe.corpus.model_copy(update={"kind": "recorded"})}
    )
    (run.path / "recipe.json").write_text(recipe.model_dump_json())
    with pytest.raises(ExaminationRefusedError, match="recorded from an external training loop"):
        check_question(RunFolder(run.path), question(kind="rotation"))
