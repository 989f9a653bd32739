"""Models whose fields are described in their JSON schema by the docstrings below them.

Pydantic's `use_attribute_docstrings` does the same, and parses the source of each class when the class is defined: that took
more than half of the time in which a server's modules are imported. Here it is done when a schema is asked for.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema


class _Documented:
    """A class whose annotated fields have docstrings."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> dict[str, Any]:
        """Return the JSON schema, with the docstring of each field that has no other description."""
        schema = handler(core_schema)
        properties: dict[str, Any] = handler.resolve_ref_schema(schema).get("properties", {})
        fields: dict[str, FieldInfo] = getattr(cls, "model_fields", {})
        names = {str(field.alias): name for name, field in fields.items() if field.alias}
        for key, described in properties.items():
            text = _describe_field(cls, names.get(key, key))
            if text is not None:
                described.setdefault("description", text)
        return schema


class DocumentedModel(_Documented, BaseModel):
    """A model whose fields have docstrings."""


class DocumentedRecord(_Documented):
    """A base of dataclasses that are parts of an answer: their fields have docstrings, and are in every answer."""

    __pydantic_config__ = ConfigDict(json_schema_serialization_defaults_required=True)


def _describe_field(model: type, name: str) -> str | None:
    """Return the docstring of a field, in the class that declares it last; None if it has none there."""
    for declaring in model.__mro__:
        if name in vars(declaring).get("__annotations__", {}):
            return _attribute_docstrings(declaring).get(name)
    return None


@cache
def _attribute_docstrings(declaring: type) -> dict[str, str]:
    try:
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(declaring))).body
    except (OSError, TypeError, ValueError, SyntaxError):
        return {}
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
