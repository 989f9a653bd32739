"""Steps that do not go on from the ones before."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from lamplighter.client.histories.report import Finding
from lamplighter.client.histories.table_summary import TableSummary, median_cosine
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
        findings.append(Finding("not_descended", "problem", steps, text, values, figures=figures))
    return findings


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
