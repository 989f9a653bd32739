"""A run's model as it was after one step, brought there by recomputing the recorded steps, and the answer to a question
about it.

Each kind of question has a function `examine` in the module of its name in `kinds/`.
"""

from __future__ import annotations

import copy
import importlib
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypedDict, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError

from lamplighter.contract.answers import Answer, dump_answer
from lamplighter.contract.answers.parts import Replayed
from lamplighter.contract.questions import Question
from lamplighter.contract.reason import Reason, give_reason
from lamplighter.contract.recipe import Recipe
from lamplighter.contract.sentences import say
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.checkpoint import CheckpointFile, load_checkpoint
from lamplighter.model.learner import Learner, build_learner, choose_device
from lamplighter.model.observer import Observer
from lamplighter.model.recomputing import NotFiniteError, recompute_step
from lamplighter.processes.kept_states import list_kept_states
from lamplighter.runfolder.errors import READ_ERRORS, FormatError, NoSnapshotError
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.learning_rates import known_rates, recorded_rate, requested_rates
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.examinations import MAX_ANSWER_BYTES
from lamplighter.runfolder.tables.exchanges import ExchangesReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse

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


_BLOCK = 256
"""Recorded steps read at a time."""


class ReplayError(UnanswerableError):
    """An error for a step that cannot be recomputed; the message says why, in one sentence."""


@dataclass
class _LoadedModel:
    """A model after a step, and how it was computed."""

    learner: Learner
    observer: Observer
    step: int
    learning_rate: float
    """The learning rate of the step that led here, or that of the checkpoint."""
    origin: int
    """The step of the checkpoint it started from; 0 for the recipe's initial state."""
    attempt: int
    equal: bool | None = None
    """True if every recomputed step had the recorded digest; None if none was recomputed or recorded."""
    text_losses: dict[int, NDArray[np.float64]] = field(default_factory=dict[int, "NDArray[np.float64]"])
    """Its losses on the windows of the text sample, by step."""

    def copy(self) -> _LoadedModel:
        # Now, so that the copy's observer looks at the copy's weights.
        return copy.deepcopy(self)


@dataclass(frozen=True)
class _Record:
    """The record of some steps."""

    digests: dict[int, bytes]
    rates: dict[int, float]
    """Learning rates from the pulses, in 32 bits."""
    shared: frozenset[int]
    """The steps that several processes computed together."""


