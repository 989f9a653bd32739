"""Numbers of a run's text: how many of a word's nearest occur beside it, and how many in its place."""

from __future__ import annotations

import numpy as np

from lamplighter.claims.matrix_figures import MAX_NUMBERS
from lamplighter.corpora.distribution import LISTED, WordLists, list_bytes, list_words
from lamplighter.geometry.neighbours import nearest_rows
from lamplighter.lessons.number_name import OF_THE_TEXT
from lamplighter.lessons.part import Part
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder


def price_text_numbers(part: Part, run: RunFolder) -> int:
    """Return the peak memory, in bytes, of a part's text numbers; 0 if it names none."""
    named = any(name.kind in ("word", "text") and name.parts[0] in OF_THE_TEXT for name in part.numbers)
    return list_bytes(len(run.vocabulary)) if named else 0


def read_text_numbers(run: RunFolder, cache: LruCache, step: int) -> dict[str, float] | None:
    """Return how many nearest words at a step each frequent word shares with its lists, as `beside WORD` and
    `alike WORD`; the averages as `beside` and `alike`; and the value by chance as `by_chance`.

    None: the run has no text here, or too many words. `cache` keeps the lists of its text, which never
    change.
    """
    tokens = run.vocabulary.tokens
    if len(tokens) * run.recipe.model.dim > MAX_NUMBERS:
        return None

    def make() -> WordLists | None:
        return list_words(run.token_ids, tokens)

    try:
        lists = cache.get_or_make((str(run.path), run.created, "lists of words"), make)
    except FileNotFoundError:
        return None
    if lists is None:
        return None
    with MatrixHistory(run) as history:
        vectors = history.snapshot(step).vectors
    if not np.isfinite(vectors).all():
        return None
    nearest, _ = nearest_rows(vectors, lists.rows, LISTED)
    found = {"by_chance": LISTED * LISTED / (len(tokens) - 1)}
    for name, listed in (("beside", lists.beside), ("alike", lists.alike)):
        shared = (nearest[:, :, None] == listed[:, None, :]).any(axis=2).sum(axis=1)
        found[name] = float(shared.mean())
        found |= {
            f"{name} {tokens[row]}": float(count)
            for row, count in zip(lists.rows.tolist(), shared.tolist(), strict=True)
        }
    return found
