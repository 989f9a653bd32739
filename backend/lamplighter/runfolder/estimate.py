"""What a run will take on the disk, from its recipe alone: an estimate, from sizes that are known and a guess at
how many rows a batch lights."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from lamplighter.recipe import ModelRecipe, Recipe
from lamplighter.runfolder.handover import KEYFRAMES_APART

_LAMPTOWN_WORDS, _LAMPTOWN_TOKENS = 2_271, 500_000
_MANUALS_TOKENS = 1_200_000
"""Of the packages that Lamplighter needs itself; other machines have more."""

_TILED = 0.65
"""Of moved rows, after they are packed into tiles."""
_PAGES = 1.04
"""SQLite's own, on what is in it."""
_STEPS_A_FRAME, _RESTING_FRAMES = 4, 100
"""How often the map is drawn anew depends on the machine: about this on two cores."""
_MAP_SHARE = 0.1
"""Of the disk budget; beyond it the map's past is thinned."""


@dataclass(frozen=True)
class SizeEstimate:
    """Bytes a finished run takes, by part."""

    moved_rows: int
    keyframes: int
    steps: int
    """Loss, batches and lit rows of every step."""
    map: int
    checkpoints: int
    corpus: int
    budget: int
    """The recipe's: near it less is kept (`budget.py`)."""
    lit: int
    """Rows a batch lights, as guessed."""
    exact: bool
    """Whether every step is kept exactly, as far as the budget goes."""

    @property
    def whole(self) -> int:
        """Bytes of everything, if the budget did not matter."""
        return self.moved_rows + self.keyframes + self.steps + self.map + self.checkpoints + self.corpus

    @property
    def bytes(self) -> int:
        """Bytes of everything. Scalars and checkpoints are kept beyond the budget."""
        kept = self.steps + self.map + self.checkpoints + self.corpus
        return min(self.whole, max(self.budget, kept))

    @property
    def fits(self) -> bool:
        """Whether the budget is expected to be enough for all of it."""
        return self.whole < 0.9 * self.budget

    def as_dict(self) -> dict[str, Any]:
        """All of it by name, the parts under `parts`."""
        parts = asdict(self)
        rest = {name: parts.pop(name) for name in ("budget", "lit", "exact")}
        return {"bytes": self.bytes, "whole": self.whole, "fits": self.fits, **rest, "parts": parts}


def estimate_size(
    recipe: Recipe, vocabulary: int | None = None, text_bytes: int | None = None, *, alone: bool = False
) -> SizeEstimate:
    """What a run of a recipe will take.

    Args:
        recipe: of the run.
        vocabulary: its tokens, V, where they are known; otherwise as many as the recipe allows.
        text_bytes: of the text a person brings, where it is known.
        alone: only a trainer is at work: nobody draws a map or packs moved rows.
    """
    size = vocabulary or _vocabulary(recipe, text_bytes)
    dim, steps = recipe.model.dim, recipe.steps
    lit = lit_rows(recipe, size)
    sparse = recipe.optimiser.kind != "adam" and not recipe.model.tied
    matrix = 4 * size * dim + 8 * size + 100
    every = recipe.cadence.keyframe_every
    kept = steps // (max(every, KEYFRAMES_APART) if sparse and not alone else every) + 1
    gradient = 4 * (size if recipe.model.tied else lit)
    # With momentum every row moves but those never seen, so that they are listed one by one.
    moved = 4 * lit if sparse else (4 if recipe.model.tied else 8) * size
    frames = 0 if alone else steps / _STEPS_A_FRAME + _RESTING_FRAMES
    return SizeEstimate(
        moved_rows=round((_PAGES if alone else _TILED) * steps * (40 + lit * (4 + 4 * dim))) if sparse else 0,
        keyframes=round(_PAGES * kept * matrix),
        steps=round(_PAGES * steps * (120 + 8 * lit + gradient + moved + 4 * (2 * recipe.model.layers + 3))),
        map=round(min(_MAP_SHARE * recipe.disk_budget, 2 * frames * (5 * size + 600))),
        checkpoints=2
        * (_parameters(recipe.model, size) * (4 if recipe.optimiser.kind == "sgd" else 12) + 16 * size),
        corpus=_corpus(recipe, text_bytes) + 40 * size,
        budget=recipe.disk_budget,
        lit=lit,
        exact=sparse,
    )


def lit_rows(recipe: Recipe, vocabulary: int) -> int:
    """Distinct tokens in a batch, as in English and Lamptown alike: fitted to batches of 32 to 4,096 tokens of
    both, where it is off by a fifth, seldom by a third."""
    tokens = recipe.batch_tokens
    free = min(tokens, 2.7 * tokens**0.63 * recipe.passages**0.17)
    return max(1, round(vocabulary * -math.expm1(-free / vocabulary)))


def _vocabulary(recipe: Recipe, text_bytes: int | None) -> int:
    most = recipe.corpus.vocabulary_size
    if recipe.corpus.kind == "lamptown" and recipe.corpus.tokeniser == "words":
        return min(most, _LAMPTOWN_WORDS)
    return most if text_bytes is None else max(3, min(most, text_bytes // 2))


def _parameters(model: ModelRecipe, vocabulary: int) -> int:
    block = 12 * model.dim**2 + 13 * model.dim
    matrices = 1 if model.tied else 2
    return (
        matrices * vocabulary * model.dim + model.context * model.dim + model.layers * block + 2 * model.dim
    )


def _corpus(recipe: Recipe, text_bytes: int | None) -> int:
    match recipe.corpus.kind:
        case "lamptown":
            return 4 * _LAMPTOWN_TOKENS
        case "manuals":
            return 4 * _MANUALS_TOKENS
        case "text":
            # The text itself, and four bytes for a token of some four letters.
            return 2 * (text_bytes or 0)
        case "recorded":
            return 0
