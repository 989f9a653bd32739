"""The OpenAPI document: FastAPI's reading of the routes, completed from their access rules and what they answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from lamplighter.web.http.content_negotiation import ARROW, JSON, PARQUET
from lamplighter.web.http.problems import PROBLEM_MEDIA_TYPE, Problem
from lamplighter.web.http.route_table import Access, DeclaredRoute

Schema = dict[str, Any]

TAGS = {
    "session": "The caller, the browsers that present, the server's health, and the links that begin a session.",
    "runs": "Runs: listed, shown, estimated, created, deleted.",
    "differences": "What differs between two runs, at one step of the clock that they share.",
    "sets": "Sets of runs: their members, with bands, claims, spread and words.",
    "requests": "Requests to a run: pause, resume, pace, learning rate, continue, change the map.",
    "uploads": "Texts to train on.",
    "steps": "The steps of a run, its events and its measures.",
    "snapshots": "The embedding after a step and over a range of steps, and how far its rows moved.",
    "map": "The map: its settings, its layouts and the trust in them, districts, reprojections.",
    "tokens": "The vocabulary, and what the embedding says of single tokens.",
    "geometry": "What the directions, lengths and nearest rows of the embedding say of words, beside what chance says.",
    "claims": "Claims about learning: what the numbers of a run say to each.",
    "lessons": "The course: its parts, and each with the numbers of a run.",
    "examinations": "Questions about the model of a run as it was after any step, and their answers.",
    "classroom": "The class: how it joins, who is here, what it may see and is asked.",
    "exports": "Exports of a run: made in the background, polled, downloaded.",
    "imports": "Imports of exported runs: sent as zips, followed, cancelled.",
    "push": "Runs that programs on other machines send, with a token of their own.",
}
"""Tags, in the order in which a reader should meet them."""

_DESCRIPTION = """\
Watch a language model learn. Every change needs the presenter's credential; reading needs it only on a server that
other machines can reach.

