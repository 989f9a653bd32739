"""Bounds on untrusted JSON files, checked before parsing: a parsed file takes many times its size in memory."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from lamplighter.platform.printable import quote_foreign
from lamplighter.runfolder.errors import FormatError
from lamplighter.wire.binary import MAX_VOCABULARY

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
