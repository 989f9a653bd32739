"""An estimate of a run's size on disk from its recipe, known record sizes and a guess of the rows lit by a batch."""

from __future__ import annotations

import math

from lamplighter.contract.documented_model import DocumentedModel
from lamplighter.contract.recipe import SUM_TOKENS, Recipe
from lamplighter.runfolder.tables.row_pruning import MAX_KEYFRAME_GAP
from lamplighter.runfolder.writing.waypoint_budget import (
    estimate_checkpoint_bytes,
    expected_waypoints,
    waypoint_room,
)

_LAMPTOWN_WORDS, _LAMPTOWN_TOKENS = 2_382, 550_000
_REPEATS_WORDS, _REPEATS_TOKENS = 127, 709_500
_NOVELS_TOKENS = 287_000
_MANUALS_TOKENS = 1_200_000
"""Tokens in the docstrings of Lamplighter's dependencies; other machines have more packages."""

_TILED_SHARE = 0.65
"""Size of packed tiles relative to the moved rows in them."""
_PAGE_OVERHEAD = 1.04
"""File size relative to the records in it, due to SQLite."""
_STEPS_PER_LAYOUT, _FINAL_LAYOUTS = 4, 100
"""Training steps per layout, and layouts after the last step, on a machine with two cores."""
_KEPT_CHECKPOINTS = 2
_MAP_SHARE = 0.1
"""Share of the disk budget for layouts; beyond it old layouts are thinned out."""


class EstimateParts(DocumentedModel):
    """Estimated bytes by part."""

    moved_rows: int
    keyframes: int
    steps: int
    map: int
    checkpoints: int
    waypoints: int
    corpus: int


class SizeEstimate(DocumentedModel):
    """The expected disk usage of a finished run: a guess from its recipe."""

    bytes: int
    """The total, limited by the budget."""
    whole: int
    """The total without a budget."""
    fits: bool
    """True if the budget is expected to suffice for every snapshot."""
    budget: int
    lit: int
    """Estimated number of rows that a batch lights."""
    exact: bool
    """True if every step is kept exactly, not only keyframes."""
    parts: EstimateParts


def estimate_size(
    recipe: Recipe,
    vocabulary: int | None = None,
    text_bytes: int | None = None,
    *,
    without_workers: bool = False,
) -> SizeEstimate:
    """Estimate the size on disk of a run. `vocabulary`: number of tokens V, if known; otherwise the recipe's
    upper limit. `text_bytes`: size of the user's text, if known. `without_workers`: only a trainer runs,
    without a projector (no map) or an analyst (no tiles).
    """
    size = vocabulary or _expected_vocabulary(recipe, text_bytes)
    dim, steps = recipe.model.dim, recipe.steps
    lit = estimate_lit_rows(recipe, size)
    sparse = recipe.optimiser.kind != "adam" and not recipe.model.tied
    matrix = 4 * size * dim + 8 * size + 100
    every = recipe.cadence.keyframe_every
    kept = steps // (max(every, MAX_KEYFRAME_GAP) if sparse and not without_workers else every) + 1
    gradient = 4 * (size if recipe.model.tied else lit)
    # With momentum every row seen so far moves, so nearly all ids and distances are listed.
    moved = 4 * lit if sparse else (4 if recipe.model.tied else 8) * size
    frames = 0 if without_workers else steps / _STEPS_PER_LAYOUT + _FINAL_LAYOUTS
    parts = EstimateParts(
        moved_rows=round(
            (_PAGE_OVERHEAD if without_workers else _TILED_SHARE) * steps * (40 + lit * (4 + 4 * dim))
        )
        if sparse
        else 0,
        keyframes=round(_PAGE_OVERHEAD * kept * matrix),
        steps=round(
            _PAGE_OVERHEAD * steps * (120 + 8 * lit + gradient + moved + 4 * (2 * recipe.model.layers + 3))
        ),
        map=round(min(_MAP_SHARE * recipe.disk_budget, 2 * frames * (5 * size + 600))),
        checkpoints=_KEPT_CHECKPOINTS * estimate_checkpoint_bytes(recipe, size),
        waypoints=_waypoint_bytes(recipe, size),
        corpus=_corpus_bytes(recipe, text_bytes) + 40 * size,
    )
    # The budget limits only the vectors (`disk_budget.py`).
    always_kept = parts.steps + parts.map + parts.checkpoints + parts.waypoints + parts.corpus
    whole = parts.moved_rows + parts.keyframes + always_kept
    return SizeEstimate(
        bytes=min(whole, max(recipe.disk_budget, always_kept)),
        whole=whole,
        fits=whole < 0.9 * recipe.disk_budget,
        budget=recipe.disk_budget,
        lit=lit,
        exact=sparse,
        parts=parts,
    )


def estimate_lit_rows(recipe: Recipe, vocabulary: int) -> int:
    """Estimate the distinct tokens in a batch.

    Fitted to batches of 32 to 4,096 tokens of English and of Lamptown, with errors up to a fifth, rarely a third.
    """
    tokens = recipe.batch_tokens
    free = min(tokens, 2.7 * tokens**0.63 * recipe.passages**0.17)
    return max(1, round(vocabulary * -math.expm1(-free / vocabulary)))


def _expected_vocabulary(recipe: Recipe, text_bytes: int | None) -> int:
    limit = recipe.corpus.vocabulary_size
    if recipe.corpus.modulus is not None:
        # The numbers, two signs, and one token for anything else.
        return recipe.corpus.modulus + 3
    words = {"lamptown": _LAMPTOWN_WORDS, "repeats": _REPEATS_WORDS}.get(recipe.corpus.kind)
    if words is not None and recipe.corpus.tokeniser == "words":
        return min(limit, words)
    return limit if text_bytes is None else max(3, min(limit, text_bytes // 2))


def _waypoint_bytes(recipe: Recipe, vocabulary: int) -> int:
    steps, every = recipe.steps, recipe.cadence.checkpoint_every
    room = waypoint_room(recipe, vocabulary)
    waypoints = expected_waypoints(steps, recipe.cadence.waypoint_every, room)
    if not waypoints:
        return 0
    newest = steps - steps % every
    # A checkpoint that is also a waypoint is one file with two names.
    before = newest - every if newest == steps else newest
    alone = len(waypoints - {0, steps, before})
    first = estimate_checkpoint_bytes(recipe, vocabulary, untrained=True)
    return first + alone * estimate_checkpoint_bytes(recipe, vocabulary)


def _corpus_bytes(recipe: Recipe, text_bytes: int | None) -> int:
    match recipe.corpus.kind:
        case "lamptown":
            return 4 * _LAMPTOWN_TOKENS
        case "novels":
            return 4 * _NOVELS_TOKENS
        case "manuals":
            return 4 * _MANUALS_TOKENS
        case "repeats":
            return 4 * _REPEATS_TOKENS
        case "modular":
            return 4 * SUM_TOKENS * (recipe.corpus.modulus or 0) ** 2
        case "text":
            # The text, plus a four-byte id for each token of about four letters.
            return 2 * (text_bytes or 0)
        case "recorded":
            return 0
