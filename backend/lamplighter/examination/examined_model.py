"""A run's model as it was after one step, and the answer to a question about it.

Each kind of question has a function `examine` in the module of its name in `kinds/`.
"""

from __future__ import annotations

import copy
import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypedDict, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from lamplighter.contract.answers import Answer, dump_answer
from lamplighter.contract.answers.parts import Replayed
from lamplighter.contract.questions import Question
from lamplighter.contract.reason import Reason
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import Learner
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.examinations import MAX_ANSWER_BYTES

ReportProgress = Callable[[float, str], None]
"""A callback that receives the share done, from 0 to 1, and the current activity; it raises `CancelledError`
once the question is cancelled.
"""


class CancelledError(RuntimeError):
    """Raised while a question is being answered if it is cancelled."""


class CommonFields(TypedDict):
    """The fields of `AnswerBase`, which every answer has."""

    step: int
    attempt: int
    replayed: Replayed


@dataclass(frozen=True)
class ExaminedModel:
    """The model after a step. Questions about that step share it, so what would change it works on a copy."""

    run: RunFolder
    learner: Learner
    batches: BatchReader
    """The batches of the run, including those of later steps, trained or not."""
    step: int
    learning_rate: float
    """The learning rate of the next step."""
    learner_at: Callable[[int], Learner]
    """Returns a separate learner at another step, with the learning rate of the step after it; reports
    progress and can be cancelled.
    """
    replayed: Replayed
    """How the model was brought to its step."""
    attempt: int = 1
    """The attempt of the run that the question is about."""
    text_losses: dict[int, NDArray[np.float64]] = field(default_factory=dict[int, "NDArray[np.float64]"])
    """Losses on the windows of the text sample, by step, cached between questions."""

    def facts(self, question: Question) -> CommonFields:
        return {"step": question.step, "attempt": self.attempt, "replayed": self.replayed}

    def copy(self) -> Learner:
        return copy.deepcopy(self.learner)


Examine = Callable[[ExaminedModel, Any, ReportProgress], Answer]


class UnanswerableError(RuntimeError):
    """An error for a question that has no answer; the message says why, in one sentence."""

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message)
        self.reason = reason


def examine(model: ExaminedModel, question: Question, report: ReportProgress) -> Answer:
    """Return the answer to a question about a model.

    Raises:
        QuestionError: the question does not fit the run.
        UnanswerableError: it has no answer, or one with a number that is not finite.
        CancelledError: raised by `report`.
    """
    # Imported on demand, because torch is slow to load.
    module = importlib.import_module(f"lamplighter.examination.kinds.{question.kind}")
    try:
        return cast(Examine, module.examine)(model, question, report)
    except ValidationError as error:
        if any(problem["type"] != "finite_number" for problem in error.errors(include_url=False)):
            raise
        raise UnanswerableError(
            "a number of the answer is not finite: this model can no longer be read",
            Reason("answer_not_finite"),
        ) from error


def encode_answer(answer: Answer) -> str:
    """Return an answer as JSON; raise UnanswerableError if it is too large to store."""
    text = dump_answer(answer)
    size = len(text.encode())
    if size > MAX_ANSWER_BYTES:
        megabytes = math.ceil(size / 1e5) / 10
        raise UnanswerableError(
            f"the answer would take {megabytes:.1f} MB, more than is kept of one: ask for less",
            Reason("answer_too_large"),
        )
    return text
