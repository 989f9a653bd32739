"""The numbers that a client's training loop logs with a step, in the table `scalars` of `steps.sqlite`: JSON, by name."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, cast

from lamplighter.runfolder.errors import FormatError

MAX_SCALARS = 32
"""Maximum names in one run: each is a curve on the page."""
SCALAR_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./ @:-]{0,63}")
_MAX_CHARACTERS = 100 * MAX_SCALARS


def encode_scalars(values: Mapping[str, float]) -> str | None:
    """Return the finite numbers as JSON; None if there are none."""
    finite = {name: value for name, value in values.items() if math.isfinite(value)}
    return json.dumps(finite) if finite else None


def decode_scalars(text: Any) -> dict[str, float]:
    """Return the numbers of a step, by name. Raises FormatError if a name or a number is invalid, or there
    are too many.
    """
    try:
        if not isinstance(text, str) or len(text) > _MAX_CHARACTERS:
            raise ValueError
        found = cast("dict[str, Any]", json.loads(text))
        values = {name: float(value) for name, value in found.items() if not isinstance(value, str | bool)}
        if (
            len(values) != len(found)
            or len(values) > MAX_SCALARS
            or not all(SCALAR_NAME.fullmatch(name) and math.isfinite(value) for name, value in values.items())
        ):
            raise ValueError
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        raise FormatError("steps.sqlite: the numbers logged with a step are invalid") from None
    return values
