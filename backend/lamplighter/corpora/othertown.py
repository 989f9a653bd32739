"""The other town: the same text, with the jobs of all classed words permuted.

Words are permuted within blocks of similar frequency, so that each row is read about as often as before, but in the
contexts of another word. Planted classes move along, so the truth of the other text is known too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.wire.vocabulary import Vocabulary

BLOCK = 40
"""Size of the permuted blocks, consecutive words in order of frequency."""


def deal_jobs(vocabulary: Vocabulary, seed: int, block: int = BLOCK) -> NDArray[np.int64]:
    """Return the token that does each token's job in the other text, shape (V,): a permutation of the ids.
    Only classed tokens change jobs; without classes all do except id 0, which stands for unknown words.
    `block`: size of the blocks of similar frequency.
    """
    class_of = vocabulary.class_of()
    moving = np.flatnonzero(class_of >= 0) if (class_of >= 0).any() else np.arange(1, len(vocabulary))
    by_count = moving[np.argsort(-vocabulary.counts[moving], kind="stable")]
    random = np.random.default_rng(seed)
    jobs = np.arange(len(vocabulary))
    for start in range(0, len(by_count), block):
        words = by_count[start : start + block]
        jobs[words] = random.permutation(words)
    return jobs


def redealt_classes(class_of: NDArray[np.int32], jobs: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the class of each token in the other text, shape (V,): that of the token whose job it does."""
    classes = np.empty_like(class_of)
    classes[jobs] = class_of
    return classes
