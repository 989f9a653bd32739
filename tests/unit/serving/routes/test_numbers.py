"""Numbers in request bodies are bounded: each has a greatest value, and one of 400 or 5,000 digits is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from tests.support.asgi import call, openapi_file

pytestmark = pytest.mark.anyio

UPPER = {"maximum", "exclusiveMaximum", "const", "enum"}


def numbers(
    schema: dict[str, Any], where: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield the path of each number in a body, and its schema."""
    if reference := schema.get("$ref"):
        schema = openapi_file()["components"]["schemas"][reference.rsplit("/", 1)[-1]]
    if schema.get("type") in ("integer", "number"):
        yield where, schema
    for name, part in schema.get("properties", {}).items():
        yield from numbers(part, (*where, name))
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from numbers(part, where)


def bodies() -> list[tuple[str, tuple[str, ...], dict[str, Any]]]:
    return [
        (path, *found)
        for path, operations in openapi_file()["paths"].items()
        for content in [operations.get("post", {}).get("requestBody", {}).get("content", {})]
        if "application/json" in content
        for found in numbers(content["application/json"]["schema"])
    ]


def test_every_number_has_a_greatest_value() -> None:
    found = bodies()
    assert {path for path, _, _ in found} >= {"/api/runs", "/api/estimates", "/api/runs/{run}/requests"}
    assert len(found) > 50
    assert [(path, where) for path, where, schema in found if not UPPER & set(schema)] == []


@pytest.mark.parametrize("path", ["/api/runs", "/api/estimates"])
async def test_numbers_of_many_digits_are_refused(path: str, app: FastAPI, bearer: dict[str, str]) -> None:
    headers = bearer | {"content-type": "application/json"}
    for where in sorted({where for of, where, _ in bodies() if of == path}):
        # Python itself reads no number of 5,000 digits, so that such a body is no JSON to it.
        for digits, status in ((400, 422), (5_000, 400)):
            body: Any = "@"
            for name in reversed(where):
                body = {name: body}
            text = json.dumps(body).replace('"@"', "9" * digits)
            answer = await call(app, "POST", path, headers, text.encode())
            assert answer.status == status, (where, digits)
            assert len(answer.body) < 20_000
