"""Counts of how often two words occur near each other in a text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

WINDOW = 16
"""Maximum distance in positions of two words that meet: about a sentence and its neighbour."""
MAX_TOKENS = 4_000_000
"""Maximum tokens that are read, from the beginning of a text."""
MAX_PAIRS = 20_000
"""Maximum pairs that are counted."""
_BLOCK = 1 << 18


def count_meetings(token_ids: NDArray[np.uint32], pairs: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """Count, for each pair of ids, the pairs of positions at most `WINDOW` apart that hold them, in either
    order.

    At most `MAX_TOKENS` of the text, shape (N,), are read, for at most `MAX_PAIRS`. Shape (P,).
    """
    text = token_ids[:MAX_TOKENS]
    if not len(pairs) or not len(text):
        return np.zeros(len(pairs), dtype=np.int64)
    ordered = np.sort(np.array(pairs, dtype=np.int64).reshape(-1, 2), axis=1)
    size = int(max(int(ordered.max()), int(text.max()))) + 1
    keys, place = np.unique(ordered[:, 0] * size + ordered[:, 1], return_inverse=True)
    wanted = np.zeros(size, dtype=np.bool_)
    wanted[ordered.ravel()] = True
    counts = np.zeros(len(keys), dtype=np.int64)
    for start in range(0, len(text), _BLOCK):
        # Count each pair of positions once, in the block of its first position.
        block = np.asarray(text[start : start + _BLOCK + WINDOW]).astype(np.int64)
        first = np.flatnonzero(wanted[block[:_BLOCK]])
        for apart in range(1, WINDOW + 1):
            here = first[first + apart < len(block)]
            one, other = block[here], block[here + apart]
            met = wanted[other]
            key = np.minimum(one, other)[met] * size + np.maximum(one, other)[met]
            found = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
            counts += np.bincount(found[keys[found] == key], minlength=len(keys))
    return counts[place]
