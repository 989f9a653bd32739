"""The answers to questions: which function answers which kind.

A new kind is one line here. Its module is imported when it is asked for, and may take its time.
"""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Callable
from typing import Any, cast

from lamplighter.examination.examined_model import Answer, ExaminedModel, ReportProgress
from lamplighter.questions import Question
from lamplighter.runfolder.tables.examinations import MAX_ANSWER_BYTES

_KINDS = {
    "speak": "lamplighter.examination.kinds.speak",
    "microscope": "lamplighter.examination.kinds.microscope",
    "what_if": "lamplighter.examination.kinds.what_if",
    "transplant": "lamplighter.examination.kinds.transplant",
    "rotation": "lamplighter.examination.kinds.rotation",
    "probe": "lamplighter.examination.kinds.probe",
    "devices": "lamplighter.examination.kinds.devices.examination",
    "bench": "lamplighter.examination.kinds.bench",
    "batch_sizes": "lamplighter.examination.kinds.batch_sizes",
    "environment": "lamplighter.examination.kinds.environment",
    "deciles": "lamplighter.examination.kinds.deciles",
    "better": "lamplighter.examination.kinds.better",
    "substitution": "lamplighter.examination.kinds.substitution",
}
"""Modules by the kind of question that their function `examine` answers."""

Examine = Callable[[ExaminedModel, Any, ReportProgress], Answer]


class UnanswerableError(RuntimeError):
    """An error for a question that has no answer; the message says why, in one sentence."""


def examine(model: ExaminedModel, question: Question, report: ReportProgress) -> Answer:
    """Return the answer to a question about a model, without what is said of every answer.

    Raises:
        QuestionError: the question does not fit the run.
        UnanswerableError: it has no answer.
        CancelledError: `report` raised it.
    """
    function = cast(Examine, importlib.import_module(_KINDS[question.kind]).examine)
    return function(model, question, report)


def encode_answer(answer: Answer) -> str:
    """Return an answer as JSON.

    Raises:
        UnanswerableError: it holds a number that is not finite, or is too large to be kept.
    """
    try:
        text = json.dumps(answer, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    except ValueError as error:
        raise UnanswerableError(
            "a number of the answer is not finite: this model can no longer be read"
        ) from error
    size = len(text.encode())
    if size > MAX_ANSWER_BYTES:
        megabytes = math.ceil(size / 1e5) / 10
        raise UnanswerableError(
            f"the answer would take {megabytes:.1f} MB, more than is kept of one: ask for less"
        )
    return text
