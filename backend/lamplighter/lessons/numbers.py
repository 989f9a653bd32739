"""The numbers that a part of the course names, read from a run: measures, words, its text, and stored answers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lamplighter.claims.board import CLAIMS
from lamplighter.claims.claim import as_number
from lamplighter.claims.evidence import UNREADABLE, Evidence
from lamplighter.claims.gathering import Moment, examined_step, gather_evidence
from lamplighter.claims.matrix_figures import MAX_NUMBERS, MAX_PAIRS
from lamplighter.claims.questions_asked import BY_BUTTON, parse_known
from lamplighter.contract.answers import Answer, parse_answer
from lamplighter.contract.documented_model import DocumentedRecord
from lamplighter.contract.questions import Question, parse_question, question_id
from lamplighter.corpora.distribution import LISTED, WordLists, list_bytes, list_words
from lamplighter.geometry.analogies import analogy_shares
from lamplighter.geometry.neighbours import nearest_rows
from lamplighter.lessons.part import OF_THE_TEXT, NumberName, Part, StageQuestion, figure_name, number_at
from lamplighter.lessons.run_numbers import read_run_numbers
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.examinations import ExaminationEntry, ExaminationsReader
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.wire.vocabulary import Vocabulary


def price_text_numbers(part: Part, run: RunFolder) -> int:
    """Return the peak memory, in bytes, of a part's text numbers; 0 if it names none."""
    named = any(name.kind in ("word", "text") and name.parts[0] in OF_THE_TEXT for name in part.numbers)
    return list_bytes(len(run.vocabulary)) if named else 0


def read_text_numbers(run: RunFolder, cache: LruCache, step: int) -> dict[str, float] | None:
    """Return how many nearest words at a step each frequent word shares with its lists, as `beside WORD` and
    `alike WORD`; the averages as `beside` and `alike`; and the value by chance as `by_chance`.

    None: the run has no text here, or too many words. `cache` keeps the lists of its text, which never
    change.
    """
    tokens = run.vocabulary.tokens
    if len(tokens) * run.recipe.model.dim > MAX_NUMBERS:
        return None

    def make() -> WordLists | None:
        return list_words(run.token_ids, tokens)

    try:
        lists = cache.get_or_make((str(run.path), run.created, "lists of words"), make)
    except FileNotFoundError:
        return None
    if lists is None:
        return None
    with MatrixHistory(run) as history:
        vectors = history.snapshot(step).vectors
    if not np.isfinite(vectors).all():
        return None
    nearest, _ = nearest_rows(vectors, lists.rows, LISTED)
    found = {"by_chance": LISTED * LISTED / (len(tokens) - 1)}
    for name, listed in (("beside", lists.beside), ("alike", lists.alike)):
        shared = (nearest[:, :, None] == listed[:, None, :]).any(axis=2).sum(axis=1)
        found[name] = float(shared.mean())
        found |= {
            f"{name} {tokens[row]}": float(count)
            for row, count in zip(lists.rows.tolist(), shared.tolist(), strict=True)
        }
    return found


NEAREST = 10
"""Number of neighbours compared."""
Waiting = Literal["step", "measure", "answer", "ended", "button"]


@dataclass(frozen=True)
class NumberValue(DocumentedRecord):
    """A number of a run, or what it waits for."""

    value: float | None
    """Null if unknown."""
    step: int | None = None
    """The step it belongs to, if any."""
    waits_for: Waiting | None = None
    """What an unknown number waits for: a step, a measure or an answer; `ended`: a step that the run did not
    reach; `button`: an answer that only a person may ask for.
    """


@dataclass(frozen=True)
class PartQuestion:
    """A question of a part, for one run."""

    question: Question
    id: str
    entry: ExaminationEntry | None
    """The stored question with its state; None if it was not asked."""


def missing_words(part: Part, vocabulary: Vocabulary) -> list[str]:
    known = set(vocabulary.tokens) if part.words else set[str]()
    return [word for word in part.words if word not in known]


