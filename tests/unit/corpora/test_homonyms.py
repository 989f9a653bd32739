"""The homonyms of Lamptown, each with the words of its two topics."""

from __future__ import annotations

from lamplighter.corpora.homonyms import list_homonyms
from lamplighter.corpora.lexicon_parser import read_lexicon


def test_a_homonym_has_words_of_either_topic_and_none_of_both() -> None:
    found = {one.word: one for one in list_homonyms()}
    assert found.keys() == read_lexicon().homonyms.keys()
    for one in found.values():
        first, second = one.words
        assert min(len(first), len(second)) >= 10
        assert not first & second
        # It is itself in the sentences of both.
        assert one.word not in first | second
    spring = found["spring"]
    assert spring.topics == ("weather", "vehicles")
    assert "rain" in spring.words[0]
    assert {"car", "truck"} & spring.words[1]
