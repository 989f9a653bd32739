"""The common form of all corpora: one stream of token ids, and its vocabulary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.reason import Reason
from lamplighter.wire.vocabulary import Vocabulary


class CorpusError(ValueError):
    """An error for an unusable text; the message says what is wrong and how to fix it."""

    def __init__(self, message: str, reason: Reason | None = None) -> None:
        """Set the message, and its reason as a code where a person may meet it on the page."""
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Corpus:
    """A text as token ids."""

    token_ids: NDArray[np.uint32]
    """Shape (N,): documents one after another, in an order that keeps topics apart."""
    vocabulary: Vocabulary
    tokeniser: str
    """The tokeniser as JSON, in the format of the `tokenizers` library."""
    held_out: NDArray[np.uint32] | None = None
    """Shape (M,): held-out text of the same kind; None if none is held out."""
