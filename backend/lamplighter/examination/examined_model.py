"""The model of a run as it was after one step, for one question."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from lamplighter.answers.parts import Replayed
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import Learner
from lamplighter.questions import Question
from lamplighter.runfolder.run_folder import RunFolder

ReportProgress = Callable[[float, str], None]
"""A callback that gets the share done, from 0 to 1, and what is being done; it raises `CancelledError` once the question
was cancelled."""


class CancelledError(RuntimeError):
    """An error for a question that was cancelled while it was being answered."""


class CommonFields(TypedDict):
    """The fields of `AnswerBase`, which every answer has."""

    step: int
    attempt: int
    replayed: Replayed


@dataclass(frozen=True)
class ExaminedModel:
    """A model after a step. It is shared by the questions about that step, so what would change it works on a copy."""

    run: RunFolder
    learner: Learner
    batches: BatchReader
    """The batches of the run; those of later steps too, whether or not they were trained on."""
    step: int
    learning_rate: float
    """The learning rate of the next step."""
    learner_at: Callable[[int], Learner]
    """Returns a learner of its own brought to another step, at the learning rate of the step after it, with progress reported and
    the cancelling heard."""
    replayed: Replayed
    """How the model was brought to its step."""
    attempt: int = 1
    """The attempt of the run that the question is about."""
    text_losses: dict[int, NDArray[np.float64]] = field(default_factory=dict[int, "NDArray[np.float64]"])
    """Losses of the model on the windows of the sample of text, by step: what one question measured the next one need not."""

    def facts(self, question: Question) -> CommonFields:
        """Return what every answer to a question about this model says."""
        return {"step": question.step, "attempt": self.attempt, "replayed": self.replayed}

    def copy(self) -> Learner:
        """Return a copy of the model with its optimisers, to be trained on."""
        return copy.deepcopy(self.learner)
