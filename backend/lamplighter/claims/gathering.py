"""Reads a run's evidence from its folder. A missing or damaged part does not affect the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from lamplighter.claims.evidence import (
    UNREADABLE,
    EnergyFigures,
    Evidence,
    ExchangeFigures,
    StoredAnswer,
    TrustFigures,
)
from lamplighter.claims.examples import choose_opposites, choose_sentences, choose_words
from lamplighter.claims.matrix_evidence import read_matrix_evidence
from lamplighter.claims.matrix_figures import MAX_NUMBERS
from lamplighter.claims.questions_asked import find_own_question
from lamplighter.claims.step_figures import read_pulse_figures, read_touch_figures
from lamplighter.contract.answers import StoredAnswerError, parse_answer
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.reading.spent_energy import read_run_energy, read_spent_at
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.shared_steps import read_shared_step
from lamplighter.runfolder.tables.examinations import ExaminationsReader
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.steps import phase_in
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.waypoint_budget import EARLY_WAYPOINTS
from lamplighter.wire.frames import decode
from lamplighter.wire.layout_frames import Layout
from lamplighter.wire.vocabulary import Vocabulary

T = TypeVar("T")

LIVE_STRIDE = 100
"""Steps between two boards of a running training."""
MAX_MEASURES = 200_000
"""Maximum values read from the measures."""


@dataclass(frozen=True)
class Moment:
    """Everything that a board depends on; reading it takes a few milliseconds."""

    lineage: Lineage
    step: int
    """The board's step: the newest, or during training the last multiple of `LIVE_STRIDE`."""
    training: bool
    measured: int
    answers: tuple[str, ...]
    """The ids of the answers to read."""
    layouts: int
    answer_bytes: int
    """Total size of the answers to read, in bytes."""


def read_moment(run: RunFolder) -> Moment:
    """Return the moment of a run; a run that has not begun is at step 0.

    Raises:
        FormatError: this version cannot read the steps.
    """
    lineage, newest, training = Lineage(), 0, True
    with suppress(FileNotFoundError), StepsReader(run.steps_path) as steps:
        lineage, newest = steps.lineage(), steps.newest_step()[1]
        training = not phase_in(steps.facts()).has_ended
    measured = layouts = size = 0
    answers: tuple[str, ...] = ()
    with suppress(*UNREADABLE), MeasuresReader(run.measures_path) as measures:
        measured = measures.size()[0]
    with suppress(*UNREADABLE), ExaminationsReader(run.examinations_path) as examinations:
        answers = tuple(sorted(_serving(examinations, lineage, _sentences_of(run)).values()))
        size = sum(examinations.answer_bytes(name) for name in answers)
    with suppress(*UNREADABLE), LayoutsReader(run.layouts_path) as layout_reader:
        entry = layout_reader.last_layout_entry()
        layouts = 0 if entry is None else entry.id
    step = newest if not training or newest < LIVE_STRIDE else newest // LIVE_STRIDE * LIVE_STRIDE
    return Moment(lineage, step, training, measured, answers, layouts if not training else 0, size)


def examined_step(run: RunFolder, moment: Moment) -> int:
    """Return the step whose model is asked about.

    During training it is one with a waypoint, which stays the same for a while and is quick to load.
    """
    step, every = moment.step, run.recipe.cadence.waypoint_every
    if not moment.training:
        return step
    multiple = step // every * every if every else 0
    return max(multiple, *(early for early in EARLY_WAYPOINTS if early <= step))


def gather_evidence(run: RunFolder, cache: LruCache, moment: Moment | None = None) -> Evidence:
    """Return the evidence about a run that has read its corpus. Unreadable parts are left out.

    Args:
        cache: keeps results for finished steps.
        moment: the moment to read; None for now.

    Raises:
        MissingVocabularyError: the run has not read its corpus.
        FormatError: this version cannot read the steps, the recipe or the vocabulary.
    """
    moment = moment or read_moment(run)
    return _Gathering(run, cache, moment).evidence()


