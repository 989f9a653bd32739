"""The common form of every corpus: one stream of token ids, and its vocabulary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter.wire.vocabulary import Vocabulary


class CorpusError(ValueError):
    """A text that cannot be learned from; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class Corpus:
    """A text as token ids."""

    token_ids: NDArray[np.uint32]
    """Shape (N,): documents one after another, in an order that keeps topics apart."""
    vocabulary: Vocabulary
    tokeniser: str
    """The tokeniser as JSON, in the format of the `tokenizers` library."""
    held_out: NDArray[np.uint32] | None = None
    """Shape (M,): text of the same kind that training never reads; None where none is held out."""
