"""The OpenAPI document holds what its readers rely on: names, security, errors, formats, defaults."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from fastapi import FastAPI
from fastapi.openapi.models import OpenAPI

from lamplighter.serving.apps.app import create_app
from lamplighter.serving.schemas import messages
from lamplighter.web.http.route_table import Access, find_rule
from lamplighter.web.settings import ServerSettings
from tests.support.asgi import PORT

Document = dict[str, Any]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return create_app(ServerSettings(tmp_path_factory.mktemp("runs"), port=PORT, roles=()))


@pytest.fixture(scope="module")
def document(app: FastAPI) -> Document:
    return app.openapi()


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method.upper(), operation


def schemas(value: Any) -> Iterator[Document]:
    """Yield every dictionary inside a part of the document."""
    if isinstance(value, dict):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from schemas(one)


def test_it_is_an_openapi_document(document: Document) -> None:
    OpenAPI.model_validate(document)
    assert document["openapi"] == "3.1.0"


def test_every_reference_leads_to_something_and_everything_is_referred_to(document: Document) -> None:
    referred = {part.split('"')[0] for part in json.dumps(document).split('"#/')[1:]}
    there = {
        f"components/{kind}/{name}"
        for kind, named in document["components"].items()
        if kind != "securitySchemes"
        for name in named
    }
    # OpenAPI has no place for a websocket, a second app or JSON within frames: nothing refers to their schemas.
    spoken = {"SocketMessage", "PredictionMessage", "AssistBody", "FramesHead"}
    assert referred | {f"components/schemas/{name}" for name in spoken} == there


def test_a_text_message_of_the_socket_is_any_of_the_schemas_of_messages(document: Document) -> None:
    message = document["components"]["schemas"]["SocketMessage"]
    named = {one["$ref"].rsplit("/", 1)[-1] for one in message["oneOf"]}
    assert named == {name for name in vars(messages) if name.endswith("Message")} - {"SocketMessage"}


def test_operation_ids_are_what_people_type(document: Document) -> None:
    ids = Counter(operation["operationId"] for *_, operation in operations(document))
    assert not [
        name for name, times in ids.items() if times > 1 or not re.fullmatch("[a-z]+(_[a-z]+)+", name)
    ]
    assert {"list_runs", "get_run", "get_snapshot", "upload_text", "create_run"} <= ids.keys()


def test_every_operation_asks_for_the_credential_that_the_gate_asks_for(
    app: FastAPI, document: Document
) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["presenterCookie"]["name"] == app.state.services.gate.cookie_name()
    assert schemes["presenterToken"]["scheme"] == "bearer"
    presenter: list[Document] = [{"presenterToken": []}, {"presenterCookie": [], "presenterKey": []}]
    reader: list[Document] = [{}, {"presenterToken": []}, {"presenterCookie": []}]
    pusher: list[Document] = [{"pusherToken": []}]
    wanted = {
        Access.OPEN: [],
        Access.READ: reader,
        Access.PRESENT: presenter,
        Access.CHANGE: presenter,
        Access.PUSH: pusher,
    }
    for path, method, operation in operations(document):
        rule, _ = find_rule(app.state.services.gate.rules, "http", method, path)
        assert rule is not None
        assert operation["security"] == wanted[rule.access], (method, path)


def test_every_error_is_a_problem(document: Document) -> None:
    shared = document["components"]["responses"]
    for path, method, operation in operations(document):
        errors = {status: found for status, found in operation["responses"].items() if status[0] in "45"}
        assert {"400", "401", "403", "500"} <= errors.keys()
        for status, reference in errors.items():
            answer = shared[reference["$ref"].rsplit("/", 1)[-1]]
            problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
            assert answer["content"] == problem, (method, path, status)


def test_every_format_has_its_answer(document: Document) -> None:
    for path, method, operation in operations(document):
        formats = [p["schema"]["enum"] for p in operation.get("parameters", ()) if p["name"] == "format"]
        if formats:
            assert len(operation["responses"]["200"]["content"]) == len(formats[0]), (method, path)
            assert {"304", "406"} <= operation["responses"].keys(), (method, path)


def test_a_parameter_is_never_null(document: Document) -> None:
    for path, method, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            assert "anyOf" not in parameter["schema"], (method, path, parameter["name"])


def test_every_default_is_allowed_and_every_required_field_is_there(document: Document) -> None:
    for schema in schemas(document):
        if "default" in schema:
            rooted = {**schema, "components": document["components"]}
            assert jsonschema_rs.is_valid(rooted, schema["default"]), schema
        if isinstance(schema.get("properties"), dict):
            assert set(schema.get("required", ())) <= schema["properties"].keys()


def test_a_server_beyond_this_machine_names_its_own_cookie(tmp_path: Path) -> None:
    settings = ServerSettings(tmp_path, host="0.0.0.0", behind="https://lamps.example:444", roles=())
    schemes = create_app(settings).openapi()["components"]["securitySchemes"]
    assert schemes["presenterCookie"]["name"] == "__Host-lamplighter-444"
