"""Whole numbers from Python, checked before they are used."""

from __future__ import annotations

import operator
from typing import SupportsIndex, cast

from lamplighter.client.errors import InputError


def whole_number(value: object, name: str, least: int | None = 0, most: int | None = None) -> int:
    """Return a whole number of any kind (Python's, numpy's, a tensor of one number) as an `int`. `name`
    begins the messages.

    Raises InputError if it is not one (a float, a bool, a text), or below `least` or above `most`; None: any.
    """
    try:
        # A bool has `__index__` too, but as a step or an id it is a mistake.
        if isinstance(value, bool):
            raise TypeError
        number = int(operator.index(cast(SupportsIndex, value)))
    except TypeError:
        raise InputError(
            f"{name}: {str(value)[:80]} is not a whole number but of type {type(value).__name__}"
        ) from None
    if least is not None and number < least:
        raise InputError(f"{name}: {number} is too small: at least {least}")
    if most is not None and number > most:
        raise InputError(f"{name}: {number} is too large: at most {most}")
    return number
