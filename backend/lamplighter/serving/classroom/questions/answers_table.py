"""The answers of a class as CSV, which spreadsheets and `lamplighter class-report` read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from lamplighter.lessons.class_answers import COLUMNS
from lamplighter.serving.classroom.questions.lesson_question import LessonQuestion
from lamplighter.serving.classroom.questions.question import Question


def write_answers(questions: Sequence[Question]) -> str:
    """Return the answers as CSV, without anything that tells which of them are of one viewer.

    Written answers are sorted across both rounds, so that with the column `when` hidden they can be marked blindly.
    """
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, restval="")
    table.writeheader()
    for question in questions:
        if question.when is None:
            table.writerows(_predictions(question))
    written = [row for question in questions if question.when for row in _written(question)]
    table.writerows(sorted(written, key=lambda row: (row["question"], row["answer"].casefold())))
    return text.getvalue()


def _predictions(question: Question) -> Iterator[dict[str, object]]:
    measured = question.measured
    about: dict[str, object] = {"question": _cell(question.text), "unit": _cell(question.unit)}
    if question.choices:
        about["choices"] = len(question.choices)
    if measured is not None:
        about |= {"measured": _shown(question, measured.value), "step": measured.step}
    if isinstance(question, LessonQuestion):
        about |= {"part": question.part, "stage": question.stage}
    for answer in question.answers():
        yield {**about, "prediction": _shown(question, answer)}


def _written(question: Question) -> Iterator[dict[str, str]]:
    for text in question.texts():
        seen = "".join(sign if sign.isprintable() else " " for sign in text)
        answer = _cell(" ".join(seen.split()))
        yield {"question": _cell(question.text), "when": question.when or "", "answer": answer}


def _shown(question: Question, value: float) -> str:
    if not question.choices:
        return f"{value:g}"
    return _cell(question.choices[int(value)])


def _cell(text: str) -> str:
    """Return a text as a cell that no spreadsheet treats as a formula."""
    return f"'{text}" if text[:1] in tuple("=+-@\t\r") else text