def find_questions(run: RunFolder, part: Part, moment: Moment) -> dict[str, PartQuestion]:
    """Return the questions of a part by name: those already asked, or else those to ask now. A question
    without a step is about the newest one. During training an older answer serves; afterwards only one about
    the last step does.
    """
    if run.recipe.corpus.kind == "recorded" or not moment.lineage:
        return {}
    stages = [stage for stage in part.stages if stage.examination is not None]
    asked_of = {stage.examination.name: (stage, stage.examination) for stage in stages if stage.examination}
    kinds = {asked.fields["kind"] for _, asked in asked_of.values()}
    entries: list[ExaminationEntry] = []
    with suppress(*UNREADABLE), ExaminationsReader(run.examinations_path) as reader:
        entries = [entry for entry in reader.entries() if entry.kind in kinds]
    found: dict[str, PartQuestion] = {}
    newest = examined_step(run, moment)
    for name, (stage, asked) in asked_of.items():
        step = max(newest, stage.reached) if asked.step is None else asked.step
        question = parse_question({**asked.fields, "step": step})
        found[name] = PartQuestion(
            question, question_id(moment.lineage.attempt_at(question.last_step), question), None
        )
        rank = (False, -1)
        for entry in entries:
            known = _same_question(entry, asked)
            serves = known is not None and moment.lineage.attempt_at(known.last_step) == entry.attempt
            if known is None or not serves or (known.step != step and not moment.training):
                continue
            # A stage may look at a later step than its question is about.
            late_enough = asked.step is not None or known.step >= stage.reached
            if late_enough and (entry.state == "done", known.step) > rank:
                rank = (entry.state == "done", known.step)
                found[name] = PartQuestion(known, entry.id, entry)
    return found


def _same_question(entry: ExaminationEntry, asked: StageQuestion) -> Question | None:
    with suppress(*UNREADABLE):
        question = parse_known(json.loads(entry.question))
        if question is None or (asked.step is not None and question.step != asked.step):
            return None
        return question if question.model_dump(mode="json", exclude={"step"}) == asked.fields else None
    return None


def resolve_numbers(
    run: RunFolder,
    part: Part,
    moment: Moment,
    questions: Mapping[str, PartQuestion],
    cache: LruCache,
) -> dict[str, NumberValue]:
    """Return the numbers that a part names, by name. Unreadable ones are unknown. `run` has read its corpus."""
    resolver = _Resolver(run, moment, questions, cache)
    return {name.text: resolver.resolve(name) for name in part.numbers}


_KINDS_OF = {str(claim.number): claim.kinds for claim in CLAIMS}


