"""Names of districts. The model makes the groups; we name them.

If most members belong to one planted class, a district takes the name of that class, which the model never sees; on
Lamptown nearly all do. Otherwise the name lists its most central and frequent tokens, scored by the cosine with the
district's mean direction times the logarithm of the count, if counts are known. A name is kept as long as it fits, so
that a district that gains or loses some tokens keeps its name.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter.wire.token_text import read_tokens
from lamplighter.wire.vocabulary import Vocabulary

WORDS = 3
"""Number of tokens in a name."""
_MIN_SHARE_TO_NAME, _MIN_SHARE_TO_KEEP = 0.6, 0.5
"""Share of a district's tokens that must belong to a class to take its name, and to keep it."""
_RENAME_RATIO = 2.0
"""Change of size since it was named, as a ratio, from which a district gets a new name."""
_MAX_TOKEN_CHARACTERS = 32
"""Maximum characters of one token in a name."""


@dataclass(frozen=True)
class _Name:
    text: str
    size: int
    """Number of members when it was named."""
    class_index: int = -1
    """The class that gave the name; -1 for none."""
    token_ids: tuple[int, ...] = ()
    """The tokens in the name; empty for a name from an earlier process."""


class DistrictNamer:
    """Names of districts, kept as long as they fit."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._classes = list(vocabulary.classes)
        self._class_of = vocabulary.class_of()
        counts = np.maximum(vocabulary.counts, 0) if vocabulary.counts_known else np.ones(len(vocabulary))
        self._weight = np.log1p(counts).astype(np.float32)
        self._words = words = [_word(text) for text in read_tokens(vocabulary.tokens)]
        # Punctuation and single letters name a district only if it has no other tokens.
        self._weight[[len(word) < 2 or not any(c.isalpha() for c in word) for word in words]] *= 1e-3
        self._names: dict[int, _Name] = {}

    @property
    def names(self) -> dict[int, str]:
        return {known: name.text for known, name in self._names.items()}

    def restore(self, district: int, text: str, size: int) -> None:
        planted = self._classes.index(text) if text in self._classes else -1
        self._names[district] = _Name(text, size, planted)

    def assign_names(
        self, members: dict[int, NDArray[np.int64]], units: NDArray[np.float32]
    ) -> dict[int, str]:
        """Name the districts by their members' ids, ascending. `units`: shape (V, D), rows of length one."""
        self._names = {known: name for known, name in self._names.items() if known in members}
        used_names: set[str] = set()
        # Districts that keep their name come first, so that no new one takes it.
        unnamed: list[int] = []
        for known, some in members.items():
            name = self._names.get(known)
            if name is not None and name.text not in used_names and self._fits(name, some):
                used_names.add(name.text)
            else:
                unnamed.append(known)
        for known in sorted(unnamed, key=lambda known: -len(members[known])):
            self._names[known] = self._compose_name(members[known], units, used_names)
            used_names.add(self._names[known].text)
        return {known: self._names[known].text for known in members}

    def _fits(self, name: _Name, members: NDArray[np.int64]) -> bool:
        planted, share = self._majority_class(members)
        if name.class_index >= 0:
            return planted == name.class_index and share >= _MIN_SHARE_TO_KEEP
        if planted >= 0 and share >= _MIN_SHARE_TO_NAME and self._classes[planted] not in name.text:
            return False
        grown = max(len(members), name.size) > _RENAME_RATIO * min(len(members), name.size)
        return not grown and bool(np.isin(name.token_ids, members).all())

    def _compose_name(
        self, members: NDArray[np.int64], units: NDArray[np.float32], used_names: set[str]
    ) -> _Name:
        centre = units[members].sum(axis=0)
        centre /= max(float(np.linalg.norm(centre)), 1e-12)
        score = (units[members] @ centre) * self._weight[members]
        central = members[np.argsort(-score, kind="stable")][:WORDS]
        words = [self._words[token] for token in central]
        planted, share = self._majority_class(members)
        if planted >= 0 and share >= _MIN_SHARE_TO_NAME:
            name = self._classes[planted]
            if name not in used_names:
                return _Name(name, len(members), planted)
            return _Name(f"{name}: {words[0]}", len(members), -1, tuple(central[:1].tolist()))
        return _Name(" · ".join(words), len(members), -1, tuple(central.tolist()))

    def _majority_class(self, members: NDArray[np.int64]) -> tuple[int, float]:
        """Return the class that most members belong to, and its share; -1 if most belong to none."""
        counts = np.bincount(self._class_of[members] + 1, minlength=len(self._classes) + 1)
        planted = int(counts[1:].argmax()) if len(counts) > 1 else -1
        return planted, float(counts[planted + 1]) / max(1, len(members)) if planted >= 0 else 0.0


def _word(token: str) -> str:
    return " ".join(token.split())[:_MAX_TOKEN_CHARACTERS]
