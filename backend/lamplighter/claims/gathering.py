"""Reads a run's evidence from its folder. A missing or damaged part does not affect the others."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lamplighter.claims.evidence import (
    UNREADABLE,
    EnergyFigures,
    Evidence,
    ExchangeFigures,
    PulseFigures,
    StoredAnswer,
    TouchFigures,
    TrustFigures,
)
from lamplighter.claims.intervals import Spread, spread_of
from lamplighter.claims.matrix_evidence import read_matrix_evidence
from lamplighter.claims.matrix_figures import MAX_NUMBERS
from lamplighter.claims.questions_asked import (
    choose_opposites,
    choose_sentences,
    choose_words,
    find_own_question,
)
from lamplighter.contract.answers import StoredAnswerError, parse_answer
from lamplighter.geometry.rank import rank_correlation
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.reading.snapshot import read_touches
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
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.vocabulary import Vocabulary

MAX_STEPS = 1_000
"""Maximum steps sampled."""
_MAX_ROWS = 50_000_000
"""Maximum rows in all sampled pulses together, if each has every row."""
_AT_ONCE = 1 << 20
_DRAWS = 20
"""Number of random assignments of the counts to words."""
_EARLY = 20
"""First steps, all of which are sampled because they differ most."""


def read_pulse_figures(reader: StepsReader, step: int, rows: int, width: int) -> PulseFigures | None:
    """Return the figures of the first steps and of others spread evenly up to `step`; None if none is
    recorded. `rows`, `width`: V and D of the embedding.
    """
    most = max(_EARLY, min(MAX_STEPS, _MAX_ROWS // max(1, rows)))
    spread = np.linspace(1, max(1, step), min(most, max(1, step))).astype(np.int64)
    chosen = np.unique(np.concatenate((np.arange(1, min(_EARLY, step) + 1), spread)))
    # A sampled step stands for the steps around it.
    stands_for = dict(zip(chosen.tolist(), np.gradient(chosen) if len(chosen) > 1 else [1.0], strict=True))
    squares = np.zeros(rows)
    found: list[tuple[int, bool, tuple[float, ...]]] = []
    at_once = max(1, min(64, _AT_ONCE // max(1, rows)))
    for start in range(0, len(chosen), at_once):
        for number, record in reader.pulses_at(chosen[start : start + at_once].tolist()):
            pulse = decode(record)
            if isinstance(pulse, Pulse):
                found.append((number, pulse.verified, _figures(pulse)))
                if pulse.moved_known:
                    way = stands_for[number] * np.square(pulse.moved_distances, dtype=np.float64)
                    squares += np.bincount(pulse.moved_ids, way, minlength=rows)
    if not found:
        return None
    numbers = np.array([figures for *_, figures in found], dtype=np.float64)
    batch, gradient, moved, sleepers, distance, least, most, seconds = numbers.T
    return PulseFigures(
        steps=np.array([number for number, *_ in found]),
        batch_rows=batch,
        gradient_rows=gradient,
        moved_rows=moved,
        moved_sleepers=sleepers,
        verified=np.array([verified for _, verified, _ in found]),
        lit_distance=distance,
        least_norm=least,
        most_norm=most,
        seconds=seconds,
        recorded=reader.count_steps(1, found[-1][0]),
        walk=_walk_at_random(squares, width) if squares.any() else None,
    )


def read_touch_figures(reader: StepsReader, step: int, vocabulary: Vocabulary) -> TouchFigures | None:
    """Return how often rows were touched up to `step`; None if no batch is recorded."""
    try:
        found = read_touches(reader, step)
    except NoSnapshotError:
        return None
    if not found.touches.any():
        return None
    never = np.flatnonzero(found.touches == 0)
    correlation = dealt = None
    if vocabulary.counts_known:
        touches, counts = found.touches.astype(np.float64), vocabulary.counts.astype(np.float64)
        correlation = rank_correlation(touches, counts)
        draw = np.random.default_rng(0)
        drawn = [rank_correlation(touches, draw.permutation(counts)) for _ in range(_DRAWS)]
        dealt = spread_of(drawn) if np.isfinite(drawn).all() else None
    return TouchFigures(
        found.step,
        correlation if correlation is not None and np.isfinite(correlation) else None,
        len(never),
        int((vocabulary.counts[never] > 0).sum()) if vocabulary.counts_known else len(never),
        int(never[0]) if len(never) else None,
        int(found.touches.max()),
        float(np.median(found.touches)),
        dealt,
    )


def _walk_at_random(squares: NDArray[np.float64], width: int) -> Spread:
    """Return the root mean square distance from the start after steps in random directions. `squares`: shape
    (V,), the sum of the squares of each row's steps. The square of a row's distance has the deviation
    `squares` * sqrt(2 / D), or less.
    """
    distance = math.sqrt(squares.mean())
    deviation = math.sqrt(2 / width * np.square(squares).sum()) / len(squares)
    return Spread(distance, deviation / (2 * distance), 0)


def _figures(pulse: Pulse) -> tuple[float, ...]:
    nan = float("nan")
    lit = np.isin(pulse.moved_ids, pulse.batch_ids, assume_unique=True)
    both_known = pulse.batch_known and pulse.moved_known
    norms = pulse.layer_norms
    # A single layer would be both weakest and strongest: a client's loop records only its embedding.
    compared = np.isfinite(norms).sum() > 1
    return (
        float(len(pulse.batch_ids)) if pulse.batch_known else nan,
        float(len(pulse.gradient_ids)) if pulse.gradient_known else nan,
        float(len(pulse.moved_ids)) if pulse.moved_known else nan,
        float((~lit).sum()) if both_known else nan,
        float(np.median(pulse.moved_distances[lit])) if both_known and lit.any() else nan,
        float(np.nanmin(norms)) if compared else nan,
        float(np.nanmax(norms)) if compared else nan,
        pulse.step_seconds if pulse.step_seconds > 0 else nan,
    )


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
    """Return the moment of a run; a run that has not begun is at step 0."""
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
    """Return the step to ask about: during training one with a waypoint, which is quick to load."""
    step, every = moment.step, run.recipe.cadence.waypoint_every
    if not moment.training:
        return step
    multiple = step // every * every if every else 0
    return max(multiple, *(early for early in EARLY_WAYPOINTS if early <= step))


def gather_evidence(run: RunFolder, cache: LruCache, moment: Moment | None = None) -> Evidence:
    """Return the evidence about a run that has read its corpus. Unreadable parts are left out. `cache` keeps
    results for finished steps. It raises MissingVocabularyError or FormatError if the run cannot be read.
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
