"""A prediction of the course, asked of the class: its bounds are those of the part's text, and nobody else's."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lamplighter.lessons.numbers import NumberValue
from lamplighter.lessons.part import Part, Prediction
from lamplighter.serving.classroom.questions.question import Measured, Question
from lamplighter.serving.schemas.classroom import LessonAnswers

_BINS = 10
"""Bins of a line."""
_MOST_WHOLE = 20
"""Longest line of counts on which each whole number has a bin of its own."""


@dataclass
class LessonQuestion(Question):
    """A prediction of the course. It is closed when the presenter goes on, and revealed where numbers are shown."""

    part: int = 0
    stage: int = 0
    values: tuple[float, ...] = ()
    """The numbers that the choices stand for."""
    whole: bool = False
    """True if a count is predicted."""
    measured_by: Prediction | None = None
    """The prediction that names the number it is compared with: the text may name another by then."""
    number: float | None = None
    """The measured number as it is predicted, a percentage from 0 to 100; None: it is not known."""

    def is_like(self, other: LessonQuestion) -> bool:
        """Return whether predictions of the one fit the other: a text may change while the class is here."""
        return (self.text, self.choices, self.values, self.low, self.high, self.unit) == (
            (other.text, other.choices, other.values, other.low, other.high, other.unit)
        )

    def stands_before(self, run: str, part: int, stage: int) -> bool:
        """Return whether it is of a part on a run, at a stage before `stage`."""
        return (self.run, self.part) == (run, part) and self.stage < stage

    def open_again(self) -> None:
        """Take predictions again, unless everybody has seen what was measured."""
        if self.state == "closed":
            self.state = "open"

    def reveal_number(self, found: NumberValue) -> bool:
        """Show everybody the predictions and the number, which may not be known yet. Returns whether anything has changed by
        that."""
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
        """Return the predictions as everybody sees them, with their quartiles on the line."""
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
        """Return a number as it is answered: itself, or the place of the choice that is nearest to it."""
        if not self.values:
            return number
        return float(min(range(len(self.values)), key=lambda place: abs(self.values[place] - number)))

    def _place(self) -> tuple[int | None, int | None]:
        return self.part, self.stage

    def _edges(self, values: list[float]) -> list[float]:
        """Return the edges of the bins of the line: one for each whole number of a short line of counts, or else ten. A
        measured number far off moves none of them.
        """
        del values
        whole = self.whole and float(self.low).is_integer() and float(self.high).is_integer()
        if whole and self.high - self.low <= _MOST_WHOLE:
            return [float(edge) for edge in np.arange(self.low - 0.5, self.high + 1)]
        return [float(edge) for edge in np.linspace(self.low, self.high, _BINS + 1)]


def make_lesson_question(
    part: Part, stage: int, prediction: Prediction, run: str, step: int
) -> LessonQuestion:
    """Return the question of a stage that has a prediction, without an id.

    Args:
        part: the part, as this server has parsed it.
        stage: the number of the stage, from 1.
        prediction: the stage's prediction.
        run: the id of the run that the class looks at.
        step: the run's newest step.
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