class Replayer:
    """The replayer of one run. It keeps the model of the last question loaded."""

    def __init__(self, run: RunFolder) -> None:
        """Open the run without loading a model; raise ValueError if its recipe cannot be run on this machine."""
        self.run = run
        self._recipe: Recipe = run.recipe
        # Another number of threads sums in another order, which changes the last bits.
        torch.set_num_threads(self._recipe.threads)
        self._device = self._choose_device()
        self._batches = BatchReader(self._recipe, run.token_ids, self._device)
        self._loaded: _LoadedModel | None = None

    def model_at(self, step: int, report: ReportProgress) -> ExaminedModel:
        """Return the model after a step, loaded for the questions about it. It raises ReplayError if the step
        cannot be computed, and what `report` raises; the steps computed so far stay loaded.
        """
        with StepsReader(self.run.steps_path) as reader:
            lineage = reader.lineage()
        kept = self._loaded
        if kept is not None and not self._still_counts(kept, lineage):
            kept = self._loaded = None
        start = self._nearest(step, lineage, kept)
        self._loaded = start
        try:
            self._advance(start, step, lineage, report)
        except CancelledError:
            raise
        except BaseException:
            # A step that was interrupted may be half applied.
            self._loaded = None
            raise
        return ExaminedModel(
            run=self.run,
            learner=start.learner,
            batches=self._batches,
            step=step,
            learning_rate=self._next_rate(start),
            replayed=self.describe_replay(),
            learner_at=lambda other: self._other_learner(other, report),
            text_losses=start.text_losses,
        )

    def describe_replay(self) -> Replayed:
        loaded = self._loaded
        assert loaded is not None
        steps = loaded.step - loaded.origin
        difference = self._difference(loaded) if loaded.equal is False else (0.0 if loaded.equal else None)
        return Replayed.model_validate(
            {"from": loaded.origin, "steps": steps, "equal": loaded.equal, "difference": difference}
        )

    def _other_learner(self, step: int, report: ReportProgress) -> Learner:
        with StepsReader(self.run.steps_path) as reader:
            lineage = reader.lineage()
        kept = self._loaded
        start = self._nearest(step, lineage, kept)
        start = start.copy() if start is kept else start
        self._advance(start, step, lineage, report)
        start.learner.set_learning_rate(self._next_rate(start))
        return start.learner

    def _choose_device(self) -> torch.device:
        with StepsReader(self.run.steps_path) as reader:
            trained_on = reader.facts().get("device")
        # Results on a CPU differ from those on a graphics card.
        return torch.device("cpu") if trained_on == "cpu" else choose_device(self._recipe)

    @staticmethod
    def _still_counts(loaded: _LoadedModel, lineage: Lineage) -> bool:
        return loaded.step == 0 or lineage.counts(loaded.attempt, loaded.step)

    def _nearest(self, step: int, lineage: Lineage, kept: _LoadedModel | None) -> _LoadedModel:
        begin = kept.step if kept is not None and kept.step <= step else -1
        for file in list_kept_states(self.run, lineage, step):
            if file.step <= begin:
                break
            loaded = self._load(file, lineage)
            if loaded is not None:
                return loaded
        if kept is not None and begin >= 0:
            return kept
        if self._recipe.parent is not None:
            raise ReplayError(
                f"no state of this fork is kept from before step {step:,}, and its beginning follows from no seed",
                give_reason("matrix_not_kept", step=step),
            )
        learner, observer = self._build()
        rate = self._recipe.optimiser.learning_rate
        return _LoadedModel(learner, observer, 0, rate, 0, lineage.attempt_at(0))

    def _load(self, file: CheckpointFile, lineage: Lineage) -> _LoadedModel | None:
        learner, observer = self._build()
        try:
            state = load_checkpoint(file, learner, observer)
            rate = float(state["learning_rate"])
        except (ValueError, KeyError, TypeError):
            # It has been thinned out, or is damaged: an earlier one also works, but takes longer.
            return None
        return _LoadedModel(learner, observer, file.step, rate, file.step, lineage.attempt_at(file.step))

    def _build(self) -> tuple[Learner, Observer]:
        vocabulary = self.run.vocabulary
        learner = build_learner(self._recipe, len(vocabulary), self._device, vocabulary.counts)
        return learner, Observer(learner, self._recipe.cadence.verify_every)

    def _advance(self, loaded: _LoadedModel, step: int, lineage: Lineage, report: ReportProgress) -> None:
        first = loaded.step + 1
        if first > step:
            return
        with StepsReader(self.run.steps_path) as reader:
            rates = requested_rates(reader)
            known = known_rates(reader, self._recipe.optimiser.learning_rate, loaded.learning_rate)
        record = _Record({}, {}, frozenset())
        for number in range(first, step + 1):
            if (number - first) % _BLOCK == 0:
                record = self._read_record(number, min(step, number + _BLOCK - 1), lineage)
            report((number - first) / (step - first + 1), say("recomputing_step", step=number))
            rate = rates.get(number, loaded.learning_rate)
            loaded.learning_rate = recorded_rate(rate, record.rates.get(number), known)
            if number in record.shared:
                raise ReplayError(
                    f"several processes computed step {number:,} together, and one cannot repeat it bit for bit:"
                    f" ask about step {loaded.step:,} instead",
                    give_reason("trained_by_several", step=number, known=loaded.step),
                )
            digest = self._compute(loaded, number)
            loaded.attempt = lineage.attempt_at(number)
            if number in record.digests:
                loaded.equal = loaded.equal is not False and digest == record.digests[number]

    def _compute(self, loaded: _LoadedModel, step: int) -> bytes:
        try:
            observed = recompute_step(
                loaded.learner, loaded.observer, self._batches, step, loaded.learning_rate
            )
        except NotFiniteError as error:
            raise ReplayError(str(error), give_reason("step_not_finite", step=step)) from error
        loaded.step = step
        return observed.digest()

    def _read_record(self, first: int, last: int, lineage: Lineage) -> _Record:
        with StepsReader(self.run.steps_path) as reader:
            pulses = reader.pulses(first, last, last - first + 1)
            rates = {step: decode_as(data, Pulse).learning_rate for step, data in pulses}
            digests = reader.digests(first, last)
        shared: frozenset[int] = frozenset()
        with suppress(FileNotFoundError), ExchangesReader(self.run.exchanges_path) as reader:
            shared = frozenset(step for step, _ in reader.exchanges(lineage, first, last))
        return _Record(digests, rates, shared)

    def _next_rate(self, loaded: _LoadedModel) -> float:
        with StepsReader(self.run.steps_path) as reader:
            return requested_rates(reader).get(loaded.step + 1, loaded.learning_rate)

    def _difference(self, loaded: _LoadedModel) -> float | None:
        """Return the largest difference from the recorded matrix; None if it was not kept, or is not finite."""
        try:
            with MatrixHistory(self.run) as history:
                recorded = history.snapshot(loaded.step).vectors
        except (NoSnapshotError, *READ_ERRORS, LookupError):
            return None
        here = loaded.learner.model.embedding.weight.detach().cpu().numpy()
        if here.shape != recorded.shape:
            raise FormatError("the recorded matrix is not of this model")
        difference = float(np.abs(here.astype(np.float64) - recorded).max())
        return difference if math.isfinite(difference) else None
