"""Input from outside: what is unknown or of another type is refused, and its first fault told in one line."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, ValidationError, model_validator

from lamplighter.contract.documented_model import DocumentedModel
from lamplighter.platform.printable import quote_foreign


class StrictInput(DocumentedModel):
    """A base for external input: unknown fields are rejected, and so is `true` or "12" for a number."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _accept_whole_floats(cls, data: Any) -> Any:
        # In JSON, 3.0 is an integer.
        return {key: _as_integer(value) for key, value in data.items()} if isinstance(data, dict) else data


def _as_integer(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


class FrozenInput(StrictInput):
    """A base for parts of a recipe: they do not change, and their numbers are finite."""

    model_config = ConfigDict(frozen=True, str_strip_whitespace=True, allow_inf_nan=False)


def explain_validation_error(error: ValidationError) -> str:
    """Return a validation error's first fault as one line: field, problem, allowed values."""
    fault = error.errors(include_url=False)[0]
    # Field names and values may be untrusted.
    where = quote_foreign(".".join(str(part) for part in fault["loc"]))
    message = fault["msg"].removeprefix("Value error, ")
    if not isinstance(fault["input"], dict):
        message = f"{message} (got {_quote_value(fault['input'])})"
    return f"{where}: {message}" if where else message


def _quote_value(value: object) -> str:
    try:
        return quote_foreign(repr(value))
    except RecursionError:
        return "something nested too deep"
