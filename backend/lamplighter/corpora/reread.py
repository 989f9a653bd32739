"""The corpus of a fork that reads another text than its parent, with the parent's tokeniser and ids."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.recipe import CorpusRecipe
from lamplighter.wire.vocabulary import Relation, Vocabulary

from .build import CorpusProgress, ground_truth, read_documents, shuffle_documents
from .corpus import Corpus, CorpusError
from .held_out import TOWN_HELD_OUT_TOKENS
from .othertown import deal_jobs
from .tokenisers import TokeniserError, add_words, encode_documents, restore_tokeniser


def reread_corpus(
    recipe: CorpusRecipe, seed: int, text: str | None, before: Corpus, progress: CorpusProgress | None = None
) -> Corpus:
    """Build the corpus of a fork. Its ids are the parent's, planted words come after them, and words that the
    parent does not know become id 0.

    The parent's classes and relations stay, so that its order can be measured while it reads something else.
    It raises CorpusError for an unusable text or tokeniser.
    """

    def tell(share: float, what: str) -> None:
        if progress is not None:
            progress(share, what)

    if recipe.other_town:
        return _move_town(before, seed)
    documents, unread, town = read_documents(recipe, seed, text, tell)
    vocabulary, tokeniser = before.vocabulary, before.tokeniser
    try:
        restored = restore_tokeniser(tokeniser, len(vocabulary))
        known = set(restored.words)
        added = [word for row in recipe.planted for word in row.split() if word not in known]
        if added:
            restored = add_words(restored, added)
            tokeniser = restored.tokeniser.to_str()
    except TokeniserError as error:
        raise CorpusError(f"the parent's text cannot be read on: {error}") from error
    ids, lengths = encode_documents(
        restored, documents, lambda share: tell(0.5 + 0.5 * share, "splitting the text into tokens")
    )
    held_out, held_out_lengths = encode_documents(restored, unread)
    if recipe.shuffle_words:
        ids = shuffle_documents(ids, lengths, seed)
        held_out = shuffle_documents(held_out, held_out_lengths, seed)
    tokens = (*vocabulary.tokens, *added)
    counts = np.bincount(ids, minlength=len(tokens)).astype(np.int64)
    if town is not None:
        held_out = held_out[:TOWN_HELD_OUT_TOKENS]
    if town is not None and added:
        classes, relations, families = ground_truth(town, tokens, counts, "")
        vocabulary = Vocabulary(tokens, counts, classes, relations, families)
    else:
        vocabulary = replace(vocabulary, tokens=tokens, counts=counts)
    tell(1.0, "done")
    return Corpus(ids, vocabulary, tokeniser, held_out if len(held_out) else None)


def _move_town(corpus: Corpus, seed: int) -> Corpus:
    """Return the same text with the jobs of the words permuted, and the truth about it."""
    vocabulary = corpus.vocabulary
    jobs = deal_jobs(vocabulary, seed)

    def move(ids: NDArray[np.uint32]) -> NDArray[np.uint32]:
        return jobs[ids].astype(np.uint32)

    moved = replace(
        vocabulary,
        counts=np.bincount(move(corpus.token_ids), minlength=len(vocabulary)).astype(np.int64),
        classes={name: tuple(sorted(jobs[list(ids)].tolist())) for name, ids in vocabulary.classes.items()},
        relations=tuple(
            Relation(relation.name, tuple((int(jobs[a]), int(jobs[b])) for a, b in relation.pairs))
            for relation in vocabulary.relations
        ),
    )
    held_out = None if corpus.held_out is None else move(corpus.held_out)
    return Corpus(move(corpus.token_ids), moved, corpus.tokeniser, held_out)
