"""The text that one step read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lamplighter.model.batches import positions_after, sequence_starts
from lamplighter.runfolder.run_folder import RunFolder

_TOKENS_AT_ONCE = 1 << 14


def read_batch_text(run: RunFolder, step: int, most: int | None = None) -> Iterator[NDArray[np.uint32]]:
    """Yield the token ids that a step read, a few sequences at a time: the corpus at the positions of its batch,
    including the last targets. `most` limits the number of sequences.
    """
    context = run.recipe.model.context
    try:
        ids = run.token_ids
        starts = sequence_starts(run.recipe, len(ids), step)[:most] if step else np.empty(0, np.int64)
    except FileNotFoundError:
        return
    size = max(1, _TOKENS_AT_ONCE // context)
    for start in range(0, len(starts), size):
        yield ids[positions_after(starts[start : start + size], context)]
