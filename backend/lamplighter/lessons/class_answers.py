"""The answers of a class, read from the CSV that the presenter saves, and what can be said of them.

The file may have been changed in a spreadsheet, or be another file, so it is bounded and checked by row.
"""

from __future__ import annotations

import csv
import io
import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lamplighter.contract.sentences import Catalogue, Language

COLUMNS: tuple[str, ...] = (
    "question",
    "prediction",
    "unit",
    "measured",
    "step",
    "part",
    "stage",
    "choices",
    "when",
    "answer",
    "level",
)
"""The columns of the file. `level` is empty until a teacher marks the written answers."""
MAX_BYTES = 16 << 20
"""Maximum size of the file. A class of 500 that guesses in every part of the course stays below it."""
LEVELS = (0, 1, 2)
FEW = 10
"""Number of answers below which the report says nothing beyond these answers."""

_TEXTS = Catalogue(Path(__file__).parent / "texts")
_MAX_QUESTIONS = 1_000
_MAX_CELL = 4_000
_SHUFFLES = 10_000
_Round = Literal["before", "after"]
_ROUNDS: tuple[_Round, ...] = ("before", "after")


class ClassAnswersError(ValueError):
    """An error for a file that is not the answers of a class; the message says why, with the line."""

    def __init__(self, key: str, *, line: int | None = None, **values: float | str) -> None:
        self.key, self.line, self.values = key, line, values
        super().__init__(self.tell("en"))

    def tell(self, language: Language) -> str:
        told = _TEXTS.tell(self.key, self.values, language)
        if self.line is None:
            return told
        return _TEXTS.tell("in_line", {"line": self.line, "error": told}, language)


@dataclass
class Predicted:
    """A question whose answer was measured, with the guesses."""

    question: str
    unit: str
    part: str
    stage: str
    measured: float | str | None
    """A number, or a choice; None: not measured."""
    step: str
    choices: int
    """Number of choices; 0 for a number."""
    guesses: list[float | str] = field(default_factory=list[float | str])

    def figures(self) -> dict[str, Any]:
        """Return the guesses beside what was measured. For choices, `by_luck` is the probability that as many
        or more are right if each of the class chooses at random.
        """
        about = {"question": self.question, "part": self.part or None, "stage": self.stage or None}
        facts = {**about, "answered": len(self.guesses), "measured": self.measured, "step": self.step or None}
        if self.choices:
            right = sum(guess == self.measured for guess in self.guesses)
            known = self.measured is not None
            return {
                **facts,
                "choices": self.choices,
                "guesses": dict(Counter(map(str, self.guesses)).most_common()),
                "right": right if known else None,
                "by_luck": _binomial_tail(len(self.guesses), right, 1 / self.choices) if known else None,
            }
        numbers = [float(guess) for guess in self.guesses]
        quartiles = (
            statistics.quantiles(numbers, n=4, method="inclusive") if len(numbers) > 1 else numbers * 3
        )
        lower = higher = None
        if isinstance(self.measured, float):
            lower = sum(number < self.measured for number in numbers)
            higher = sum(number > self.measured for number in numbers)
        return {**facts, "unit": self.unit, "quartiles": quartiles, "lower": lower, "higher": higher}


@dataclass
class Written:
    """A question with written answers: the level of each, or None where it was not marked."""

    question: str
    levels: dict[_Round, list[int | None]] = field(default_factory=dict[_Round, list[int | None]])

    def figures(self) -> dict[str, Any]:
        """Return both rounds side by side. `by_chance` is the share of shuffles of all levels between the two
        rounds in which their means differ by as much or more. It takes the answers for independent, though
        the same people wrote both: the file does not say who.
        """
        rounds = {when: self.levels.get(when, []) for when in _ROUNDS}
        marked = {when: [one for one in found if one is not None] for when, found in rounds.items()}
        sides = {
            when: {
                "answered": len(rounds[when]),
                "marked": len(levels),
                "levels": [levels.count(level) for level in LEVELS],
                "mean": statistics.fmean(levels) if levels else None,
            }
            for when, levels in marked.items()
        }
        before, after = marked["before"], marked["after"]
        both = bool(before and after)
        return {
            "question": self.question,
            **sides,
            "difference": statistics.fmean(after) - statistics.fmean(before) if both else None,
            "by_chance": _shuffled_share(before, after) if both else None,
        }


@dataclass(frozen=True)
class ClassAnswers:
    """All answers of a file, by question, in the order of the file."""

    predicted: list[Predicted]
    written: list[Written]


