"""The questions that the board asks of a run's model, and the example words and sentences in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lamplighter.claims.evidence import Evidence
from lamplighter.contract.questions import WHOLE_SOFTMAX, Question, QuestionError, parse_question
from lamplighter.corpora.kindred import KINDRED
from lamplighter.wire.vocabulary import Vocabulary

_SENTENCES = ("the dog barked in the basket", "the cat and the dog each wear a collar")
_OPPOSITES = "opposites"
_WORDS = 6
"""Words that make up two sentences in another text."""
_LOOKED_THROUGH = 1_000
"""Maximum frequent tokens searched for them."""


def choose_words(vocabulary: Vocabulary) -> tuple[str | None, str | None]:
    """Return a well-known word and a related one, or else the two most frequent of the largest class."""
    known = set(vocabulary.tokens)
    for one, other in KINDRED:
        if one in known and other in known:
            return one, other
    largest = max(vocabulary.classes.values(), key=len, default=())
    ids = sorted(largest, key=lambda token: -int(vocabulary.counts[token]))
    words = [vocabulary.tokens[token] for token in ids[:2]]
    return (words[0] if words else None, words[1] if len(words) > 1 else None)


def choose_opposites(vocabulary: Vocabulary) -> tuple[str, str] | None:
    """Return two words of opposite meaning; None if none are planted."""
    for relation in vocabulary.relations:
        if relation.name == _OPPOSITES and relation.pairs:
            one, other = relation.pairs[0]
            return vocabulary.tokens[one], vocabulary.tokens[other]
    return None


def choose_sentences(vocabulary: Vocabulary) -> tuple[str, str] | None:
    """Return two sentences that share two words; None if there are too few words. For another text they are
    just its most frequent words in a row, because a class may see them even if the text is withheld.
    """
    known = set(vocabulary.tokens)
    if all(word in known for text in _SENTENCES for word in text.split()):
        return _SENTENCES
    by_count = np.argsort(-vocabulary.counts, kind="stable")[:_LOOKED_THROUGH]
    # Skip punctuation and word pieces: a sentence is tokenised as if a person had typed it.
    words = [vocabulary.tokens[token] for token in by_count if vocabulary.tokens[token].isalpha()][:_WORDS]
    if len(words) < _WORDS:
        return None
    one, two, three, four, five, six = words
    return f"{one} {three} {two} {five}", f"{four} {three} {six} {five}"


BY_BUTTON: tuple[str, ...] = ("devices",)
"""Kinds that start further processes: only a person starts these, with a button."""
_TRANSPLANTED_SHARE = 10
"""The transplanted matrix is this many times older than the step."""
_FOREIGN_STEPS, _BACK_STEPS = 600, 100
"""Steps on the other town, and back, as on the page: about fifteen core-seconds."""


def parse_known(fields: Mapping[str, Any]) -> Question | None:
    """Return the question in its fields; None if this version does not know it, or it is invalid."""
    try:
        return parse_question(dict(fields))
    except QuestionError:
        return None


def list_questions(evidence: Evidence, *, by_button: bool = False) -> list[Question]:
    """Return the questions of the board, cheap ones first; `by_button`: also those only a person starts."""
    if evidence.recorded_elsewhere or evidence.examined_step < 1:
        return []
    questions = questions_about(evidence.examined_step, evidence.sentences)
    without = WHOLE_SOFTMAX if evidence.sampled else frozenset[str]()
    return [one for one in questions if one.kind not in without and (by_button or one.kind not in BY_BUTTON)]


def questions_about(step: int, sentences: tuple[str, str] | None) -> list[Question]:
    """Return all questions of the board about a step, from 1 on, in the order they are asked."""
    asked: list[dict[str, Any]] = [{"kind": "microscope"}]
    if sentences is not None:
        one, other = sentences
        asked += [
            {"kind": "probe", "sentence": one, "other_sentence": other, "other_step": 0},
            {"kind": "transplant", "prompt": one, "source_step": earlier_step(step)},
        ]
    asked += [
        {"kind": "batch_sizes"},
        {"kind": "substitution"},
        {"kind": "better"},
        {"kind": "bench"},
        {"kind": "environment", "steps": _FOREIGN_STEPS, "back": _BACK_STEPS},
        {"kind": "devices"},
    ]
    known = (parse_known({**fields, "step": step}) for fields in asked)
    return [question for question in known if question is not None]


def find_own_question(fields: object, sentences: tuple[str, str] | None) -> Question | None:
    """Return the question in stored fields if the board asks it about some step; None otherwise."""
    question = parse_known(fields) if isinstance(fields, dict) else None  # pyright: ignore[reportUnknownArgumentType]
    if question is None or question.step < 1:
        return None
    return question if question in questions_about(question.step, sentences) else None


def rotation_question(evidence: Evidence) -> dict[str, Any] | None:
    """Return the fields of the rotation question, which the board never waits for, if it can be asked."""
    question = {"kind": "rotation", "step": evidence.examined_step}
    return None if evidence.recorded_elsewhere or parse_known(question) is None else question


def earlier_step(step: int) -> int:
    return step // _TRANSPLANTED_SHARE
