"""A run's model as it was after one step, for one question."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.answers.parts import Replayed
from lamplighter.contract.questions import Question
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import Learner
from lamplighter.runfolder.run_folder import RunFolder

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