Errors are `application/problem+json`. A path that does not exist is answered with 404, a method that a path does not
have with 405. HEAD is answered wherever GET is, except for the file of an export. A route with several formats takes
`format`, else the best that `Accept` allows, else its first; a route with an `ETag` answers `If-None-Match` with 304."""

_ERRORS = {
    400: ("BadRequest", "The request is malformed."),
    401: ("Unauthorized", "The presenter's credential is wrong, or missing where it is needed."),
    403: ("Forbidden", "Host or Origin is not this server's own."),
    404: ("NotFound", "It does not exist, or not yet."),
    406: ("NotAcceptable", "`Accept` allows none of the formats."),
    409: ("Conflict", "Its present state does not allow this, or it cannot be read."),
    410: ("Gone", "A person removed it, and it does not come back by itself."),
    413: ("ContentTooLarge", "The body is larger than this route takes."),
    416: ("RangeNotSatisfiable", "The file has no such range of bytes."),
    422: (
        "UnprocessableContent",
        "A parameter or the body is not valid, or asks for more than comes at once.",
    ),
    429: ("TooManyRequests", "A pusher sends too often, or too much: go on later."),
    500: ("InternalServerError", "The server failed; its log says more."),
    501: ("NotImplemented", "A package that the format needs is not installed on the server."),
    503: ("ServiceUnavailable", "The server is busy with large answers, or ending: try again later."),
    507: ("InsufficientStorage", "The disk is nearly full."),
}
"""Name and description of the problem that each error status stands for."""
_ALWAYS = (400, 401, 403, 500)
"""Statuses of the gate, and of a server at fault."""
_ERROR_HEADERS = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}
_SUCCESS = {"200": "Done", "201": "Created", "202": "Accepted: it goes on in the background", "204": "Done"}

_INTEGER: Schema = {"type": "integer", "minimum": 0}
_TEXT: Schema = {"type": "string"}
_BINARY: Schema = {"type": "string", "format": "binary"}
_HEADERS: dict[str, tuple[str, Schema]] = {
    "Cache-Control": ("`immutable` if the answer never changes.", _TEXT),
    "ETag": ("The version of the answer, for `If-None-Match`.", _TEXT),
    "Location": ("The path of what was created.", _TEXT),
    "Retry-After": ("Seconds to wait.", _INTEGER),
    "WWW-Authenticate": ("The scheme of the token.", _TEXT),
    "X-Lamplighter-Run-Identity": ("Which run it is, whatever its name: the digest of its key.", _TEXT),
    "X-Lamplighter-Attempt": ("The attempt in which the step counts.", _INTEGER),
    "X-Lamplighter-Exact": ("True if it is the step that was asked for.", {"type": "boolean"}),
    "X-Lamplighter-From": ("The first of the two steps.", _INTEGER),
    "X-Lamplighter-Other-Step": ("The step of the other run.", _INTEGER),
    "X-Lamplighter-Step": ("The step that the answer is about.", _INTEGER),
}

_TOKEN, _COOKIE, _KEY, _PUSHER = "presenterToken", "presenterCookie", "presenterKey", "pusherToken"
_CREDENTIALS: list[dict[str, list[str]]] = [{_TOKEN: []}, {_COOKIE: [], _KEY: []}]
# An empty requirement makes the others optional: reading needs none on the machine itself.
_SECURITY = {
    Access.OPEN: [],
    Access.READ: [{}, {_TOKEN: []}, {_COOKIE: []}],
    Access.PRESENT: _CREDENTIALS,
    Access.CHANGE: _CREDENTIALS,
    Access.PUSH: [{_PUSHER: []}],
}


def install_openapi(
    app: FastAPI,
    routes: Iterable[DeclaredRoute],
    cookie_name: str,
    key_header: str,
    messages: Mapping[str, Any],
) -> None:
    """Let an app describe its declared routes. `cookie_name` and `key_header` are those of a presenter's session,
    `messages` the types of what a websocket sends, by name: OpenAPI has no place for a websocket, so only their schemas
    are in the document.
    """
    described = [route for route in routes if route.rule.kind == "http"]

    @cache
    def openapi() -> Schema:
        return _openapi_document(app, described, cookie_name, key_header, {"Problem": Problem, **messages})

    app.openapi = openapi


def _openapi_document(
    app: FastAPI, routes: Iterable[DeclaredRoute], cookie_name: str, key_header: str, sent: Mapping[str, Any]
) -> Schema:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=_DESCRIPTION,
        tags=[{"name": name, "description": description} for name, description in TAGS.items()],
        routes=app.routes,
    )
    for route in routes:
        for method in route.options["methods"]:
            if operation := document["paths"].get(route.rule.path, {}).get(method.lower()):
                _complete_operation(operation, route)
    components: Schema = document["components"]
    # FastAPI's own shape of errors, which no route answers with.
    schemas = {name: found for name, found in components["schemas"].items() if "ValidationError" not in name}
    components["schemas"] = dict(sorted((_schemas_of(sent) | schemas).items()))
    components["responses"] = dict(_shared_responses())
    components["headers"] = {
        name: {"description": description, "schema": schema}
        for name, (description, schema) in _HEADERS.items()
    }
    components["securitySchemes"] = {
        _TOKEN: {
            "type": "http",
            "scheme": "bearer",
            "description": "The presenter's token, from a file that only the server's user can read.",
        },
        _PUSHER: {
            "type": "http",
            "scheme": "bearer",
            "description": "The token of a program that pushes runs (`lamplighter tokens`); it is good for nothing else.",
        },
        _COOKIE: {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie_name,
            "description": "The presenter's cookie, set by a launch link and named after the server's port. It allows "
            "a change only together with the session's key and an `Origin` that is the server's own.",
        },
        _KEY: {
            "type": "apiKey",
            "in": "header",
            "name": key_header,
            "description": "The key of the session, which the page keeps in its storage.",
        },
    }
    return _without_noise(document)


def _schemas_of(types: Mapping[str, Any]) -> dict[str, Schema]:
    """Return the schemas of types that no operation names, and of all that they refer to."""
    mode: JsonSchemaMode = "serialization"
    found, definitions = TypeAdapter.json_schemas(
        [(name, mode, TypeAdapter[Any](type_)) for name, type_ in types.items()],
        ref_template="#/components/schemas/{model}",
    )
    return definitions["$defs"] | {
        name: schema for (name, _), schema in found.items() if "$ref" not in schema
    }


def _complete_operation(operation: Schema, route: DeclaredRoute) -> None:
    answers = route.answers
    operation["summary"] = operation["operationId"].replace("_", " ").capitalize()
    operation["security"] = _SECURITY[route.rule.access]
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _parameter_schema(parameter["schema"])
    responses: Schema = operation["responses"]
    responses.pop("422", None)
    for status, response in responses.items():
        response["description"] = _SUCCESS.get(status, response["description"])
        headers = (*answers.headers, *(("ETag", "Cache-Control") if answers.etag else ()))
        if headers:
            response["headers"] = {name: _reference("headers", name) for name in headers}
        if answers.formats and JSON not in answers.formats:
            response["content"].clear()
        for format in answers.formats:
            if format is not JSON:
                response["content"][format.media_type] = {"schema": body_schema(format.media_type)}
    if answers.etag:
        responses["304"] = _reference("responses", "NotModified")
    for status in sorted(_error_statuses(operation, route)):
        responses[str(status)] = _reference("responses", _ERRORS[status][0])


def _parameter_schema(schema: Schema) -> Schema:
    """Return the schema without null, which only Python needs, and without the description, which the parameter has."""
    found: Schema = {key: value for key, value in schema.items() if key not in ("anyOf", "description")}
    for variant in schema.get("anyOf", ()):
        found |= variant if variant != {"type": "null"} else {}
    return found


def body_schema(media_type: str) -> Schema:
    """Return the schema of a body that is not JSON."""
    return _TEXT if media_type.startswith("text/") else _BINARY


def _error_statuses(operation: Schema, route: DeclaredRoute) -> set[int]:
    found = {*_ALWAYS, *route.answers.errors}
    if "{run}" in route.rule.path or "{set}" in route.rule.path:
        # There is no such run; its state does not allow it, or its files cannot be read.
        found |= {404, 409}
    if "requestBody" in operation:
        found |= {413, 422}
    if any(
        p["in"] == "query" or p["schema"].get("type") != "string" for p in operation.get("parameters", ())
    ):
        found.add(422)
    if route.answers.formats:
        found.add(406)
    if {ARROW, PARQUET} & {*route.answers.formats}:
        found.add(501)
    return found


def _shared_responses() -> Iterator[tuple[str, Schema]]:
    yield (
        "NotModified",
        {
            "description": "The client has this version already.",
            "headers": {name: _reference("headers", name) for name in ("ETag", "Cache-Control")},
        },
    )
    for status, (name, description) in _ERRORS.items():
        response: Schema = {
            "description": description,
            "content": {PROBLEM_MEDIA_TYPE: {"schema": _reference("schemas", "Problem")}},
        }
        if header := _ERROR_HEADERS.get(status):
            response["headers"] = {header: _reference("headers", header)}
        yield name, response


def _reference(kind: str, name: str) -> Schema:
    return {"$ref": f"#/components/{kind}/{name}"}


def _without_noise(document: Schema) -> Schema:
    """Return the document without generated titles, and without the `Response` in which a class's name ends only to be
    unique in Python.
    """
    schemas = document["components"]["schemas"]
    names = {
        f"#/components/schemas/{name}": f"#/components/schemas/{name.removesuffix('Response')}"
        for name in schemas
    }

    def cleaned(value: Any) -> Any:
        if isinstance(value, list):
            return [cleaned(one) for one in value]
        if not isinstance(value, dict):
            return names.get(value, value) if isinstance(value, str) else value
        return {
            key: cleaned(one)
            for key, one in value.items()
            # A title is a text; a field of the name `title` has a schema.
            if not (key == "title" and isinstance(one, str) and value is not document["info"])
        }

    document["components"]["schemas"] = {
        name.removesuffix("Response"): found for name, found in schemas.items()
    }
    return cleaned(document)
