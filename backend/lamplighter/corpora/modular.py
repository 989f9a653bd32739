"""Sums on a clock: a + b modulo p, each as five tokens, such as "50 + 20 = 11" for p = 59.

Training reads a part of all p x p sums, in random order. The others are held out, so a right answer to one of them
is not memory.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.recipe import SUM_TOKENS, CorpusRecipe
from lamplighter.wire.vocabulary import Vocabulary

from .corpus import Corpus
from .tokenisers import UNKNOWN, make_word_tokeniser

FIRST_NUMBER = 1
"""The id of the number 0; that of n is n more."""
_OTHER_TOKENS = 3
"""Tokens that are no numbers: `<unk>`, "+" and "="."""


def number_ids(recipe: CorpusRecipe, vocabulary: int) -> NDArray[np.int64] | None:
    """Return the token ids of the numbers in their order, shape (p,); None for a corpus of another kind. The
    recipe of an imported run may not fit the `vocabulary`: None, too.
    """
    p = recipe.modulus
    return None if p is None or vocabulary != p + _OTHER_TOKENS else FIRST_NUMBER + np.arange(p)


def build_sums(recipe: CorpusRecipe, seed: int) -> Corpus:
    """Build the sums of a recipe of the kind `modular`; the seed decides which are read, and in which order."""
    assert recipe.modulus is not None
    assert recipe.train_share is not None
    p = recipe.modulus
    words = [*map(str, range(p)), "+", "="]
    plus, equals = p + FIRST_NUMBER, p + FIRST_NUMBER + 1
    order = np.random.default_rng([seed, p]).permutation(p * p)
    a, b = order // p, order % p
    sums = np.empty((p * p, SUM_TOKENS), dtype=np.uint32)
    for place, ids in enumerate(
        (a + FIRST_NUMBER, plus, b + FIRST_NUMBER, equals, (a + b) % p + FIRST_NUMBER)
    ):
        sums[:, place] = ids
    read, held_out = np.split(sums, [round(recipe.train_share * p * p)])
    counts = np.bincount(read.reshape(-1), minlength=len(words) + 1).astype(np.int64)
    vocabulary = Vocabulary((UNKNOWN, *words), counts)
    return Corpus(read.reshape(-1), vocabulary, make_word_tokeniser(words).to_str(), held_out.reshape(-1))
