"""The difference between two runs, and how it is told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

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
from lamplighter.differences.matched_steps import MatchedSteps, Relation
from lamplighter.differences.record import FirstDifference, Pair, RecordDifference
from lamplighter.differences.rows import RowsDifference, median
from lamplighter.geometry.purity import Order
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
