"""Steps that do not go on from the ones before."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lamplighter.client.histories.report import Finding
from lamplighter.client.histories.table_summary import TableSummary, distance, median_cosine
from lamplighter.wire.binary import Floats

_SURE = 4.0
"""Standard errors above which a resemblance is not chance."""
_MAX_ERROR = 0.01
"""The standard error from which the sample is large enough to see that nothing is shared."""
_MAX_GROWTH = 3.0
_KEPT = 0.5
"""The median cosine of rows that remember where they were."""


def find_breaks(tables: Sequence[TableSummary]) -> list[Finding]:
    """Find neighbours in time that resemble each other no more than chance.

    Two random starts share nothing: the mean cosine of a row with itself is that of a row with another row, within four
    standard errors. A right history may forget its start too, so two things must be added. The break is sudden: over an
    equally long time after it, or before it, the rows stay where they are (median cosine 0.5 or more). And the rows did
    not outgrow where they were: their median length changed by less than three times. Where the sample is too small to
    tell (some ten thousand numbers), nothing is claimed.

    Args:
        tables: by step, of one shape, without copies or detours.
    """
    findings: list[Finding] = []
    for at, (before, after) in enumerate(pairwise(tables)):
        if before.digest == after.digest or not _shares_nothing(before, after):
            continue
        span = after.step - before.step
        later = next((table for table in tables[at + 2 :] if table.step - after.step >= span), None)
        earlier = next((table for table in reversed(tables[:at]) if before.step - table.step >= span), None)
        kept = max(
            0.0 if later is None else median_cosine(after, later),
            0.0 if earlier is None else median_cosine(earlier, before),
        )
        growth = after.median_norm / before.median_norm if before.median_norm else 0.0
        if kept < _KEPT or not 1 / _MAX_GROWTH < growth < _MAX_GROWTH:
            continue
        text = "not_descended" if at == 0 else "broken_off"
        values = {"before": before.step, "after": after.step}
        figures = {"cosine": median_cosine(before, after), "cosine_kept": kept, "growth": growth}
        steps = (before.step, after.step)
        findings.append(Finding("not_descended", steps, values, text=text, figures=figures))
    if len(tables) > 1:
        findings += [*_find_shifts(tables), *_find_rescaling(tables), *_find_reversal(tables)]
    return findings


_PLACES = (-4, -3, -2, -1, 1, 2, 3, 4)
_NEARER = 0.5
_SHIFTED, _TIMES_USUAL, _LEAST_ROWS = 0.1, 5.0, 8


def _find_shifts(tables: Sequence[TableSummary]) -> list[Finding]:
    """Find steps between which rows change their places, as with a token put into the list.

    A row counts if it lies half as far or less from one up to four places away in the table before as from itself there.
    A tenth of the rows must count, at one distance, and five times as many as is usual between steps of that history.
    """
    near = np.stack([distance(before, after) for before, after in pairwise(tables)])
    # A shift is a leap: where few rows go twice as far as usual, there is none.
    leaps = (near > 2 * np.median(near, axis=0)).mean(axis=1) >= _SHIFTED
    findings: list[Finding] = []
    for at, (before, after) in enumerate(pairwise(tables)):
        if not leaps[at] and len(near) > 3:
            continue
        moved = {by: _shifted_rows(before, after, by, near[at]) for by in _PLACES}
        by = max(_PLACES, key=lambda one: len(moved[one]))
        share = len(moved[by]) / len(near[at])
        if share < _SHIFTED or len(moved[by]) < _LEAST_ROWS:
            continue
        others = [
            _shifted_rows(tables[one], tables[one + 1], by, near[one])
            for one in range(len(near))
            if one != at
        ]
        if others and share < _TIMES_USUAL * float(np.median([len(one) for one in others])) / len(near[at]):
            continue
        place = int(after.sketched[moved[by][-1]])
        values = {"before": before.step, "after": after.step, "share": round(100 * share)}
        values |= {"places": abs(by), "row": place - by, "place": place}
        findings.append(Finding("shifted", (before.step, after.step), values, figures={"share": share}))
    return findings


def _shifted_rows(before: TableSummary, after: TableSummary, by: int, own: Floats) -> NDArray[np.int64]:
    """Return which rows of the sketch lie nearer to the row `by` places before in the earlier table than to themselves."""
    places = np.searchsorted(before.sketched, after.sketched - by)
    known = np.flatnonzero(np.take(before.sketched, places, mode="clip") == after.sketched - by)
    moved = np.linalg.norm(after.sketch[known] - before.sketch[places[known]], axis=1)
    return known[moved < _NEARER * own[known]]


_LEAST_FACTOR = float(np.log(1.2))
_UNIFORM = 0.5


def _find_rescaling(tables: Sequence[TableSummary]) -> list[Finding]:
    """Find steps between which all rows are multiplied by one number, and only there.

    Weight decay does so too, at a pace that goes on. So the length must change by a fifth or more, five times as fast a step
    as in the steps before and after; nine rows of ten must take part in it, and the median row keep its direction.
    """
    ratios = [
        np.log(np.maximum(np.linalg.norm(after.sketch, axis=1), 1e-30))
        - np.log(np.maximum(np.linalg.norm(before.sketch, axis=1), 1e-30))
        for before, after in pairwise(tables)
    ]
    factors = [float(np.median(one)) for one in ratios]
    paces = [
        abs(one) / (after.step - before.step)
        for one, (before, after) in zip(factors, pairwise(tables), strict=True)
    ]
    findings: list[Finding] = []
    for at in range(1, len(factors) - 1):
        before, after = tables[at : at + 2]
        factor = float(np.exp(factors[at]))
        if abs(factors[at]) < _LEAST_FACTOR or paces[at] < _TIMES_USUAL * max(paces[at - 1], paces[at + 1]):
            continue
        rest = np.linalg.norm(after.sketch - factor * before.sketch, axis=1)
        length = abs(factor - 1) * np.linalg.norm(before.sketch, axis=1)
        together = np.abs(ratios[at] - factors[at]) < _UNIFORM * abs(factors[at])
        if np.median(rest) > _UNIFORM * np.median(length) or together.mean() < 1 - _SHIFTED:
            continue
        values = {"before": before.step, "after": after.step, "factor": factor}
        findings.append(Finding("rescaled", (before.step, after.step), values, figures={"factor": factor}))
    return findings


_RANDOM, _TRAINED = 5.0, 20.0
"""Standard deviations of John's statistic below which rows are like independent random numbers, and above which not."""


