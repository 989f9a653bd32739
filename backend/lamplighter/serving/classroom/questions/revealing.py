"""The revealing of a class's predictions in the course, beside the run's measured numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lamplighter.claims.gathering import read_moment
from lamplighter.contract.sentences import say
from lamplighter.lessons.library import LANGUAGE, LessonLibrary
from lamplighter.lessons.numbers import find_questions, resolve_numbers
from lamplighter.lessons.part import Part
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.classroom.questions.lesson_question import LessonQuestion
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.web.http.problems import RefusedError


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
