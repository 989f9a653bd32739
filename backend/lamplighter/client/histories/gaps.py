"""Steps that a regular history lacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain, islice, pairwise

from lamplighter.client.histories.finding import Finding
from lamplighter.client.histories.sentences import NOTHING, Part, Steps

_LEAST_REGULAR = 4
_MAX_TOLD, _MAX_NAMED = 1_000, 12


def find_missing_steps(steps: Sequence[int]) -> list[Finding]:
    """Find the steps that a grid of equal distances lacks, or one that doubles.

    It is a note, as its author may have chosen what to keep. A gap counts only within a grid: it is a multiple of the
    commonest distance, which the steps keep before and after it.

    Args:
        steps: ascending.
    """
    lacking = [*_missing_equal(steps), *_missing_doubled(steps)]
    count = sum(map(len, lacking))
    if not count:
        return []
    told = tuple(sorted(islice(chain.from_iterable(lacking), _MAX_TOLD)))
    values = {
        "count": count,
        "steps": Steps(told[:_MAX_NAMED], told, is_named=False),
        "more": Part("more", {"count": count - _MAX_NAMED}) if count > _MAX_NAMED else NOTHING,
    }
    return [Finding("missing", "note", told, "missing", values)]


def _missing_equal(steps: Sequence[int]) -> list[range]:
    gaps = [after - before for before, after in pairwise(steps)]
    if not gaps:
        return []
    usual, count = Counter(gaps).most_common(1)[0]
    if count < _LEAST_REGULAR:
        return []
    first, last = gaps.index(usual), len(gaps) - 1 - gaps[::-1].index(usual)
    return [
        range(steps[at] + usual, steps[at + 1], usual)
        for at in range(first, last)
        if gaps[at] > usual and gaps[at] % usual == 0
    ]


def _missing_doubled(steps: Sequence[int]) -> list[list[int]]:
    doubled = [step for step in steps if step > 0 and step & (step - 1) == 0]
    if len(doubled) < _LEAST_REGULAR:
        return []
    return [
        [before << shift for shift in range(1, after.bit_length() - before.bit_length())]
        for before, after in pairwise(doubled)
        # With other steps between two powers of two, the grid is not one that doubles.
        if not any(before < step < after for step in steps)
    ]
