"""Answers questions: a function `examine` for each kind, in the module of that name in `kinds/`."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import Any, cast

from pydantic import ValidationError

from lamplighter.contract.answers import Answer, dump_answer
from lamplighter.contract.questions import Question
from lamplighter.contract.reason import Reason
from lamplighter.examination.examined_model import ExaminedModel, ReportProgress
from lamplighter.runfolder.tables.examinations import MAX_ANSWER_BYTES

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
