"""The access matrix: every route, with every credential, from every origin, under every host name.

The expectation is computed here from the rules in `docs/rest.md`, not taken from the gate. A new route that
is not listed below fails the first test.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from lamplighter.serving.app import create_app
from lamplighter.serving.settings import ServerSettings
from tests.unit.serving.asgi import HOST, ORIGIN, PORT, call, connect

pytestmark = pytest.mark.anyio

RUN = "/api/runs/{run}"
OPEN = {"/", "/app/{path:path}", "/static/{path:path}", "/vendor/plotly.min.js", "/healthz", "/launch",
        "/api/session", "/api/docs", "/api/docs.css", "/api/openapi.json"}  # fmt: skip
READ = {"/api/runs", RUN, f"{RUN}/steps", f"{RUN}/steps/{{step}}", f"{RUN}/events", f"{RUN}/measures",
        f"{RUN}/snapshots", f"{RUN}/snapshots/{{step}}", f"{RUN}/map", f"{RUN}/layouts", f"{RUN}/layouts/{{step}}",
        f"{RUN}/layouts/{{step}}/trust", f"{RUN}/record", f"{RUN}/districts", f"{RUN}/districts/events", f"{RUN}/districts/steps",
        f"{RUN}/vectors", f"{RUN}/displacements", f"{RUN}/places", f"{RUN}/tokens/{{token_id}}/path",
        f"{RUN}/tokens", f"{RUN}/tokens/{{token_id}}", f"{RUN}/neighbours", f"{RUN}/pairs", f"{RUN}/norms",
        f"{RUN}/exports", f"{RUN}/exports/{{export}}", f"{RUN}/exports/{{export}}/file",
        f"{RUN}/reprojection"}  # fmt: skip
CHANGE = {("POST", "/api/runs"), ("DELETE", RUN), ("POST", f"{RUN}/requests"), ("POST", "/api/uploads"), ("POST", "/api/estimates"),
          ("POST", "/api/launches"), ("POST", f"{RUN}/exports"), ("DELETE", f"{RUN}/exports/{{export}}"),
          ("POST", f"{RUN}/reprojection"), ("DELETE", f"{RUN}/reprojection")}  # fmt: skip
SOCKETS = {f"{RUN}/live"}
LISTED = {("GET", path) for path in OPEN | READ} | CHANGE | {("WS", path) for path in SOCKETS}

WHO = ("nobody", "viewer", "cookie", "bearer", "wrong bearer")
FROM = {"good": ORIGIN, "foreign": "http://evil.example", "sibling": f"http://127.0.0.1:{PORT + 1}",
        "other name": f"http://localhost:{PORT}", "null": "null", "absent": None}  # fmt: skip
UNDER = {"good": HOST, "foreign": "evil.example", "other port": f"127.0.0.1:{PORT + 1}"}


def declared(app: FastAPI) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for route in app.routes:
        path: str = getattr(route, "path", "")
        methods: set[str] = getattr(route, "methods", None) or {"WS"}
        found |= {(method, path) for method in methods}
    return found


def headers(app: FastAPI, who: str, origin: str | None, host: str) -> dict[str, str]:
    gate = app.state.services.gate
    found = {"host": host}
    if origin is not None:
        found["origin"] = origin
    if who == "viewer":
        found["cookie"] = f"theme=dark; {gate.cookie_name}=guess; other={gate.credentials.cookie}"
    elif who == "cookie":
        found["cookie"] = f"theme=dark; {gate.cookie_name}={gate.credentials.cookie}"
    elif who == "bearer":
        found["authorization"] = f"Bearer {gate.credentials.token}"
    elif who == "wrong bearer":
        found["authorization"] = f"Bearer {gate.credentials.cookie}"
    return found


def expected(method: str, path: str, who: str, source: str, under: str, *, loopback: bool) -> bool:
    if under != "good" or source not in ("good", "absent") or who == "wrong bearer":
        return False
    if method in ("POST", "DELETE"):
        return who == "bearer" or (who == "cookie" and source == "good")
    return path in OPEN or loopback or who in ("cookie", "bearer")


async def passed(
    app: FastAPI, method: str, path: str, given: dict[str, str], peer: str = "127.0.0.1"
) -> bool:
    """Return whether the gate let the request through to the route, which then finds no such run."""
    real = path.replace("{run}", "no-such-run").replace("{step}", "1").replace("{token_id}", "1")
    real = real.replace("{path:path}", "none.js").replace("{export}", "none")
    if method == "WS":
        opened, code = await connect(app, real, given, peer=peer)
        assert opened or code is not None
        return opened and code == 4404
    answer = await call(app, method, real, given, b"{}", peer=peer)
    assert answer.status < 500 or (path == "/" and answer.status == 503), answer.body
    if path == "/launch" and answer.status == 403:
        return answer.headers["content-type"].startswith("text/html")
    return answer.status not in (401, 403)


def test_every_route_is_listed_here(app: FastAPI) -> None:
    assert declared(app) == LISTED


def test_every_route_is_known_to_the_gate(app: FastAPI) -> None:
    known = {
        (method, rule.path)
        for rule in app.state.services.gate.rules
        for method in (rule.methods - {"HEAD"} or {"WS"})
    }
    assert known == declared(app)


async def test_a_route_the_gate_does_not_know_cannot_be_reached(app: FastAPI, bearer: dict[str, str]) -> None:
    app.add_api_route("/backdoor", lambda: "in", methods=["GET"])
    assert (await call(app, "GET", "/backdoor", bearer)).status == 404
    assert declared(app) != LISTED


@pytest.mark.parametrize("loopback", [True, False])
async def test_who_gets_in(tmp_path: Path, loopback: bool) -> None:
    more: dict[str, Any] = {} if loopback else {"host": "0.0.0.0", "behind": HOST}
    app = create_app(ServerSettings(tmp_path, port=PORT, roles=(), **more))
    wrong: list[str] = []
    for (method, path), who, source, under in product(sorted(LISTED), WHO, FROM, UNDER):
        given = headers(app, who, FROM[source], UNDER[under])
        wanted = expected(method, path, who, source, under, loopback=loopback)
        if await passed(app, method, path, given, "127.0.0.1" if loopback else "172.17.0.1") != wanted:
            wrong.append(f"{method} {path} by {who}, origin {source}, host {under}: should be {wanted}")
    assert wrong == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_other_pages_cannot_load_anything_but_may_link_to_the_page(app: FastAPI, site: str) -> None:
    for method, path in sorted(LISTED):
        assert not await passed(app, method, path, {"host": HOST, "sec-fetch-site": site})
    link = {"host": HOST, "sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert await passed(app, "GET", "/", link)
    assert await passed(app, "GET", "/launch", link)
    assert not await passed(app, "GET", "/api/runs", link)
    assert not await passed(app, "GET", "/", {**link, "sec-fetch-dest": "iframe"})


async def test_a_foreign_origin_never_opens_a_socket(app: FastAPI) -> None:
    for origin in (
        "http://evil.example",
        "null",
        "",
        "file://",
        f"https://{HOST}",
        f"http://{HOST}.evil.example",
    ):
        opened, _ = await connect(app, "/api/runs/x/live", {"host": HOST, "origin": origin})
        assert not opened


async def test_a_viewer_that_may_not_read_hears_that_it_is_final(tmp_path: Path) -> None:
    app = create_app(ServerSettings(tmp_path, host="0.0.0.0", port=PORT, behind=HOST, roles=()))
    assert await connect(app, "/api/runs/x/live", {"host": HOST, "origin": ORIGIN}) == (True, 4403)


async def test_only_this_machine_may_connect(app: FastAPI, bearer: dict[str, str]) -> None:
    for peer in ("10.0.0.7", "172.17.0.1", "::ffff:10.0.0.7", None):
        assert (await call(app, "GET", "/healthz", bearer, peer=peer)).status == 403
    for peer in ("127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"):
        assert (await call(app, "GET", "/healthz", peer=peer)).status == 200


async def test_hosts_are_this_servers_own(app: FastAPI) -> None:
    for host in (HOST, f"localhost:{PORT}", f"LOCALHOST:{PORT}", f"[::1]:{PORT}"):
        assert (await call(app, "GET", "/healthz", {"host": host})).status == 200
    bad = ("", "localhost", "127.0.0.1", f"127.0.0.1:{PORT}.evil.example", f"evil.example:{PORT}", f"a@{HOST}",
           f"127.0.0.2:{PORT}", "127.0.0.1:99999999", f"127.0.0.1:0{PORT}0", f"localhost.:{PORT}", f"[::1:{PORT}")  # fmt: skip
    for host in bad:
        assert (await call(app, "GET", "/healthz", {"host": host})).status == 403, host
    assert (await call(app, "GET", "/healthz", {})).status == 403
    assert (await call(app, "GET", "/healthz", [("host", HOST), ("host", "evil.example")])).status == 400


async def test_methods(app: FastAPI, bearer: dict[str, str]) -> None:
    answer = await call(app, "PUT", "/api/runs", bearer)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert answer.json["status"] == 405
    assert (await call(app, "OPTIONS", "/api/runs", {"host": HOST, "origin": ORIGIN})).status == 405
    assert (await call(app, "HEAD", "/healthz")).status == 200
    # A link preview must not use up the code.
    assert (await call(app, "HEAD", "/launch?code=x")).status == 405
    assert (await call(app, "TRACE", "/api/docs", bearer)).status == 405
