"""Checks of single values and small files from an untrusted run: numbers, texts, JSON, token ids and its vocabulary."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from lamplighter.platform.printable import quote_foreign
from lamplighter.runfolder.errors import FormatError
from lamplighter.wire.binary import MAX_VOCABULARY
from lamplighter.wire.vocabulary import MAX_NAMES_BYTES, Vocabulary

MAX_NAME = 200
"""Maximum characters of the name of a class, relation or layer: every viewer gets it whole."""
_MAX_TEXT = 10_000
_MAX_NUMBER = 1e300


def parse_json(text: str, name: str) -> Any:
    """Parse `text` as JSON. Raises FormatError if it is not."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{name}: not JSON: {quote_foreign(error)}") from error


def parse_request_body(text: Any, name: str) -> dict[str, Any]:
    """Parse `text` as the body of a request: a JSON object of a few numbers, short texts and nulls. Raises
    FormatError if it is not.
    """
    body = parse_json(require_text(text, 1_000), name)
    if not isinstance(body, dict) or len(body) > 20:  # pyright: ignore[reportUnknownArgumentType]
        raise FormatError(f"{name}: a request that is not an object")
    checked: dict[str, Any] = {}
    for key, value in body.items():  # pyright: ignore[reportUnknownVariableType]
        if isinstance(value, int | float):
            require_number(value)
        elif value is not None:
            require_text(value, MAX_NAME)
        checked[require_text(key, MAX_NAME)] = value
    return checked


def require_text(value: Any, limit: int = _MAX_TEXT) -> str:
    """Return `value` if it is a string of at most `limit` characters that can be written as UTF-8. Raises
    FormatError if not.
    """
    if not isinstance(value, str) or len(value) > limit:
        raise FormatError(f"not a text, or one of more than {limit:,} characters")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise FormatError("a text that is not Unicode") from error
    return value


def shorten_text(value: Any, limit: int) -> str:
    """Return a string of at most 10,000 characters, shortened to `limit`. Raises FormatError if it is not
    one.
    """
    text = require_text(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def require_count(value: Any) -> int:
    """Return `value` if it is an unsigned 32-bit integer, as steps, attempts and requests are. Raises
    FormatError if not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 32:
        raise FormatError("an invalid number of steps or attempts")
    return value


def require_number(value: Any) -> float:
    """Return `value` as a float if it is a finite number. Raises FormatError if not."""
    # An integer from JSON may exceed every float; Python compares the two exactly.
    if not isinstance(value, int | float) or not -_MAX_NUMBER <= value <= _MAX_NUMBER:
        raise FormatError("a number that is not finite")
    return float(value)


_MAX_HEADER = 1_000


def check_token_ids(path: Path) -> None:
    """Check that a file is an array of token ids, shape (N,), whose length matches its header. Raises
    FormatError if the file is not such an array, OSError if it cannot be read.
    """
    with path.open("rb") as file:
        try:
            version = np.lib.format.read_magic(file)
            if version != (1, 0):
                raise FormatError(f"{path.name}: an array in an unsupported format")
            shape, _, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=_MAX_HEADER)
        except FormatError:
            raise
        except (ValueError, EOFError, RecursionError, MemoryError) as error:
            raise FormatError(f"{path.name} is not an array: {quote_foreign(error)}") from error
        size = path.stat().st_size - file.tell()
    if dtype != np.dtype("<u4") or len(shape) != 1:
        raise FormatError(f"{path.name}: not token ids of this vocabulary")
    if 4 * int(shape[0]) != size:
        raise FormatError(f"{path.name} is not as long as its header says")


_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.S)
_MAX_CONTAINERS = 500_000
"""Maximum lists and objects in a file; a tokeniser has a list for each of its merges."""


def require_bounded_json(path: Path, tokens: int | None = None) -> None:
    """Check that a file can be parsed as JSON without taking much memory; its vocabulary may have `tokens`
    tokens (None: `MAX_VOCABULARY`). Raises FormatError if it holds too much, OSError if it cannot be read.
    """
    require_bounded_values(path.read_bytes(), path.name, tokens)


def require_bounded_values(text: bytes, name: str, tokens: int | None = None) -> None:
    """Check text as `require_bounded_json` checks a file."""
    outside = _STRING.sub(b"", text)
    # For each token: a text, a count, an entry in a class. For each relation: about as many entries.
    most = 3 * (MAX_VOCABULARY if tokens is None else tokens) + _MAX_CONTAINERS
    if outside.count(b"[") + outside.count(b"{") > _MAX_CONTAINERS or outside.count(b",") > most:
        raise FormatError(f"{name} holds more lists or values than a run needs: refused")


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file. Raises FormatError if the file holds something else, or too much,
    OSError if it cannot be read.
    """
    require_bounded_json(path)
    try:
        value = json.loads(path.read_bytes().decode("utf-8"))
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path.name} is not JSON: {quote_foreign(error)}: refused") from error
    if not isinstance(value, dict):
        raise FormatError(f"{path.name} is not a JSON object: refused")
    return value  # pyright: ignore[reportUnknownVariableType]


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
