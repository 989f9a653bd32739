"""Paths to a number in an answer, such as `own.p.3`: checked against its model, and resolved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from inspect import isclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from lamplighter.claims.claim import as_number
from lamplighter.contract.answers import Answer
from lamplighter.contract.answers.parts import AnswerPart

LAST = "last"
"""The path element for the last item of a list."""


def leads_to_number(kind: str, path: Sequence[str]) -> bool:
    """Return whether answers to a kind of question can have a number at a path."""
    [union, *_] = get_args(Answer)
    found: list[Any] = [
        one for one in get_args(union) if kind in get_args(one.model_fields["kind"].annotation)
    ]
    for part in path:
        found = [inside for outside in found for inside in _types_at(outside, part)]
    return any(one in (int, float) for outside in found for one in _alternatives(outside))


def number_at(answer: Answer, path: Sequence[str]) -> float | None:
    """Return the number at a path of an answer; None if there is none."""
    value: object = answer
    for part in path:
        if isinstance(value, AnswerPart):
            name = _field_name(type(value), part)
            value = None if name is None else getattr(value, name)
        elif isinstance(value, list | tuple) and _is_place(part):
            place = -1 if part == LAST else int(part)
            value = value[place] if value and place < len(value) else None  # pyright: ignore[reportUnknownVariableType]
        else:
            return None
    return as_number(value)


def _types_at(annotation: Any, part: str) -> Iterator[Any]:
    for one in _alternatives(annotation):
        items = get_args(one)
        if isclass(one) and issubclass(one, AnswerPart):
            if (name := _field_name(one, part)) is not None:
                yield one.model_fields[name].annotation
        elif get_origin(one) is list and _is_place(part):
            yield items[0]
        elif get_origin(one) is tuple and _is_place(part) and (part == LAST or int(part) < len(items)):
            yield items[-1 if part == LAST else int(part)]


def _alternatives(annotation: Any) -> Iterator[Any]:
    """Yield the types of a union, with annotations removed."""
    if get_origin(annotation) is Annotated:
        yield from _alternatives(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for one in get_args(annotation):
            yield from _alternatives(one)
    else:
        yield annotation


def _field_name(model: type[AnswerPart], part: str) -> str | None:
    return next((name for name, field in model.model_fields.items() if (field.alias or name) == part), None)


def _is_place(part: str) -> bool:
    return part == LAST or part.isdigit()
