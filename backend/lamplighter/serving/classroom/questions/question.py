"""One question to the class, with the predictions. They are anonymous: a prediction belongs to a session, and is
dropped with it until the question is closed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from lamplighter.serving.schemas.classroom import ClassOutcome, ClassQuestion, When

State = Literal["open", "closed", "revealed"]
_BINS = 12
_ROUND_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
"""Bin widths, up to a power of ten."""


@dataclass(frozen=True)
class Measured:
    """The answer from the record."""

    value: float
    """The number, or the index of the right choice."""
    step: int | None
    """The step at which it was measured; None: no step."""


@dataclass(frozen=True)
class SentAnswer:
    """A prediction of one session."""

    answer: float
    id: int
    """Its number among those of its viewer, which grows."""
    written: str = ""
    """The text, where the answer is written."""


@dataclass
class Question:
    """A question, open until it is closed. Not thread-safe: `Classroom` guards it."""

    about: str
    text: str
    run: str
    from_step: int
    at_step: int
    unit: str = ""
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1e6
    tokens: tuple[int, ...] = ()
    """The words of the question, and those to choose from."""
    when: When | None = None
    """The round of a question with written answers, which are never shown to the class; None: another question."""
    id: int = 0
    state: State = "open"
    measured: Measured | None = None
    given: dict[str, SentAnswer] = field(default_factory=dict[str, SentAnswer])
    """The predictions by session."""

    def take(self, session_id: str, answer: float, answer_id: int = 0, written: str = "") -> bool:
        """Record a session's prediction, replacing an earlier one. Returns False if it is late or invalid. An
        answer that was underway for longer than a later one of the same session, by their ids, is late.
        """
        known = self.given.get(session_id)
        if self.when is None:
            written = ""
        elif written.strip():
            answer = 0.0
        else:
            return False
        if self.state != "open" or not self._fits(answer) or (known is not None and known.id > answer_id):
            return False
        self.given[session_id] = SentAnswer(answer, answer_id, written)
        return True

    def is_sound(self) -> bool:
        """Return whether all predictions, and what was measured, fit the question."""
        return all(self._fits(one.answer) for one in self.given.values()) and (
            self.measured is None or not self.choices or self._fits(self.measured.value)
        )

    def forget_gone(self, is_here: Callable[[str], bool]) -> None:
        """Forget the predictions of ended sessions while the question is open."""
        if self.state == "open":
            self.given = {session: given for session, given in self.given.items() if is_here(session)}

    def close(self) -> None:
        if self.state == "open":
            self.state = "closed"

    def open_again(self) -> None:
        """Accept predictions again, unless the measured number has been shown."""
        if self.state == "closed":
            self.state = "open"

    def reveal(self, measured: Measured | None) -> None:
        """Reveal the predictions and the measured answer; None: not yet known."""
        self.state, self.measured = "revealed", measured

    def answer_of(self, session_id: str) -> float | None:
        found = self.given.get(session_id)
        return None if found is None else found.answer

    def written_by(self, session_id: str) -> str | None:
        found = self.given.get(session_id)
        return None if found is None or self.when is None else found.written

    def texts(self) -> list[str]:
        """Return the written answers, sorted, so that their order reveals nothing about their authors."""
        return sorted((one.written for one in self.given.values()), key=str.casefold)

    def answers(self) -> list[float]:
        """Return the predictions, sorted, so that their order reveals nothing about their authors."""
        return sorted(one.answer for one in self.given.values())

    def shown_to_class(self) -> ClassQuestion:
        """Return the question as viewers see it, with predictions and answer only once revealed."""
        return self._shown(self._outcome(self.measured) if self.state == "revealed" else None)

    def shown_to_presenter(self) -> ClassQuestion:
        return self._shown(None if self.when else self._outcome(self.measured))

    def _fits(self, answer: float) -> bool:
        if not math.isfinite(answer) or not self.low <= answer <= self.high:
            return False
        return not self.choices or (answer == int(answer) and 0 <= answer < len(self.choices))

    def _place(self) -> tuple[int | None, int | None]:
        return None, None

    def _edges(self, values: list[float]) -> list[float]:
        return bin_edges(values)

    def _shown(self, outcome: ClassOutcome | None) -> ClassQuestion:
        part, stage = self._place()
        return ClassQuestion.model_validate(
            {
                "id": self.id,
                "about": self.about,
                "text": self.text,
                "unit": self.unit,
                "choices": list(self.choices),
                "low": self.low,
                "high": self.high,
                "run": self.run,
                "from_step": self.from_step,
                "at_step": self.at_step,
                "when": self.when,
                "part": part,
                "stage": stage,
                "state": self.state,
                "answered": len(self.given),
                "outcome": outcome,
            }
        )

    def _outcome(self, measured: Measured | None) -> ClassOutcome:
        answers = self.answers()
        value, step = (measured.value, measured.step) if measured else (None, None)
        if self.choices:
            counts = [sum(1 for answer in answers if answer == number) for number in range(len(self.choices))]
            return ClassOutcome(value=value, step=step, counts=counts, edges=[], median=None)
        shown = [*answers, value] if value is not None else answers
        edges = self._edges(shown)
        counts = np.histogram(answers, edges)[0].tolist() if edges else []
        median = float(np.median(answers)) if answers else None
        return ClassOutcome(value=value, step=step, counts=counts, edges=edges, median=median)


def bin_edges(values: list[float]) -> list[float]:
    """Return the edges of at most twelve bins of a round width that cover all values; none without values."""
    if not values:
        return []
    low, high = min(values), max(values)
    least = (high - low) / (_BINS - 1)
    if least <= 0:
        least = abs(low) / 10 or 1.0
    power = 10.0 ** math.floor(math.log10(least))
    width = next(power * step for step in _ROUND_STEPS if power * step >= least)
    first, last = math.floor(low / width), math.floor(high / width) + 1
    # Formatting and parsing turns 0.30000000000000004 into 0.3.
    return [float(f"{number * width:.10g}") for number in range(first, last + 1)]