def _find_reversal(tables: Sequence[TableSummary]) -> list[Finding]:
    """Find a history that ends with what only a start is: a table of independent random numbers of one spread.

    The first must be far from that, and the middle between them. John's test of sphericity (1971) tells: training makes some directions longer.
    """
    first, last = tables[0], tables[-1]
    begin, middle, end = (_stretched(table) for table in (first, tables[len(tables) // 2], last))
    if not (end < _RANDOM and begin > _TRAINED and end < middle < begin):
        return []
    values = {"first": first.step, "last": last.step}
    return [Finding("reversed", (first.step, last.step), values)]


def _stretched(table: TableSummary) -> float:
    count, width = table.sketch.shape
    spread = table.sketch.T @ table.sketch
    freedom = width * (width + 1) / 2 - 1
    trace = float(np.trace(spread))
    if not trace or freedom < 1:
        return 0.0
    unequal = width * float(np.sum(spread**2)) / trace**2 - 1
    return (count * width * unequal / 2 - freedom) / float(np.sqrt(2 * freedom))


def _shares_nothing(before: TableSummary, after: TableSummary) -> bool:
    cosines = _centred_cosines(before, after, 0)
    chance = _centred_cosines(before, after, 1)
    error = float(np.sqrt((cosines.var() + chance.var()) / len(cosines)))
    return error <= _MAX_ERROR and float(cosines.mean() - chance.mean()) < _SURE * error


def _centred_cosines(before: TableSummary, after: TableSummary, turned: int) -> Floats:
    """Return the cosines of rows of two tables around their means, each with itself or with the one `turned` before."""
    a, b = (table.sketch - table.sketch.mean(axis=0) for table in (before, after))
    lengths = np.linalg.norm(a, axis=1) * np.roll(np.linalg.norm(b, axis=1), turned)
    return np.einsum("ij,ij->i", a, np.roll(b, turned, axis=0)) / np.where(lengths > 0, lengths, 1)
