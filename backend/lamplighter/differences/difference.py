"""The difference between two runs: read from their folders, and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.reason import Reason
from lamplighter.differences.answer import (
    ChangedWord,
    DifferenceAnswer,
    DifferenceNull,
    DifferenceSpread,
    HeldOutPair,
    LossDifference,
    NearWord,
    OrderDifference,
    RecentPair,
    RunLosses,
    SaidDifference,
    SharedClock,
    WordCounts,
)
from lamplighter.differences.matched_steps import MatchedSteps, Relation, match_steps, relate
from lamplighter.differences.record import (
    FirstDifference,
    Pair,
    RecordDifference,
    compare_records,
    find_first_difference,
)
from lamplighter.differences.rows import Matrix, RowsDifference, measure_rows, median
from lamplighter.geometry.purity import Order
from lamplighter.runfolder.errors import NoSnapshotError, NotComparableError
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.snapshot import Snapshot, nearest_kept, require_fit
from lamplighter.runfolder.run_folder import RunFolder

QUANTILES = (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1)
_SIDES = ("run", "other")
Ordering = Literal["aligned", "raw", "neighbours"]
"""The measure that orders the words: distance after the rotation, distance without it, or neighbours lost."""


@dataclass(frozen=True)
class RunDifference:
    """The difference between two runs at one step of each."""

    run: RunFolder
    other: RunFolder
    relation: Relation
    steps: MatchedSteps
    attempts: tuple[int, int]
    rows: RowsDifference
    record: RecordDifference
    first: FirstDifference | None

    def to_answer(
        self, by: Ordering = "aligned", limit: int = 50, least_count: int = 0, *, with_text: bool = True
    ) -> DifferenceAnswer:
        """Return the difference as it is told, with at most `limit` words that occur at least `least_count`
        times. `with_text`: whether to tell what the models said.
        """
        rows, steps, relation, record = self.rows, self.steps, self.relation, self.record
        held_out = record.held_out
        said = (record.said if with_text else None) or (None, None)
        return DifferenceAnswer(
            run=self.run.id,
            other=self.other.id,
            asked=steps.asked,
            step=steps.step,
            attempt=self.attempts[0],
            other_step=steps.other_step,
            other_attempt=self.attempts[1],
            exact=steps.moved is None,
            moved=steps.moved,
            relation=SharedClock(
                kind=relation.kind,
                ancestor=relation.ancestor,
                offset=None if steps.first is None else relation.offset,
                first=steps.first,
                last=steps.last,
                shared=relation.shared,
            ),
            first_difference=self.first,
            losses=LossDifference(
                batch=RunLosses(**_subtract(record.batch), error=record.deviation),
                recent=RecentPair(
                    batches=record.batches,
                    **_subtract(record.recent),
                    error=record.deviation and record.deviation / record.batches**0.5,
                ),
                held_out=held_out
                and HeldOutPair(
                    step=held_out.step, other_step=held_out.other_step, **_subtract(held_out.losses)
                ),
            ),
            order=OrderDifference.model_validate(dict(zip(_SIDES, map(_as_dict, rows.order), strict=True))),
            words=WordCounts(
                shared=len(rows.shared),
                run=len(self.run.vocabulary),
                other=len(self.other.vocabulary),
                equal=rows.equal,
                asked=len(rows.near.words),
                fitted=rows.fitted,
                fitted_least=rows.fitted_least,
                neighbours=rows.near.nearest.shape[1],
            ),
            spread=DifferenceSpread(
                at=list(QUANTILES),
                raw=_quantiles(rows.raw()),
                aligned=_quantiles(rows.aligned()),
                kept=_quantiles(rows.near.kept),
                kept_mean=float(rows.near.kept.mean()),
                length=median(rows.lengths),
                other_length=median(rows.other_lengths),
            ),
            nulls=[DifferenceNull(**asdict(null)) for null in rows.nulls],
            items=[self.describe_word(row) for row in rows.most_changed(by, limit, least_count).tolist()],
            said=SaidDifference.model_validate(
                dict(zip(_SIDES, (each and asdict(each) for each in said), strict=True))
            ),
        )

    def describe_word(self, row: int) -> ChangedWord:
        """Return a shared word, named by its place among them, with the neighbours that it gained and lost."""
        rows, near = self.rows, self.rows.near
        token_id, other_token_id = rows.shared[row].tolist()
        place = int(np.searchsorted(near.words, row))
        kept = gained = lost = None
        if place < len(near.words) and near.words[place] == row:
            here, there = near.nearest[place].tolist(), near.other_nearest[place].tolist()
            kept = len(set(here) & set(there))
            gained = [NearWord(**self._name(rows.shared[one, 0])) for one in there if one not in here]
            lost = [NearWord(**self._name(rows.shared[one, 0])) for one in here if one not in there]
        return ChangedWord(
            **self._name(token_id),
            other_token_id=other_token_id,
            count=int(rows.counts[row]) if rows.counts.any() else None,
            raw=float(rows.raw()[row]),
            aligned=float(rows.aligned()[row]),
            length=float(rows.lengths[row]),
            other_length=float(rows.other_lengths[row]),
            kept=kept,
            gained=gained,
            lost=lost,
        )

    def _name(self, token_id: int) -> dict[str, Any]:
        kind = int(self._class_of[token_id])
        name = None if kind < 0 else tuple(self.run.vocabulary.classes)[kind]
        return {"token_id": int(token_id), "token": self.run.vocabulary.tokens[token_id], "class_": name}

    @cached_property
    def _class_of(self) -> NDArray[np.int32]:
        return self.run.vocabulary.class_of()


def _as_dict(order: Order | None) -> dict[str, float] | None:
    return order and order._asdict()


def _subtract(pair: Pair) -> dict[str, float | None]:
    run, other = pair
    return {"run": run, "other": other, "difference": None if run is None or other is None else other - run}


def _quantiles(values: NDArray[Any]) -> list[float] | None:
    finite = values[np.isfinite(values)]
    return np.quantile(finite, QUANTILES).tolist() if len(finite) else None


@dataclass(frozen=True)
class ComparedRun:
    """One of two runs, open for reading."""

    run: RunFolder
    history: MatrixHistory
    exact: NDArray[np.int64]
    """The steps whose matrix is kept exactly, ascending."""
    read: Callable[[int], Snapshot]
    """Returns the matrix of such a step, or raises NoSnapshotError."""

    @property
    def newest_step(self) -> int:
        return self.history.steps.newest_step()[1]

    def attempt_at(self, step: int) -> int:
        return self.history.steps.lineage().attempt_at(step)

    def matrix(self, step: int) -> Matrix:
        """Read the matrix of a step, or raise NoSnapshotError."""
        found = self.read(step)
        require_fit(self.run, found)
        return Matrix(self.run.vocabulary, found.step, found.vectors)


def choose_steps(
    one: ComparedRun, other: ComparedRun, relation: Relation, step: int | None, other_step: int | None
) -> MatchedSteps:
    """Return the steps at which two runs are compared; None for the newest that both have. `other_step`: a
    step of the other, regardless of the clock. It raises NotComparableError if they have no step in common,
    NoSnapshotError if none at or before a named one is kept.
    """
    if other_step is None:
        newest = one.newest_step, other.newest_step
        return match_steps(one.exact, other.exact, relation.offset, step, newest, relation.shared)
    asked = one.newest_step if step is None else step
    kept, other_kept = nearest_kept(one.exact, asked), nearest_kept(other.exact, other_step)
    if kept is None or other_kept is None:
        raise NoSnapshotError(asked if kept is None else other_step, None)
    moved = None if (kept, other_kept) == (asked, other_step) else "not_kept"
    return MatchedSteps(step, kept, other_kept, moved)


def read_rows(
    one: ComparedRun,
    other: ComparedRun,
    relation: Relation,
    steps: MatchedSteps,
    on_progress: Callable[[float], object] = lambda _: None,
) -> RowsDifference:
    """Measure the difference between two matrices; raise NotComparableError or NoSnapshotError."""
    before = nearest_kept(one.exact, steps.step // 2 if relation.shared is None else relation.shared)
    earlier = None if before is None or before >= steps.step else one.matrix(before)
    return measure_rows(one.matrix(steps.step), other.matrix(steps.other_step), earlier, on_progress)


def read_first_difference(
    one: ComparedRun, other: ComparedRun, relation: Relation, known: FirstDifference | None = None
) -> FirstDifference | None:
    """Return the first step whose records differ; None for runs without a common origin. `known`: what was
    found before, of the same attempts; steps that were equal are not compared again.
    """
    if relation.ancestor is None or relation.kind == "same" or (known and known.step is not None):
        return known
    compared = known.compared if known else 0
    begin = max(relation.shared or 0, -relation.offset, 0) + 1
    last = min(one.newest_step, other.newest_step - relation.offset)
    found = find_first_difference(
        one.history.steps, other.history.steps, relation.offset, begin + compared, last
    )
    return replace(found, compared=compared + found.compared, from_=begin)


def compare_folders(
    run: RunFolder,
    other: RunFolder,
    step: int | None = None,
    other_step: int | None = None,
    on_progress: Callable[[float], object] = lambda _: None,
) -> RunDifference:
    """Return the difference between two runs in their folders; see `choose_steps` for the steps. Their
    ancestors are looked for beside them. It raises NotComparableError if they have too little in common, or
    one has not begun, and NoSnapshotError if a matrix is not kept.
    """
    for each in (run, other):
        if not (each.is_prepared and each.steps_path.exists()):
            raise NotComparableError(
                f"{each.id} has not begun, so there is nothing to compare yet", Reason("run_not_begun")
            )
    relation = relate(run, other, lambda name: _find_beside((run, other), name))
    with MatrixHistory(run) as history, MatrixHistory(other) as other_history:
        one = ComparedRun(run, history, history.exact_steps(), history.snapshot)
        two = ComparedRun(other, other_history, other_history.exact_steps(), other_history.snapshot)

        def read(_: Lineage) -> RunDifference:
            return read_difference(one, two, relation, step, other_step, on_progress)

        return Lineage.stable(history.steps, lambda _: Lineage.stable(other_history.steps, read))


def _find_beside(runs: tuple[RunFolder, ...], name: str) -> RunFolder | None:
    """Return the run of an id, which a recipe has checked, in the folder of one of some runs."""
    beside = (RunFolder(run.path.parent / name) for run in runs)
    return next((found for found in beside if (found.path / "recipe.json").is_file()), None)


def read_difference(
    one: ComparedRun,
    other: ComparedRun,
    relation: Relation,
    step: int | None = None,
    other_step: int | None = None,
    on_progress: Callable[[float], object] = lambda _: None,
) -> RunDifference:
    """Return the difference between two open runs; raise NotComparableError or NoSnapshotError."""
    steps = choose_steps(one, other, relation, step, other_step)
    rows = read_rows(one, other, relation, steps, on_progress)
    first = None if other_step is not None else read_first_difference(one, other, relation)
    return assemble(one, other, relation, steps, rows, first)


def assemble(
    one: ComparedRun,
    other: ComparedRun,
    relation: Relation,
    steps: MatchedSteps,
    rows: RowsDifference,
    first: FirstDifference | None,
) -> RunDifference:
    """Return a difference whose rows were measured, with what the records say."""
    record = compare_records(
        one.run,
        one.history.steps,
        other.run,
        other.history.steps,
        steps.step,
        steps.other_step - steps.step,
        clocked=steps.clocked,
    )
    attempts = one.attempt_at(steps.step), other.attempt_at(steps.other_step)
    return RunDifference(one.run, other.run, relation, steps, attempts, rows, record, first)
