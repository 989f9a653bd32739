"""The access matrix of the class: every route of both listeners, by every caller, from every origin, under
every host name.

The expectation is computed from the lists in this file, not taken from the gate. A route in an app but not
here fails the first test, as does a list entry without a route.
"""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from fastapi import FastAPI

from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.classroom.class_gate import ClassAccess
from tests.support.asgi import ORIGIN, call, connect, launch
from tests.support.classroom.class_apps import (
    CLASS_HOST,
    CLASS_ORIGIN,
    PUPIL,
    ClassApps,
    make_class_apps,
)
from tests.support.folders import FakeTrainer, make_run
from tests.support.route_lists import GEOMETRY, LISTED, RUN, SET, TEXT, declared, real_path

OPEN = {("GET", "/"), ("GET", "/app/{path:path}"), ("GET", "/static/{path:path}"), ("GET", "/vendor/plotly.min.js"),
        ("GET", "/healthz"), ("GET", "/api/session"), ("POST", "/api/class/join")}  # fmt: skip
WATCHING = {("GET", path) for path in (
    "/api/runs", RUN, "/api/sets", SET, f"{SET}/curves", f"{SET}/claims", f"{SET}/spread", f"{SET}/word", f"{RUN}/picture.png", f"{RUN}/steps", f"{RUN}/outliers", f"{RUN}/turning-points", f"{RUN}/events", f"{RUN}/measures", f"{RUN}/cost", f"{RUN}/claims", "/api/lessons", "/api/class/lessons", f"{RUN}/lessons/{{part}}",
    f"{RUN}/snapshots", f"{RUN}/snapshots/{{step}}", f"{RUN}/norms", f"{RUN}/waypoints", f"{RUN}/displacements", f"{RUN}/difference", f"{RUN}/difference/rows", f"{RUN}/difference/layout", f"{RUN}/difference/progress", f"{RUN}/map", f"{RUN}/layouts",
    f"{RUN}/layouts/{{step}}", f"{RUN}/places", f"{RUN}/layouts/{{step}}/trust", f"{RUN}/districts", f"{RUN}/districts/steps",
    f"{RUN}/districts/events", f"{RUN}/tokens", f"{RUN}/tokens/{{token_id}}", f"{RUN}/tokens/{{token_id}}/path",
    f"{RUN}/neighbours", f"{RUN}/pairs", *(f"{RUN}/geometry/{name}" for name in GEOMETRY))} | {("WS", f"{RUN}/beats")}  # fmt: skip
ASSISTING = {("POST", "/api/class/assist")}
CLASS = OPEN | WATCHING | TEXT | ASSISTING
WHO = ("stranger", "viewer", "removed viewer", "assistant", "presenter", "presenter's browser")
FROM = {
    "good": CLASS_ORIGIN,
    "foreign": "http://evil.example",
    "presenter's": ORIGIN,
    "null": "null",
    "absent": None,
}
UNDER = {"good": CLASS_HOST, "foreign": "evil.example", "presenter's": "127.0.0.1:8600"}


@pytest.fixture
def apps(tmp_path: Path) -> ClassApps:
    return make_class_apps(tmp_path)


def test_the_class_has_exactly_these_routes(apps: ClassApps) -> None:
    assert declared(apps.watching) == CLASS
    known = {
        (method, rule.path) for rule in apps.gate.rules for method in (rule.methods - {"HEAD"} or {"WS"})
    }
    assert known == CLASS
    assert declared(apps.presenting) == LISTED
    changing = {(method, path) for method, path in CLASS if method not in ("GET", "WS")}
    assert changing == {("POST", "/api/class/join"), ("POST", "/api/class/assist")}


def test_the_document_lists_the_routes_of_the_class(apps: ClassApps) -> None:
    text = (Path(__file__).parents[4] / "docs" / "rest.md").read_text(encoding="utf-8")
    section = text.partition("\nThe listener of the class has")[2].partition("\n## ")[0]
    own = set(re.findall(r"`(GET|POST|WS) (/[^` ]+)`", section))
    watching, given = (
        {
            ("GET", name if name.startswith("/") else f"{RUN}/{name}")
            for name in re.findall(r"`([^` ]+)`", part)
        }
        for part in section.partition("GET of:")[2].split("where the")
    )
    page = {
        ("GET", "/"),
        *(("GET", path) for path in ("/app/{path:path}", "/static/{path:path}", "/vendor/plotly.min.js")),
    }
    below = {route for route in declared(apps.watching) if route[1].startswith(f"{RUN}/geometry/")}
    listed = own | watching | given | page | below | {("GET", RUN)}
    assert declared(apps.watching) == listed - {("GET", f"{RUN}/geometry")}
    assert given == {route for route, whose in apps.gate.access.items() if whose is ClassAccess.TEXT}


