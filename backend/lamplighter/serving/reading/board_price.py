"""The cost of the board of claims: the memory for gathering its evidence."""

from __future__ import annotations

from lamplighter.claims.gathering import Moment
from lamplighter.claims.matrix_figures import MAX_NUMBERS
from lamplighter.runfolder.run_folder import RunFolder

ANSWER_COPIES = 10
"""Copies of a stored answer in memory while it is read, as text and as objects."""
_MATRICES = 9
"""Matrices in memory at the same time: at three steps, the previous one, the output matrix at two, that of another
seed, and rows scaled to length 1."""
_MEASURE_BYTES = 200
"""Bytes of memory of a measure, with its share of the table by step."""


def price_board(run: RunFolder, moment: Moment) -> int:
    """Return the bytes for gathering the evidence of a run that has read its corpus."""
    numbers = len(run.vocabulary) * run.recipe.model.dim
    # A larger matrix is not read.
    matrices = _MATRICES * 4 * numbers if numbers <= MAX_NUMBERS else 0
    return ANSWER_COPIES * moment.answer_bytes + _MEASURE_BYTES * moment.measured + matrices
