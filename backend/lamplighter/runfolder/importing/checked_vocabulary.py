"""Checks of an imported run's vocabulary.

Every viewer gets the names of its classes, relations and families, and its tokens on request.
"""

from __future__ import annotations

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.importing.untrusted_values import MAX_NAME
from lamplighter.wire.binary import MAX_VOCABULARY
from lamplighter.wire.vocabulary import MAX_NAMES_BYTES, Vocabulary

_MAX_TOKEN = 10_000
_MAX_NAMES = 4_096
"""Maximum classes, maximum relations, and maximum families."""
_MAX_PAIRS = 200_000
"""Maximum total pairs of all relations."""


def check_vocabulary(vocabulary: Vocabulary) -> None:
    """Check a vocabulary. Raises FormatError if it is invalid."""
    if not 0 < len(vocabulary) <= MAX_VOCABULARY or bool((vocabulary.counts < 0).any()):
        raise FormatError("vocabulary.json holds no tokens, too many, or negative counts: refused")
    names = [
        *vocabulary.classes,
        *(relation.name for relation in vocabulary.relations),
        *vocabulary.families,
    ]
    try:
        "".join([*vocabulary.tokens, *names]).encode("utf-8")
    except UnicodeEncodeError as error:
        raise FormatError("vocabulary.json holds text that is not Unicode: refused") from error
    if any(len(token) > _MAX_TOKEN for token in vocabulary.tokens):
        raise FormatError(f"vocabulary.json holds a token of more than {_MAX_TOKEN:,} characters: refused")
    if any(len(name) > MAX_NAME for name in names):
        raise FormatError(
            f"vocabulary.json names a class, relation or family with more than {MAX_NAME} characters: refused"
        )
    too_many = max(len(vocabulary.classes), len(vocabulary.relations), len(vocabulary.families)) > _MAX_NAMES
    if too_many or vocabulary.bytes_of_names() > MAX_NAMES_BYTES:
        raise FormatError("vocabulary.json holds too many classes, relations or families: refused")
    if sum(len(relation.pairs) for relation in vocabulary.relations) > _MAX_PAIRS:
        raise FormatError(f"vocabulary.json relates more than {_MAX_PAIRS:,} pairs of tokens: refused")
    members = [i for ids in vocabulary.classes.values() for i in ids]
    if len(set(members)) != len(members):
        raise FormatError("vocabulary.json has a token in two classes: refused")
