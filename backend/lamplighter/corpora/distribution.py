"""The distribution of words in a text, by counting: which words occur beside a word, and which in its place.

Two words are *beside* each other if they meet in the text more often than their frequencies explain. They are *alike*
if the same words occur directly before and after them, even if they never meet: one could often replace the other.
Neither depends on a model, so both can be compared with what a model learned from the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    order. At most `MAX_TOKENS` of the text, shape (N,), are read, for at most `MAX_PAIRS`. Shape (P,).
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


MAX_ROWS = 10_000
"""Maximum size of a vocabulary: the table of contexts has `2 * _CONTEXTS` numbers for each word."""
COMMON = 500
"""Number of most frequent words that get lists; a rare word has too few contexts."""
LISTED = 10
"""Words in a list."""
_CONTEXTS = 500
"""Number of most frequent tokens that count as contexts."""
_LEAST = np.float32(1e-9)


def list_bytes(size: int) -> int:
    """Return the maximum memory in bytes that `list_words` takes for a vocabulary of `size` words."""
    return 32 * min(size, MAX_ROWS) * 2 * _CONTEXTS


@dataclass(frozen=True)
class WordLists:
    """The words beside, and the words like, each of the most frequent words."""

    rows: NDArray[np.int64]
    """Token ids of the R most frequent words, in descending order, shape (R,); R is at most `COMMON`."""
    beside: NDArray[np.int64]
    """Shape (R, `LISTED`): the words that meet each most often relative to their frequency, in descending order."""
    alike: NDArray[np.int64]
    """Shape (R, `LISTED`): the words with the most similar contexts, in descending order."""


def list_words(token_ids: NDArray[np.uint32], tokens: tuple[str, ...]) -> WordLists | None:
    """Return the lists of a text's most frequent words; None if it has too many words, or too few. At most
    `MAX_TOKENS` of the text, shape (N,), are read; id 0 stands for unknown tokens. Signs without a letter get
    no list, but may be in others' lists.
    """
    size = len(tokens)
    if not LISTED + 1 < size <= MAX_ROWS:
        return None
    text = token_ids[:MAX_TOKENS].astype(np.int64)
    counts = np.bincount(text, minlength=size)
    order = np.argsort(-counts, kind="stable")
    named = [at for at in order.tolist() if at and counts[at] and any(sign.isalpha() for sign in tokens[at])]
    rows = np.array(named[:COMMON], dtype=np.int64)
    if not len(rows):
        return None
    contexts = _context_table(text, size, order[:_CONTEXTS])
    return WordLists(
        rows, _first(_meetings(text, counts, rows), rows), _first(contexts[rows] @ contexts.T, rows)
    )


def _meetings(
    text: NDArray[np.int64], counts: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the log-likelihood ratios (Dunning 1993) of words meeting `rows` more than by chance, shape (R, V)."""
    size = len(counts)
    place = np.full(size, -1)
    place[rows] = np.arange(len(rows))
    met = np.zeros(len(rows) * size)
    for apart in range(1, WINDOW + 1):
        for here, there in ((text[:-apart], text[apart:]), (text[apart:], text[:-apart])):
            of_row = place[here]
            met += np.bincount((of_row * size + there)[of_row >= 0], minlength=len(met))
    expected = np.outer(counts[rows], counts) * (2 * WINDOW / len(text))
    seen = met.reshape(expected.shape)
    ratio = np.maximum(seen / np.maximum(expected, _LEAST), 1)
    return seen * np.log(ratio) - np.maximum(seen - expected, 0)


def _context_table(text: NDArray[np.int64], size: int, contexts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return unit rows of each word's positive pointwise mutual information with each token of `contexts`,
    separately before and after it. Shape (V, 2 * contexts).
    """
    place = np.full(size, -1)
    place[contexts] = np.arange(len(contexts))
    sides: list[NDArray[np.float32]] = []
    for word, context in ((text[1:], text[:-1]), (text[:-1], text[1:])):
        at = place[context]
        key = (word * len(contexts) + at)[at >= 0]
        sides.append(np.bincount(key, minlength=size * len(contexts)).astype(np.float32).reshape(size, -1))
    table = np.concatenate(sides, axis=1)
    expected = table.sum(axis=1, keepdims=True) * (
        table.sum(axis=0, keepdims=True) / max(1.0, float(table.sum()))
    )
    table /= np.maximum(expected, _LEAST)
    np.log(np.maximum(table, 1, out=table), out=table)
    table /= np.maximum(np.linalg.norm(table, axis=1, keepdims=True), _LEAST)
    return table


def _first(scores: NDArray[np.floating], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the ids of the highest scores of each row, without the word itself and `<unk>`."""
    scores[np.arange(len(rows)), rows] = -np.inf
    scores[:, 0] = -np.inf
    return np.argsort(-scores, axis=1, kind="stable")[:, :LISTED]