def read_class_answers(path: Path) -> ClassAnswers:
    """Read the file that *Save as CSV* wrote, also after a spreadsheet saved it with semicolons or tabs.

    Raises:
        ClassAnswersError: it is too large, not text, or not such a file.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ClassAnswersError("too_large", most=MAX_BYTES >> 20)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ClassAnswersError("not_utf8") from None
    predicted: dict[tuple[str, ...], Predicted] = {}
    written: dict[str, Written] = {}
    for line, row, number in _rows(text):
        try:
            if row["when"]:
                one = written.setdefault(row["question"], Written(row["question"]))
                one.levels.setdefault(_round(row["when"]), []).append(_level(row["level"]))
            else:
                _add_guess(predicted, row, number)
        except ClassAnswersError as error:
            raise ClassAnswersError(error.key, line=line, **error.values) from None
        if len(predicted) + len(written) > _MAX_QUESTIONS:
            raise ClassAnswersError("too_many_questions", most=_MAX_QUESTIONS)
    if not predicted and not written:
        raise ClassAnswersError("no_answers")
    return ClassAnswers(list(predicted.values()), list(written.values()))


def _rows(text: str) -> Iterator[tuple[int, dict[str, str], Callable[[str], float]]]:
    """Yield the number of each line, its cells, and what reads its numbers."""
    head = text[:_MAX_CELL].partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)

    def number(cell: str) -> float:
        # Where cells are separated by semicolons, a decimal point is a comma.
        found = float(cell.replace(",", ".") if delimiter == ";" else cell)
        if not math.isfinite(found):
            raise ValueError("not finite")
        return found

    try:
        names = next(table, [])
        if missing := [name for name in COLUMNS if name not in names]:
            raise ClassAnswersError("column_missing", column=repr(missing[0]))
        for cells in table:
            if not any(cells):
                continue
            if len(cells) > len(names) or max(map(len, cells)) > _MAX_CELL:
                raise ClassAnswersError("too_many_cells", line=table.line_num)
            row = dict.fromkeys(COLUMNS, "") | dict(zip(names, map(_uncovered, cells), strict=False))
            yield table.line_num, row, number
    except csv.Error as error:
        raise ClassAnswersError("not_csv", line=table.line_num, error=str(error)) from None


def _uncovered(cell: str) -> str:
    """Return a cell without the quote that hides a formula."""
    cell = cell.strip()
    return cell[1:] if cell[:1] == "'" and cell[1:2] in tuple("=+-@") else cell


def _add_guess(
    predicted: dict[tuple[str, ...], Predicted], row: dict[str, str], number: Callable[[str], float]
) -> None:
    def read(name: str, *, text: bool) -> float | str:
        try:
            return row[name] if text else number(row[name])
        except ValueError:
            raise ClassAnswersError("no_number", column=name, cell=repr(row[name][:40])) from None

    choices = int(row["choices"]) if row["choices"] in map(str, range(2, 101)) else 0
    if row["choices"] and not choices:
        raise ClassAnswersError("no_choices", cell=repr(row["choices"][:40]))
    guess = read("prediction", text=bool(choices))
    # One question of two runs has two measured answers.
    key = tuple(row[name] for name in ("question", "unit", "part", "stage", "measured", "step"))
    if key not in predicted:
        measured = read("measured", text=bool(choices)) if row["measured"] else None
        predicted[key] = Predicted(
            row["question"], row["unit"], row["part"], row["stage"], measured, row["step"], choices
        )
    predicted[key].guesses.append(guess)


def _round(cell: str) -> _Round:
    for when in _ROUNDS:
        if cell == when:
            return when
    raise ClassAnswersError("no_round", cell=repr(cell[:40]))


def _level(cell: str) -> int | None:
    if not cell:
        return None
    if cell in map(str, LEVELS):
        return int(cell)
    raise ClassAnswersError("no_level", cell=repr(cell[:40]))


def _binomial_tail(trials: int, hits: int, chance: float) -> float:
    def log_ways(k: int) -> float:
        return math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1)

    def probability(k: int) -> float:
        return math.exp(log_ways(k) + k * math.log(chance) + (trials - k) * math.log1p(-chance))

    return min(1.0, math.fsum(map(probability, range(hits, trials + 1))))


def _shuffled_share(before: Sequence[int], after: Sequence[int]) -> float:
    # Imported only here: a class without marked answers needs no numpy.
    import numpy as np

    levels = np.array(LEVELS)
    counts = [before.count(level) + after.count(level) for level in LEVELS]
    drawn = np.random.default_rng(0).multivariate_hypergeometric(counts, len(before), _SHUFFLES)
    # The mean of the rest follows from the mean of the drawn, so one sum measures the difference.
    expected = len(before) * float(levels @ counts) / (len(before) + len(after))
    hits = int((np.abs(drawn @ levels - expected) >= abs(sum(before) - expected) - 1e-9).sum())
    # With the arrangement that was seen, so that it is never 0.
    return (hits + 1) / (_SHUFFLES + 1)
