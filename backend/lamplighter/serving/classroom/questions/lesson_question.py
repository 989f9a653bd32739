"""A prediction of the course as a question to the class, with the bounds in the part's text, and its revealing beside the
run's measured number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lamplighter.claims.gathering import read_moment
from lamplighter.contract.sentences import say
from lamplighter.lessons.library import LANGUAGE, LessonLibrary
from lamplighter.lessons.numbers import NumberValue, find_questions, resolve_numbers
from lamplighter.lessons.part import Part, Prediction
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.classroom.questions.question import Measured, Question
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.schemas.classroom import LessonAnswers
from lamplighter.web.http.problems import RefusedError

_BINS = 10
"""Bins of a line."""
_MAX_WHOLE = 20
"""Longest range of counts in which each whole number has its own bin."""


@dataclass
class LessonQuestion(Question):
    """A prediction of the course. It is closed when the presenter moves on, and revealed when numbers are shown."""

    part: int = 0
    stage: int = 0
    values: tuple[float, ...] = ()
    """The numbers that the choices represent."""
    whole: bool = False
    """True if a count is predicted."""
    measured_by: Prediction | None = None
    """The prediction with the number that it is compared with, because the text may change."""
    number: float | None = None
    """The measured number in the prediction's unit, a percentage from 0 to 100; None: unknown."""

    def is_like(self, other: LessonQuestion) -> bool:
        """Return whether predictions of one question fit the other, because the text may change during a class."""
        return (self.text, self.choices, self.values, self.low, self.high, self.unit) == (
            (other.text, other.choices, other.values, other.low, other.high, other.unit)
        )

    def stands_before(self, run: str, part: int, stage: int) -> bool:
        return (self.run, self.part) == (run, part) and self.stage < stage

    def reveal_number(self, found: NumberValue) -> bool:
        """Reveal the predictions and the number, which may still be unknown. Returns whether anything changed."""
        before = (self.state, self.number)
        number = found.value
        if number is not None and self.measured_by is not None and self.measured_by.form == "percent":
            number *= 100
        self.number = number if number is not None and math.isfinite(number) else None
        measured = None
        if self.number is not None:
            measured = Measured(self._answer_of_number(self.number), found.step)
        self.reveal(measured)
        return before != (self.state, self.number)

    def answers_shown(self) -> LessonAnswers:
        """Return the predictions as shown to everyone, with their quartiles."""
        answers = self.answers()
        quartiles = [float(value) for value in np.quantile(answers, (0.25, 0.5, 0.75))] if answers else None
        return LessonAnswers(
            question=self.shown_to_class(),
            least=self.low,
            most=self.high,
            measured=self.number,
            quartiles=quartiles,
        )

    def _answer_of_number(self, number: float) -> float:
        """Return a number as an answer: itself, or the index of the nearest choice."""
        if not self.values:
            return number
        return float(min(range(len(self.values)), key=lambda place: abs(self.values[place] - number)))

    def _place(self) -> tuple[int | None, int | None]:
        return self.part, self.stage

    def _edges(self, values: list[float]) -> list[float]:
        """Return the edges of the bins: one bin for each whole number of a short range of counts, else ten. A distant
        measured number does not move them.
        """
        del values
        whole = self.whole and float(self.low).is_integer() and float(self.high).is_integer()
        if whole and self.high - self.low <= _MAX_WHOLE:
            return [float(edge) for edge in np.arange(self.low - 0.5, self.high + 1)]
        return [float(edge) for edge in np.linspace(self.low, self.high, _BINS + 1)]


def make_lesson_question(
    part: Part, stage: int, prediction: Prediction, run: str, step: int
) -> LessonQuestion:
    """Return the question of a stage (from 1) with a prediction, without an id. `run` is shown to the class;
    `step` is its newest.
    """
    choices = tuple(choice.text for choice in prediction.choices)
    return LessonQuestion(
        about="lesson",
        text=prediction.text,
        run=run,
        from_step=step,
        at_step=step,
        unit="" if choices else prediction.unit,
        choices=choices,
        low=0.0 if choices else prediction.least,
        high=float(len(choices) - 1) if choices else prediction.most,
        part=part.number,
        stage=stage,
        whole=prediction.form == "count",
        measured_by=prediction,
        values=tuple(choice.value for choice in prediction.choices),
    )


class LessonRevealer:
    """A revealer of the predictions of the course. Thread-safe."""

    def __init__(self, catalog: RunCatalog, lessons: LessonLibrary, cache: LruCache) -> None:
        self._catalog, self._lessons, self._cache = catalog, lessons, cache

    def find_part(self, run_id: str, number: int, language: str = LANGUAGE) -> tuple[RunFolder, Part]:
        """Return a run with a part of the course, in a language or in English. Raises NoSuchRunError, or
        RefusedError (404) if there is no such part or the run has not read its corpus.
        """
        run, part = self._catalog.find_run(run_id), self._lessons.parts(language).get(number)
        if part is None:
            raise RefusedError(404, say("no_such_part", part=number))
        if not run.is_prepared:
            raise RefusedError(404, say("run_without_numbers", run=run.id))
        return run, part

    def reveal(self, questions: Sequence[LessonQuestion]) -> bool:
        """Reveal the predictions of one part on one run. Returns whether anything changed. Raises RefusedError
        (404) if the run or the part no longer exists, FormatError if this version cannot read the run's steps.
        """
        if not questions:
            return False
        run, part = self.find_part(questions[0].run, questions[0].part)
        asked = [(question, question.measured_by) for question in questions if question.measured_by]
        moment = read_moment(run)
        named = replace(part, numbers=tuple(dict.fromkeys(measured.number for _, measured in asked)))
        numbers = resolve_numbers(run, named, moment, find_questions(run, part, moment), self._cache)
        changed = [question.reveal_number(numbers[measured.number.text]) for question, measured in asked]
        return any(changed)