class _Gathering:
    """Gathers the evidence of one moment."""

    def __init__(self, run: RunFolder, cache: LruCache, moment: Moment) -> None:
        self._run, self._cache, self._moment = run, cache, moment
        self._vocabulary: Vocabulary = run.vocabulary
        self._key = (str(run.path), run.created, moment.lineage)

    def evidence(self) -> Evidence:
        run, moment, vocabulary = self._run, self._moment, self._vocabulary
        recipe, facts = run.recipe, self._read_facts()
        word, partner = choose_words(vocabulary)
        measures = self._guard(self._read_measures) or {}
        parameters, recorded = facts.get("parameters"), recipe.corpus.kind == "recorded"
        fields: dict[str, Any] = {}
        if moment.lineage and recipe.model.dim * len(vocabulary) <= MAX_NUMBERS:
            fields = self._guard(lambda: read_matrix_evidence(run, self._cache, self._key, moment.step)) or {}
        return Evidence(
            step=moment.step,
            examined_step=examined_step(run, moment),
            training=moment.training,
            rows=len(vocabulary),
            width=recipe.model.dim,
            parameters=parameters if isinstance(parameters, int) and parameters > 0 else None,
            tied=recipe.model.tied,
            optimiser=recipe.optimiser.kind,
            batch_tokens=0 if recorded else recipe.batch_tokens,
            recorded_elsewhere=recorded,
            sampled=recipe.model.negatives is not None,
            classes=any(len(members) > 1 for members in vocabulary.classes.values()),
            sums=recipe.corpus.kind == "modular",
            word=word,
            partner=partner,
            opposites=choose_opposites(vocabulary),
            sentences=choose_sentences(vocabulary),
            measures=measures,
            pulses=self._from_steps(
                "pulses",
                lambda steps: read_pulse_figures(steps, moment.step, len(vocabulary), recipe.model.dim),
            ),
            touches=self._from_steps(
                "touches", lambda steps: read_touch_figures(steps, moment.step, vocabulary)
            ),
            trust=self._guard(self._read_trust),
            energy=self._guard(lambda: self._read_energy(measures)),
            shared=self._guard(self._read_shared),
            answers=self._guard(self._read_answers) or {},
            **fields,
        )

    def _read_facts(self) -> Mapping[str, Any]:
        def read() -> Mapping[str, Any]:
            with StepsReader(self._run.steps_path) as steps:
                return steps.facts()

        return self._guard(read) or {}

    def _read_measures(self) -> dict[int, dict[str, float]]:
        if not self._moment.lineage or self._moment.measured > MAX_MEASURES:
            return {}
        with MeasuresReader(self._run.measures_path) as reader:
            return reader.by_step(lineage=self._moment.lineage)

    def _from_steps(self, name: str, read: Callable[[StepsReader], T | None]) -> T | None:
        def make() -> T | None:
            with StepsReader(self._run.steps_path) as steps:
                return read(steps)

        if not self._moment.lineage:
            return None
        return self._guard(lambda: self._cache.get_or_make((*self._key, name, self._moment.step), make))

    def _read_energy(self, measures: Mapping[int, Mapping[str, float]]) -> EnergyFigures | None:
        if not self._moment.lineage:
            return None
        with StepsReader(self._run.steps_path) as steps:
            energy = read_run_energy(steps)
            if energy is None:
                return None
            wanted = {*measures, min(energy.step, self._moment.step)}
            joules = {step: spent.joules for step, spent in read_spent_at(steps, sorted(wanted)).items()}
        return EnergyFigures(energy.used.method.name, joules, energy.since) if joules else None

    def _read_shared(self) -> ExchangeFigures | None:
        shared = (
            read_shared_step(self._run, self._moment.lineage, self._moment.step)
            if self._moment.lineage
            else None
        )
        if shared is None:
            return None
        expected = shared.split.expected_bytes(shared.exchange)
        counted = sum(shared.exchange.bytes.get(kind, 0) for kind in expected)
        return ExchangeFigures(
            self._moment.step,
            len(shared.split.owners),
            counted,
            sum(expected.values()),
            shared.equal,
            shared.steps,
        )

    def _read_trust(self) -> TrustFigures | None:
        with LayoutsReader(self._run.layouts_path) as reader:
            entry = reader.last_layout_entry()
            layout = None if entry is None else decode(reader.layout_record(entry.id))
        if entry is None or not isinstance(layout, Layout):
            return None
        return TrustFigures(entry.step, entry.trust, entry.recall, layout.sample)

    def _read_answers(self) -> dict[str, StoredAnswer]:
        with ExaminationsReader(self._run.examinations_path) as reader:
            found: dict[str, StoredAnswer] = {}
            for kind, name in _serving(reader, self._moment.lineage, _sentences_of(self._run)).items():
                with suppress(StoredAnswerError):
                    found[kind] = StoredAnswer(parse_answer(kind, reader.answer(name) or ""), name)
        return found

    def _guard(self, read: Callable[[], T]) -> T | None:
        """Return the result of `read`; None if it fails on unreadable files."""
        with suppress(*UNREADABLE):
            return read()
        return None


def _sentences_of(run: RunFolder) -> tuple[str, str] | None:
    with suppress(*UNREADABLE):
        return choose_sentences(run.vocabulary)
    return None


def _serving(
    reader: ExaminationsReader, lineage: Lineage, sentences: tuple[str, str] | None
) -> dict[str, str]:
    """Return the ids of the answers to the board's own questions, for each kind the one of the newest step.

    Answers to similar questions are ignored: the board must not depend on what else was asked.
    """
    newest: dict[str, tuple[int, int, str]] = {}
    for entry in reader.entries():
        if entry.state != "done":
            continue
        with suppress(ValueError, LookupError, TypeError, RecursionError):
            question = find_own_question(json.loads(entry.question), sentences)
            if question is not None and lineage.attempt_at(question.last_step) == entry.attempt:
                newest[entry.kind] = max(
                    newest.get(entry.kind, (-1, -1, "")), (entry.step, entry.revision, entry.id)
                )
    return {kind: name for kind, (*_, name) in newest.items()}
