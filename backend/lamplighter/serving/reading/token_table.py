"""A searchable table of tokens by id, with their classes, and the ids of tokens in requests (`token_ids=3,17,99`)."""

from __future__ import annotations

import json
import re
from itertools import repeat
from typing import Annotated, Any

import numpy as np
from fastapi import Query
from numpy.typing import NDArray

from lamplighter.contract.sentences import say
from lamplighter.serving.schemas.vectors import Token
from lamplighter.web.http.problems import FieldError, RefusedError
from lamplighter.wire.token_text import read_tokens, spellings
from lamplighter.wire.vocabulary import Vocabulary

_WORD = re.compile(r"[^\W\d_][\w'\u2019-]+")


class TokenTable:
    """The tokens of one run. Immutable, so threads can share it."""

    def __init__(self, vocabulary: Vocabulary, landmarks: NDArray[np.int64] | None = None) -> None:
        """Index a vocabulary. `landmarks`: the tokens that the map lays out; None for all."""
        self._tokens = vocabulary.tokens
        self._texts = read_tokens(vocabulary.tokens)
        self._counts = vocabulary.counts
        self._counts_known = vocabulary.counts_known
        self._names = tuple(vocabulary.classes)
        self._class_of = vocabulary.class_of()
        self.characters = sum(map(len, self._tokens)) + sum(map(len, self._texts))
        """Total characters of all tokens and their texts."""
        self.longest = max(map(len, (*self._tokens, *self._texts)), default=0)
        """Characters of the longest token or text."""
        self._is_placed = np.full(len(vocabulary), landmarks is not None)
        if landmarks is not None:
            self._is_placed[landmarks] = False
        self._folded = [token.casefold() for token in self._tokens]
        self._folded_texts = [text.casefold() for text in self._texts]

    def __len__(self) -> int:
        return len(self._tokens)

    def token(self, token_id: int) -> Token:
        """Return one token. `token_id` must be below the table's length."""
        return Token(
            token_id=token_id,
            token=self._tokens[token_id],
            text=self._texts[token_id],
            count=int(self._counts[token_id]) if self._counts_known else None,
            class_=self.class_name(token_id),
            placed=True if self._is_placed[token_id] else None,
        )

    def text(self, token_id: int) -> str:
        return self._tokens[token_id]

    def words(self) -> NDArray[np.bool_]:
        """Return which tokens are whole words of at least two letters, not signs or word continuations. Shape (V,)."""
        return np.array([_WORD.fullmatch(text) is not None for text in self._texts], dtype=np.bool_)

    def class_name(self, token_id: int) -> str | None:
        index = int(self._class_of[token_id])
        return None if index < 0 else self._names[index]

    def find_token(self, text: str) -> int | None:
        """Return the id of the most frequent token with a text, in the tokeniser's form or as displayed, in any case if
        none has it in this one; None if there is none."""
        for one in spellings(text) if text else ():
            found = next(iter(self._rank(one)), None)
            if found is not None and one.casefold() in (self._folded[found], self._folded_texts[found]):
                return found
        return None

    def encode_list(self, limit: int, offset: int) -> bytes:
        """Return the `TokenList` of all tokens by id as JSON; at most `limit`, from `offset`.

        A page waits for this list before it draws its first map, and 50,000 models take twice as long.
        """
        some = slice(offset, offset + limit)
        counts = self._counts[some].tolist() if self._counts_known else repeat(None)
        columns = zip(
            self._tokens[some], self._texts[some], counts, self._class_of[some].tolist(), strict=False
        )
        items: list[dict[str, Any]] = [
            {
                "token_id": token_id,
                "token": token,
                "text": text,
                "count": count,
                "class": None if place < 0 else self._names[place],
            }
            for token_id, (token, text, count, place) in enumerate(columns, start=offset)
        ]
        for at in np.flatnonzero(self._is_placed[some]).tolist():
            items[at]["placed"] = True
        return json.dumps({"items": items}, ensure_ascii=False, separators=(",", ":")).encode()

    def search(self, text: str, limit: int, offset: int) -> list[Token]:
        """Return the tokens that match a text, case-folded, in a tokeniser's form or as displayed: exact matches
        first, then prefixes, then substrings, each by frequency. At most `limit`, from `offset`."""
        ranked = next(filter(None, map(self._rank, spellings(text))), [])
        return [self.token(token_id) for token_id in ranked[offset : offset + limit]]

    def _rank(self, text: str) -> list[int]:
        """Return the ids of the tokens that match a text in one spelling, the best first."""
        wanted = text.casefold()
        ranked = sorted(
            (
                0
                if text in (self._tokens[i], self._texts[i])
                else 1
                if wanted in forms
                else 2
                if any(form.startswith(wanted) for form in forms)
                else 3,
                -int(self._counts[i]),
                i,
            )
            for i, forms in enumerate(zip(self._folded, self._folded_texts, strict=True))
            if wanted in forms[0] or wanted in forms[1]
        )
        return [token_id for _, _, token_id in ranked]


MAX_TOKEN_IDS = 4_000
"""The maximum number of ids in one request; a client that needs more requests all."""

ID_LIST = r"[0-9]{1,7}(,[0-9]{1,7})*"

TokenIds = Annotated[
    str | None,
    Query(
        max_length=MAX_TOKEN_IDS * 8,
        description=f"At most {MAX_TOKEN_IDS:,} ids separated by commas, each once; by default, all tokens.",
        json_schema_extra={"pattern": f"^{ID_LIST}$"},
    ),
]


def require_token(table: TokenTable, token_id: int) -> None:
    """Refuse (404) the id of no token."""
    if not 0 <= token_id < len(table):
        raise RefusedError(404, say("no_such_token", token=str(token_id)[:20], tokens=len(table)))


def parse_token_ids(table: TokenTable, text: str | None) -> NDArray[np.int64] | None:
    """Parse the parameter `token_ids`, as `parse_id_list` does; None if `text` is None."""
    return None if text is None else parse_id_list(table, text, "token_ids", MAX_TOKEN_IDS)


def parse_id_list(table: TokenTable, text: str, field: str, most: int) -> NDArray[np.int64]:
    """Parse a list of at most so many ids, shape (N,), keeping its order. `field`: the name of the parameter.

    Raises RefusedError: the text is not a list of ids, has too many, or names one twice (422), or there is no
    such token (404).
    """
    if not re.fullmatch(ID_LIST, text):
        raise _wrong(field, f"this is a list of token ids separated by commas, as in {field}=3,17,99")
    ids = [int(part) for part in text.split(",")]
    if len(ids) > most:
        raise _wrong(field, f"at most {most:,} tokens can be named at once")
    if len(set(ids)) < len(ids):
        twice = next(one for index, one in enumerate(ids) if one in ids[:index])
        raise _wrong(field, f"token {twice} is named twice: name each once")
    for token_id in ids:
        require_token(table, token_id)
    return np.array(ids, dtype=np.int64)


def _wrong(field: str, message: str) -> RefusedError:
    return RefusedError(422, f"{field}: {message}", [FieldError(field=field, message=message)])
