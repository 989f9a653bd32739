"""The words of the texts that parts of the course are about."""

from __future__ import annotations

from functools import cache

from lamplighter.corpora.build import build_corpus
from lamplighter.corpora.lexicon_parser import read_lexicon
from lamplighter.lessons.part import LessonCorpus
from lamplighter.recipe import CorpusRecipe

CORPUS_NAMES: dict[LessonCorpus, str] = {"lamptown": "Lamptown", "novels": "the text of the novels"}
"""Their names in messages."""


@cache
def words_of(corpus: LessonCorpus) -> frozenset[str]:
    """Return the words that a run on a text of the course knows. Those of the novels take a second to count."""
    if corpus == "lamptown":
        return read_lexicon().words()
    return frozenset(build_corpus(CorpusRecipe(kind=corpus), 0).vocabulary.tokens)
