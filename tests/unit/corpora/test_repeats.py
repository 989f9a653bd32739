"""Words that come again: which of them can be known, and from where."""

from __future__ import annotations

from collections import Counter

from lamplighter.contract.recipe import CorpusRecipe
from lamplighter.corpora.build import build_corpus
from lamplighter.corpora.lexicon_parser import read_lexicon
from lamplighter.corpora.repeats import PASSAGE_WORDS, write_passages

COUNT = 400


def test_only_the_word_before_tells_the_next_one() -> None:
    """The follower of the last same word is right more often than the word at any fixed distance, or the one that rested longest."""
    right: Counter[str] = Counter()
    total = 0
    for passage in write_passages(0, COUNT):
        words = passage.split(" ")
        assert len(words) == PASSAGE_WORDS
        for at in range(16, len(words)):
            total += 1
            before = words[:at]
            matches = [place for place in range(at - 1) if before[place] == before[-1]]
            right["induction"] += bool(matches) and before[matches[-1] + 1] == words[at]
            for back in range(2, 17):
                right[f"{back} back"] += before[-back] == words[at]
            last_seen = {word: place for place, word in enumerate(before)}
            right["longest ago"] += min(last_seen, key=last_seen.__getitem__) == words[at]
    [(best, hits), (_, second)] = right.most_common(2)
    assert best == "induction"
    assert hits > 0.7 * total
    assert second < 0.25 * total


def test_the_passages_held_out_are_others() -> None:
    corpus = build_corpus(CorpusRecipe(kind="repeats"), 3)
    assert corpus.held_out is not None
    assert len(corpus.token_ids) % PASSAGE_WORDS == 0
    assert 0 not in corpus.token_ids
    first = [corpus.vocabulary.tokens[token] for token in corpus.token_ids[:PASSAGE_WORDS]]
    assert [" ".join(first)] == write_passages(3, 1)
    # The passages held out are others.
    passages = {tuple(one) for one in corpus.token_ids.reshape(-1, PASSAGE_WORDS).tolist()}
    unread = {tuple(one) for one in corpus.held_out.reshape(-1, PASSAGE_WORDS).tolist()}
    assert not passages & unread
    # A model of the town knows the words.
    known = {word for words in read_lexicon().classes.values() for word in words}
    assert set(corpus.vocabulary.tokens[1:]) <= known
