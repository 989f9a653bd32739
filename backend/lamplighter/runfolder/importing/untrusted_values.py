"""Checks of single values from an untrusted run."""

from __future__ import annotations

import json
from typing import Any

from lamplighter.platform.printable import quote_foreign
from lamplighter.runfolder.errors import FormatError

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
