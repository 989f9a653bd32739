"""The configuration of a loop: JSON values by name."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from lamplighter.client.errors import InputError
from lamplighter.runfolder.loop_facts import MAX_CONFIG_BYTES

_MAX_DEPTH = 8
_MAX_TEXT = 1_000


def make_config(config: object) -> dict[str, Any]:
    """Return a configuration as plain JSON values, with other objects as text.

    Raises:
        InputError: it is not a mapping, or too large.
    """
    if not isinstance(config, Mapping):
        raise InputError(
            f"config: a mapping of name to value is needed, such as a dict, not {type(config).__name__}"
        )
    plain: dict[str, Any] = _plain(config, 0)
    size = len(json.dumps(plain).encode())
    if size > MAX_CONFIG_BYTES:
        raise InputError(
            f"config: {size:,} bytes as JSON, at most {MAX_CONFIG_BYTES:,}: keep the settings that matter"
        )
    return plain


def _plain(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, str):
        return value[:_MAX_TEXT]
    if depth < _MAX_DEPTH:
        if isinstance(value, Mapping):
            return {str(name)[:_MAX_TEXT]: _plain(one, depth + 1) for name, one in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [_plain(one, depth + 1) for one in value]
    return str(value)[:_MAX_TEXT]