class _Resolver:
    """Resolves the names of one part."""

    def __init__(
        self, run: RunFolder, moment: Moment, questions: Mapping[str, PartQuestion], cache: LruCache
    ) -> None:
        self._run, self._moment, self._questions, self._cache = run, moment, questions, cache
        self._answers: dict[str, Answer | None] = {}
        self._measures: dict[int, dict[str, float]] = {}
        self._figures: dict[str, dict[str, NumberValue]] = {}
        self._evidence: Evidence | None = None

    def resolve(self, name: NumberName) -> NumberValue:
        match name.kind:
            case "run":
                return self._of_run(name.parts[0])
            case "claim":
                return self._of_claim(*name.parts)
            case "answer":
                return self._of_answer(name)
            case "measure" | "word" | "relation" | "text":
                step = name.step if name.step is not None else self._newest(name)
                if step > self._moment.step or not self._moment.lineage:
                    return NumberValue(None, step, "step" if self._moment.training else "ended")
                if name.kind == "word":
                    value = self._of_word(name.parts[0], name.parts[1], step)
                elif name.kind == "relation":
                    value = self._of_relation(name.parts[0], name.parts[1], step)
                elif name.kind == "text":
                    value = self._of_text(step).get(name.parts[0])
                else:
                    value = self._measured(step).get(name.parts[0])
                known = value is not None and math.isfinite(value)
                return NumberValue(value if known else None, step, None if known else "measure")

    def _newest(self, name: NumberName) -> int:
        if name.kind in ("word", "text"):
            return self._moment.step
        with suppress(*UNREADABLE), MeasuresReader(self._run.measures_path) as reader:
            return max(0, reader.last_step(self._moment.lineage))
        return 0

    def _measured(self, step: int) -> dict[str, float]:
        if step not in self._measures:
            self._measures[step] = {}
            with suppress(*UNREADABLE), MeasuresReader(self._run.measures_path) as reader:
                self._measures[step] = reader.by_step(step, step, self._moment.lineage).get(step, {})
        return self._measures[step]

    def _of_run(self, name: str) -> NumberValue:
        key = self._key("run", self._moment.step)
        value = None
        with suppress(*UNREADABLE):
            value = self._cache.get_or_make(key, lambda: read_run_numbers(self._run)).get(name)
        return NumberValue(value, None, None if value is not None else "measure")

    def _key(self, *what: object) -> tuple[object, ...]:
        return (str(self._run.path), self._run.created, self._moment.lineage, *what)

    def _of_claim(self, number: str, figure: str) -> NumberValue:
        """Return a claim's figure from the board, so that both show the same number."""
        if number not in self._figures:
            self._figures[number] = {}
            with suppress(*UNREADABLE):
                if self._evidence is None:
                    self._evidence = gather_evidence(self._run, self._cache, self._moment)
                finding = next(claim for claim in CLAIMS if claim.number == int(number)).find(self._evidence)
                named = [(figure_name(one.code, *one.values.values()), one) for one in finding.figures]
                named += [("null", finding.null)] if finding.null is not None else []
                for name, one in named:
                    if as_number(one.value) is not None:
                        self._figures[number][name] = NumberValue(one.value, one.step)
        waits: Waiting = "measure" if self._moment.lineage else "step"
        if self._evidence is not None and set(_KINDS_OF[number]) & set(BY_BUTTON) - set(
            self._evidence.answers
        ):
            waits = "button"
        return self._figures[number].get(figure, NumberValue(None, None, waits))

    def _of_answer(self, name: NumberName) -> NumberValue:
        kind, *path = name.parts
        asked = self._questions.get(kind)
        if asked is None or asked.entry is None or asked.entry.state != "done":
            return NumberValue(None, None, "answer")
        if kind not in self._answers:
            self._answers[kind] = None
            with suppress(*UNREADABLE), ExaminationsReader(self._run.examinations_path) as reader:
                self._answers[kind] = parse_answer(asked.question.kind, reader.answer(asked.id) or "")
        answer = self._answers[kind]
        value = None if answer is None else number_at(answer, path)
        return NumberValue(value, asked.question.step, None if value is not None else "answer")

    def _of_word(self, number: str, word: str, step: int) -> float | None:
        vocabulary, run = self._run.vocabulary, self._run
        if len(vocabulary) * run.recipe.model.dim > MAX_NUMBERS or word not in vocabulary.tokens:
            return None
        if number in OF_THE_TEXT:
            return self._of_text(step).get(f"{number} {word}")
        key = self._key("word", word, step)
        found = None
        with suppress(*UNREADABLE):
            found = self._cache.get_or_make(key, lambda: self._measure_word(word, step))
        return None if found is None else found.get(number)

    def _of_text(self, step: int) -> dict[str, float]:
        found = None
        with suppress(*UNREADABLE):
            key = self._key("shared with the text", step)
            found = self._cache.get_or_make(key, lambda: read_text_numbers(self._run, self._cache, step))
        return found or {}

    def _of_relation(self, number: str, relation: str, step: int) -> float | None:
        vocabulary, run = self._run.vocabulary, self._run
        pairs = next((one.pairs for one in vocabulary.relations if one.name == relation), ())
        if not 0 < len(pairs) <= MAX_PAIRS or len(vocabulary) * run.recipe.model.dim > MAX_NUMBERS:
            return None

        def make() -> dict[str, float]:
            with MatrixHistory(run) as history:
                vectors = history.snapshot(step).vectors
            if not np.isfinite(vectors).all():
                return {}
            found = analogy_shares(vectors, pairs, vocabulary.class_of())
            return {
                "without_rule": found.without_exclusion,
                "nearest_of_c": found.nearest_of_c,
                "right_class": found.right_class,
            }

        key = self._key("relation", relation, step)
        found = None
        with suppress(*UNREADABLE):
            found = self._cache.get_or_make(key, make)
        return None if found is None else found.get(number)

    def _measure_word(self, word: str, step: int) -> dict[str, float]:
        vocabulary = self._run.vocabulary
        row = vocabulary.tokens.index(word)
        with MatrixHistory(self._run) as history:
            vectors = history.snapshot(step).vectors
            first = history.snapshot(0).vectors[row].astype(np.float64)
        with np.errstate(all="ignore"):
            ids, cosines = nearest_rows(vectors, np.array([row]), NEAREST)
        now = vectors[row].astype(np.float64)
        lengths = float(np.linalg.norm(first)), float(np.linalg.norm(now))
        cosine = float(np.clip(first @ now / (lengths[0] * lengths[1]), -1, 1)) if all(lengths) else math.nan
        values = {
            "nearest": float(cosines[0, 0]),
            "length": lengths[1],
            "turned": math.degrees(math.acos(cosine)) if math.isfinite(cosine) else math.nan,
        }
        class_of = vocabulary.class_of()
        if class_of[row] >= 0:
            kin = int((class_of == class_of[row]).sum()) - 1
            values["kin"] = float((class_of[ids[0]] == class_of[row]).sum())
            values["kin_chance"] = NEAREST * kin / (len(vocabulary) - 1)
        return values
