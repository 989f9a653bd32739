"""A searchable table of tokens by id, with their classes."""

from __future__ import annotations

from lamplighter.serving.schemas.tokens import Token
from lamplighter.wire.vocabulary import Vocabulary


class TokenTable:
    """The tokens of one run. Immutable, so threads can share it."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Index a vocabulary."""
        self._tokens = vocabulary.tokens
        self._counts = vocabulary.counts
        self._names = tuple(vocabulary.classes)
        self._class_of = vocabulary.class_of()
        self.characters = sum(map(len, self._tokens))
        """Characters of all tokens together."""
        self.longest = max(map(len, self._tokens), default=0)
        """Characters of the longest token."""
        self._folded = [token.casefold() for token in vocabulary.tokens]

    def __len__(self) -> int:
        return len(self._tokens)

    def token(self, token_id: int) -> Token:
        """Return one token. `token_id` must be below the table's length."""
        return Token(
            token_id=token_id,
            token=self._tokens[token_id],
            count=int(self._counts[token_id]),
            class_=self.class_name(token_id),
        )

    def text(self, token_id: int) -> str:
        """Return the text of a token."""
        return self._tokens[token_id]

    def class_name(self, token_id: int) -> str | None:
        """Return the planted class of a token, or None."""
        index = int(self._class_of[token_id])
        return None if index < 0 else self._names[index]

    def search(self, text: str | None, limit: int, offset: int) -> list[Token]:
        """Return the tokens that match, case-folded: exact matches first, then prefixes, then substrings,
        each by frequency. Without a text, return all by id. At most `limit`, from `offset` on."""
        if not text:
            return [self.token(i) for i in range(offset, min(len(self), offset + limit))]
        wanted = text.casefold()
        ranked = sorted(
            (
                0
                if self._tokens[i] == text
                else 1
                if folded == wanted
                else 2
                if folded.startswith(wanted)
                else 3,
                -int(self._counts[i]),
                i,
            )
            for i, folded in enumerate(self._folded)
            if wanted in folded
        )
        return [self.token(i) for _, _, i in ranked[offset : offset + limit]]
