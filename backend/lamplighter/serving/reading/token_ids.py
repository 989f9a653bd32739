"""Parsing of token ids in requests: `token_ids=3,17,99`."""

from __future__ import annotations

import re
from typing import Annotated

import numpy as np
from fastapi import Query
from numpy.typing import NDArray

from lamplighter.contract.sentences import say
from lamplighter.serving.reading.token_table import TokenTable
from lamplighter.web.http.problems import FieldError, RefusedError

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
