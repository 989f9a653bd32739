"""Fuzzed requests: the server answers each with a result or a problem, and never crashes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lamplighter.contract.recipe import Recipe
from lamplighter.serving.apps.app import create_app
from lamplighter.web.settings import ServerSettings
from tests.support.asgi import HOST, ORIGIN, PORT, call
from tests.support.folders import finished_run, layout, write_layouts

odd = st.one_of(
    st.sampled_from(["..", ".", "%00", "-1", "0", "1", "35", "4294967295", "4294967296", "9" * 5_000, "NaN", "1e9",
                     "3,17", "25", "npy", "json", "arrow", "motion", "places", "gradient", "pair", "linear", "٣", "0x10", "dog", "true", "", " ", "\x00", "a/b", "<script>", "💡"]),
    st.text(max_size=30),
    st.integers().map(str),
)  # fmt: skip
nouns = st.sampled_from(
    ["steps", "steps/{}", "steps/{}/text", "events", "measures", "cost", "lines", "snapshots", "snapshots/{}", "layouts", "layouts/{}", "layouts/{}/trust", "record", "districts", "districts/events", "tokens",
     "tokens/{}", "tokens/{}/path", "vectors", "places", "neighbours", "pairs", "exports", "exports/{}", "exports/{}/file", "examinations", "examinations/{}",
     "live", "requests", "{}"]
)  # fmt: skip
names = st.sampled_from(["from", "to", "every", "step", "k", "token_id", "limit", "offset", "search", "format",
                         "method", "most", "attempt", "token_ids", "of", "with", "after", "channels", "name", "code", "?"])  # fmt: skip
latin = st.text(st.characters(max_codepoint=255), max_size=40)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
PARTS = [*Recipe.model_fields, "upload", "recipe", "kind", "value", "steps_per_second"]
many = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> tuple[FastAPI, str]:
    folder: Path = tmp_path_factory.mktemp("runs")
    run = finished_run(folder)
    write_layouts(run, layout(1, 30))
    return create_app(ServerSettings(folder, port=PORT, roles=())), run.id


def asked(app: FastAPI, method: str, path: str, headers: list[tuple[str, str]], body: bytes = b"") -> None:
    answer = asyncio.run(call(app, method, path, headers, body))
    assert answer.status < 500, (path, answer.body)
    if answer.status >= 400 and method != "HEAD" and not path.startswith("/launch"):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["status"] == answer.status
        assert answer.json["detail"]


@many
@given(
    run=odd | st.just("{run}"),
    noun=nouns,
    part=odd,
    query=st.dictionaries(names, odd, max_size=3),
    extra=st.dictionaries(
        st.sampled_from(["accept", "if-none-match"]),
        st.sampled_from(["*/*", "*", "text/*;q=x", ";q=1,", '"', 'W/"', "application/json;q=0"]) | latin,
    ),
)
def test_reading(
    target: tuple[FastAPI, str], run: str, noun: str, part: str, query: dict[str, str], extra: dict[str, str]
) -> None:
    app, known = target
    run = known if run == "{run}" or len(run) % 2 else quote(run, safe="")
    path = f"/api/runs/{run}/{noun.replace('{}', quote(part, safe=''))}"
    query_string = "&".join(f"{name}={quote(value)}" for name, value in query.items())
    asked(app, "GET", f"{path}?{query_string}", [("host", HOST), *extra.items()])


@many
@given(body=st.one_of(
    st.binary(max_size=60),
    values.map(lambda v: json.dumps(v).encode()),
    st.dictionaries(st.sampled_from(PARTS), values, max_size=4).map(lambda v: json.dumps(v).encode()),
    st.dictionaries(st.sampled_from(PARTS), values, max_size=4).map(lambda v: json.dumps({"recipe": v}).encode()),
), noun=st.sampled_from(["/api/runs", "/api/runs/{run}/requests", "/api/uploads?name=%00"]))  # fmt: skip
def test_changing(target: tuple[FastAPI, str], body: bytes, noun: str) -> None:
    app, known = target
    bearer = f"Bearer {app.state.services.gate.credentials.token}"
    headers = [("host", HOST), ("authorization", bearer), ("content-type", "application/json")]
    asked(app, "POST", noun.replace("{run}", known), headers, body)


@many
@given(
    extra=st.lists(
        st.tuples(st.sampled_from(["origin", "host", "cookie", "authorization", "sec-fetch-site", "content-length",
                                   "if-none-match", "accept-encoding", "range", "content-type"]), latin),
        max_size=4,
    ),
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get", ""]),
    path=st.sampled_from(["/", "/app/x.js", "/healthz", "/api/runs", "/api/session", "/launch?code=%ff", "/api/uploads",
                          "/vendor/plotly.min.js"]),
)  # fmt: skip
def test_headers(target: tuple[FastAPI, str], extra: list[Any], method: str, path: str) -> None:
    app, _ = target
    if path == "/" and app.state.services.assets.index_html() is None:
        path = "/healthz"
    asked(app, method, path, [("host", HOST), *extra])
    asked(app, method, path, [("host", HOST), ("origin", ORIGIN), *extra])
