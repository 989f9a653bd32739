"""The map of a run drawn like that of another it shares its origin with, so that the two can be compared by eye."""

from __future__ import annotations

import numpy as np

from lamplighter.contract.reason import Reason
from lamplighter.differences.rows import Floats, RowsDifference
from lamplighter.geometry.aligned_layout import align_layout
from lamplighter.runfolder.errors import NotComparableError
from living_map.rows import unit_rows

MAX_NEW = 1_000
"""Maximum words that the first run lacks: a fork has at most a few."""
NEIGHBOURS_OF_NEW = 5
"""Nearest words in whose middle a word stands that the first run lacks."""


def lay_out_like(coordinates: Floats, rows: RowsDifference, other_vectors: Floats) -> Floats:
    """Return the layout of the second of two runs, (W, 2), by that of the first, (V, 2).

    It raises NotComparableError if the first lacks too many words of the second.
    """
    here, there = rows.shared.T
    new = np.setdiff1d(np.arange(len(other_vectors)), there)
    if len(new) > MAX_NEW:
        raise NotComparableError(
            f"more than {MAX_NEW:,} words of the other run are not in this one", Reason("no_common_words")
        )
    places = np.empty((len(other_vectors), 2), dtype=np.float32)
    places[there] = align_layout(coordinates[here], rows.near, rows.raw())
    units = unit_rows(other_vectors)
    for word in new:
        nearest = np.argsort(-(units[there] @ units[word]), kind="stable")[:NEIGHBOURS_OF_NEW]
        places[word] = places[there[nearest]].mean(axis=0)
    return places
