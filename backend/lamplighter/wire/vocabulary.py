"""The vocabulary of a run, and its JSON form.

Both `corpora`, which builds vocabularies, and `runfolder`, which stores them, depend on this module. Token text comes
from the corpus and is untrusted: show it as plain text only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_NAMES_BYTES = 190_000
"""Maximum bytes of the names of all classes and relations as JSON: every viewer gets them with its first message, of at
most 256 KB."""
_ENTRY_BYTES = 32
"""Bytes besides the name for each class or relation in a list with sizes."""


class VocabularyError(ValueError):
    """An error for JSON that does not describe a vocabulary."""


@dataclass(frozen=True)
class Relation:
    """A planted relation: pairs of token ids related in the same way, such as (country, capital)."""

    name: str
    pairs: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Vocabulary:
    """The tokens by id, their counts in the corpus, and their planted classes and relations."""

    tokens: tuple[str, ...]
    counts: NDArray[np.int64]
    """Shape (V,); all 0 if they are unknown."""
    classes: dict[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    """Planted classes: name to token ids. A token is in at most one class; empty for real text."""
    relations: tuple[Relation, ...] = ()
    families: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Families of classes: name to names of classes. A class is in at most one; empty if none were planted."""

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def counts_known(self) -> bool:
        """Return whether the counts are known: not all are 0."""
        return bool((self.counts > 0).any())

    def class_of(self) -> NDArray[np.int32]:
        """Return the class of each token as an index into `classes`, -1 for none; shape (V,)."""
        class_indices = np.full(len(self), -1, dtype=np.int32)
        for index, members in enumerate(self.classes.values()):
            class_indices[list(members)] = index
        return class_indices

    def family_of(self) -> dict[str, str]:
        return {member: name for name, members in self.families.items() for member in members}

    def bytes_of_names(self) -> int:
        """Return the bytes, as JSON, of the lists of classes (with sizes and families) and relations (with sizes)."""
        names = [*self.classes, *(relation.name for relation in self.relations)]
        names += [name for name, members in self.families.items() for _ in members]
        return sum(_ENTRY_BYTES + len(json.dumps(name, ensure_ascii=False).encode()) for name in names)

    def to_json(self) -> str:
        """Return the vocabulary as a JSON object with `tokens`, `counts`, `classes`, `relations` and, if it has any,
        `families`."""
        families = {"families": self.families} if self.families else {}
        return json.dumps(
            {
                "tokens": self.tokens,
                "counts": self.counts.tolist(),
                "classes": self.classes,
                "relations": [{"name": r.name, "pairs": r.pairs} for r in self.relations],
                **families,
            },
            ensure_ascii=False,
        )

    @staticmethod
    def from_json(text: str) -> Vocabulary:
        """Parse the output of `to_json`. Raises VocabularyError if the text is not a vocabulary, or an id in
        it is out of range.
        """
        try:
            data: dict[str, Any] = json.loads(text)
            tokens = tuple(str(token) for token in data["tokens"])
            counts = np.array(data["counts"], dtype=np.int64)
            classes = {str(k): tuple(int(i) for i in v) for k, v in data["classes"].items()}
            relations = tuple(
                Relation(str(r["name"]), tuple((int(a), int(b)) for a, b in r["pairs"]))
                for r in data["relations"]
            )
            families = {str(k): tuple(str(name) for name in v) for k, v in data.get("families", {}).items()}
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            raise VocabularyError(f"not a vocabulary: {error}") from error
        ids = [i for members in classes.values() for i in members]
        ids += [i for r in relations for pair in r.pairs for i in pair]
        if counts.shape != (len(tokens),) or any(not 0 <= i < len(tokens) for i in ids):
            raise VocabularyError("not a vocabulary: counts or ids do not fit its tokens")
        members = [name for names in families.values() for name in names]
        if len(set(members)) != len(members) or not classes.keys() >= set(members):
            raise VocabularyError("not a vocabulary: a class in a family is none of its own, or is in two")
        return Vocabulary(tokens, counts, classes, relations, families)
