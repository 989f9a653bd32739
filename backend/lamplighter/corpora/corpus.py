"""What every corpus becomes: one stream of token ids, and the vocabulary it is written in."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


class CorpusError(ValueError):
    """A text that cannot be learned from; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class Relation:
    """A planted relation: pairs of token ids that stand to one another alike (country, capital)."""

    name: str
    pairs: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Vocabulary:
    """The tokens by id, how often each occurs in the corpus, and what is known to be true of them."""

    tokens: tuple[str, ...]
    counts: NDArray[np.int64]
    """Shape (V,)."""
    classes: dict[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    """Planted classes: name to token ids. A token is in at most one; empty for real text."""
    relations: tuple[Relation, ...] = ()

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass(frozen=True)
class Corpus:
    """A text as numbers."""

    token_ids: NDArray[np.uint32]
    """Shape (N,): documents one after another, in an order that keeps topics apart."""
    vocabulary: Vocabulary
    tokeniser: str
    """The tokeniser as JSON, in the format of the `tokenizers` library."""