async def test_a_new_route_is_closed_to_everyone(apps: ClassApps) -> None:
    apps.watching.add_api_route("/backdoor", lambda: "in", methods=["GET"])
    assert (await ask(apps.watching, "GET", "/backdoor", {"host": CLASS_HOST})) == 404
    apps.gate.access = {key: who for key, who in apps.gate.access.items() if key != ("GET", "/healthz")}
    decision = apps.gate.decide("http", "GET", "/healthz", [(b"host", CLASS_HOST.encode())], PUPIL)
    assert (decision.allowed, decision.status) == (False, 404)


def expected(method: str, path: str, who: str, source: str, under: str, *, text: bool) -> bool:
    if under != "good" or source not in ("good", "absent") or who == "presenter":
        return False
    if method == "POST" and source != "good":
        return False
    key = (method, path)
    if key in ASSISTING:
        return who == "assistant"
    return key in OPEN or (who in ("viewer", "assistant") and (key not in TEXT or text))


async def test_permissions_on_both_listeners(tmp_path: Path) -> None:
    """Routes x callers x origins x hosts x listeners, one deviation at a time; prints the number of cells."""
    apps = make_class_apps(tmp_path)
    run = FakeTrainer(make_run(RunStore(tmp_path))).begin().train(2).run
    callers = await everybody(apps)
    odd = [(source, "good") for source in FROM] + [("good", under) for under in UNDER if under != "good"]
    cells, wrong = 0, list[str]()
    for text in (True, False):
        apps.classroom.give_text(run, text)
        for (method, path), who, (source, under) in product(sorted(CLASS), WHO, odd):
            given = {"host": UNDER[under], **callers[who]}
            if FROM[source] is not None:
                given["origin"] = str(FROM[source])
            status = await ask(apps.watching, method, real_path(path, run.id), given)
            wanted = expected(method, path, who, source, under, text=text)
            cells += 1
            if (status not in (401, 403)) != wanted:
                wrong.append(f"class: {method} {path} by {who}, origin {source}, host {under}: {status}")
    # A viewer's cookie and the class's code are worthless on the presenter's listener, whose matrix is
    # `access/test_gate_matrix.py`.
    for (method, path), who, source in product(
        sorted(LISTED), ("viewer", "assistant"), ("good", "foreign", "null", "absent")
    ):
        given = {"host": "127.0.0.1:8600", **callers[who]}
        if source != "absent":
            given["origin"] = {"good": ORIGIN, "foreign": "http://evil.example", "null": "null"}[source]
        kind = "websocket" if method == "WS" else "http"
        pairs = [(name.encode(), value.encode()) for name, value in given.items()]
        concrete = real_path(path, run.id)
        decision = apps.services.gate.decide(kind, method, concrete, pairs, "127.0.0.1")
        stranger = apps.services.gate.decide(
            kind, method, concrete, [pair for pair in pairs if pair[0] != b"cookie"], "127.0.0.1"
        )
        cells += 1
        if decision.allowed != stranger.allowed or decision.presenter:
            wrong.append(f"presenter's: {method} {path} by {who}, origin {source}: more than anybody's")
    assert wrong == []
    assert cells >= 3_000
    print(f"{cells} cells, 0 open")


async def everybody(apps: ClassApps) -> dict[str, dict[str, str]]:
    """Return the headers of every kind of caller, besides Host and Origin."""
    _, viewer = apps.join()
    removed, gone = apps.join()
    raised, assistant = apps.join()
    assert apps.classroom.end_session(removed)
    assert apps.classroom.set_role(raised, "assistant")
    link = apps.services.gate.issue_launch_url().removeprefix(ORIGIN)
    _, presenter = await launch(apps.presenting, link)
    return {
        "stranger": {},
        "viewer": {"cookie": viewer},
        "removed viewer": {"cookie": gone},
        "assistant": {"cookie": assistant},
        "presenter": {"authorization": f"Bearer {apps.services.gate.credentials.token}"},
        "presenter's browser": {name: value for name, value in presenter.items() if name != "host"},
    }


async def ask(app: FastAPI, method: str, path: str, given: dict[str, str]) -> int:
    """Return the status of an answer; for a socket, 200 if it was admitted and 403 if not."""
    if method == "WS":
        _, code = await connect(app, path, given, peer=PUPIL)
        return 403 if code in (4403, 1000) else 200
    # No route accepts this body: the answer shows that the request has passed the gate.
    return (await call(app, method, path, given, b"{}", peer=PUPIL)).status
