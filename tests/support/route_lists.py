"""The routes of a server, listed by hand or as declared."""

from __future__ import annotations

from fastapi import FastAPI

RUN = "/api/runs/{run}"
OPEN = {"/", "/app/{path:path}", "/static/{path:path}", "/vendor/plotly.min.js", "/healthz", "/launch",
        "/api/session", "/api/docs", "/api/docs.css", "/api/openapi.json"}  # fmt: skip
OPEN_CHANGE = {("POST", "/launch")}
PRESENT = {
    "/api/sessions",
    "/api/class",
    "/api/class/answers.csv",
    "/api/class/lessons",
    "/api/lessons/{part}/teacher",
    "/api/imports/{import}",
}
GEOMETRY = (
    "analogy",
    "axis",
    "ranks",
    "ranks/curves",
    "relations",
    "lengths",
    "touches",
    "stayed",
    "chance",
    "cooccurrence",
    "odd-one-out",
    "fourier",
)
SET = "/api/sets/{set}"
READ = {"/api/runs", RUN, "/api/sets", SET, f"{SET}/curves", f"{SET}/claims", f"{SET}/spread", f"{SET}/word", "/api/lessons", f"{RUN}/lessons/{{part}}", f"{RUN}/steps", f"{RUN}/steps/{{step}}", f"{RUN}/steps/{{step}}/text", f"{RUN}/frames", f"{RUN}/outliers", f"{RUN}/outliers/{{step}}", f"{RUN}/turning-points", f"{RUN}/events", f"{RUN}/measures", f"{RUN}/claims", f"{RUN}/cost", f"{RUN}/lines",
        f"{RUN}/snapshots", f"{RUN}/snapshots/{{step}}", f"{RUN}/map", f"{RUN}/layouts", f"{RUN}/layouts/{{step}}",
        f"{RUN}/layouts/{{step}}/trust", f"{RUN}/record", f"{RUN}/forks/{{step}}", f"{RUN}/districts", f"{RUN}/districts/events", f"{RUN}/districts/steps",
        f"{RUN}/vectors", f"{RUN}/displacements", f"{RUN}/difference", f"{RUN}/difference/rows", f"{RUN}/difference/layout", f"{RUN}/difference/progress", f"{RUN}/places", f"{RUN}/tokens/{{token_id}}/path",
        f"{RUN}/tokens", f"{RUN}/tokens/{{token_id}}", f"{RUN}/neighbours", f"{RUN}/pairs", f"{RUN}/norms",
        *(f"{RUN}/geometry/{name}" for name in GEOMETRY),
        f"{RUN}/exports", f"{RUN}/exports/{{export}}", f"{RUN}/exports/{{export}}/file",
        f"{RUN}/reprojection", f"{RUN}/output-map", f"{RUN}/waypoints", f"{RUN}/picture.png", f"{RUN}/examinations", f"{RUN}/examinations/{{examination}}"}  # fmt: skip
CHANGE = {("POST", "/api/runs"), ("PATCH", RUN), ("DELETE", RUN), ("DELETE", SET), ("POST", f"{RUN}/requests"), ("POST", f"{RUN}/forks"), ("POST", "/api/uploads"), ("POST", "/api/estimates"), ("PUT", "/api/imports/{import}"), ("DELETE", "/api/imports/{import}"),
          ("POST", "/api/launches"), ("DELETE", "/api/sessions/{session}"), ("POST", f"{RUN}/exports"), ("DELETE", f"{RUN}/exports/{{export}}"),
          ("POST", f"{RUN}/reprojection"), ("DELETE", f"{RUN}/reprojection"), ("POST", f"{RUN}/output-map"), ("DELETE", f"{RUN}/output-map"),
          ("PATCH", "/api/class"), ("POST", "/api/class/code"), ("POST", "/api/class/view"), ("POST", "/api/class/texts/{run}"),
          ("DELETE", "/api/class/members"), ("DELETE", "/api/class/members/{member}"), ("PATCH", "/api/class/members/{member}"),
          ("POST", "/api/class/lesson"), ("POST", "/api/class/question"), ("PATCH", "/api/class/question"), ("DELETE", "/api/class/question"),
          ("POST", f"{RUN}/examinations"), ("POST", f"{RUN}/examiner"), ("DELETE", f"{RUN}/examinations/{{examination}}")}  # fmt: skip
PUSH = {("GET", "/api/push/{run}"), ("PUT", "/api/push/{run}/fragments/{fragment}")}
SOCKETS = {f"{RUN}/live"}
LISTED = (
    {("GET", path) for path in OPEN | READ | PRESENT}
    | OPEN_CHANGE
    | CHANGE
    | PUSH
    | {("WS", path) for path in SOCKETS}
)


def declared(app: FastAPI) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for route in app.routes:
        path: str = getattr(route, "path", "")
        methods: set[str] = getattr(route, "methods", None) or {"WS"}
        found |= {(method, path) for method in methods}
    return found


TEXT = {("GET", f"{RUN}/steps/{{step}}"), ("GET", f"{RUN}/outliers/{{step}}"), ("GET", f"{RUN}/steps/{{step}}/text"), ("GET", f"{RUN}/lines"), ("GET", f"{RUN}/examinations"),
        ("GET", f"{RUN}/examinations/{{examination}}")}  # fmt: skip


def real_path(path: str, run: str) -> str:
    named = {"{run}": run, "{step}": "1", "{token_id}": "1", "{path:path}": "none.js", "{examination}": "none",
             "{export}": "none", "{session}": "none", "{member}": "0" * 16, "{set}": "none", "{import}": f"{0:08}-0000-0000-0000-{0:012}", "{fragment}": f"1-0-1-{'0' * 16}.frag"}  # fmt: skip
    for name, value in named.items():
        path = path.replace(name, value)
    return path


STATED = {
    ("GET", "/api/runs"): "/api/runs",
    ("GET", "/api/sets"): "/api/sets",
    ("GET", RUN): "",
    ("GET", f"{RUN}/picture.png"): "/picture.png",
    ("GET", f"{RUN}/record"): "/record",
    ("GET", f"{RUN}/forks/{{step}}"): "/forks/5",
    ("GET", f"{RUN}/steps"): "/steps",
    ("GET", f"{RUN}/steps/{{step}}"): "/steps/5",
    ("GET", f"{RUN}/steps/{{step}}/text"): "/steps/5/text",
    ("GET", f"{RUN}/outliers"): "/outliers",
    ("GET", f"{RUN}/outliers/{{step}}"): "/outliers/5",
    ("GET", f"{RUN}/turning-points"): "/turning-points",
    ("GET", f"{RUN}/events"): "/events",
    ("GET", f"{RUN}/measures"): "/measures",
    ("GET", f"{RUN}/lines"): "/lines",
    ("GET", f"{RUN}/snapshots"): "/snapshots",
    ("GET", f"{RUN}/snapshots/{{step}}"): "/snapshots/5",
    ("GET", f"{RUN}/vectors"): "/vectors?from=1&to=2",
    ("GET", f"{RUN}/displacements"): "/displacements",
    ("GET", f"{RUN}/norms"): "/norms",
    ("GET", f"{RUN}/map"): "/map",
    ("GET", f"{RUN}/layouts"): "/layouts",
    ("GET", f"{RUN}/layouts/{{step}}"): "/layouts/5",
    ("GET", f"{RUN}/layouts/{{step}}/trust"): "/layouts/5/trust",
    ("GET", f"{RUN}/places"): "/places",
    ("GET", f"{RUN}/districts/steps"): "/districts/steps",
    ("GET", f"{RUN}/districts/events"): "/districts/events",
    ("GET", f"{RUN}/tokens"): "/tokens",
    ("GET", f"{RUN}/tokens/{{token_id}}"): "/tokens/3",
    ("GET", f"{RUN}/tokens/{{token_id}}/path"): "/tokens/3/path",
    ("GET", f"{RUN}/neighbours"): "/neighbours?token_id=3",
    ("GET", f"{RUN}/pairs"): "/pairs?token_ids=1,2",
    ("GET", f"{RUN}/reprojection"): "/reprojection",
    ("GET", f"{RUN}/claims"): "/claims",
    ("GET", f"{RUN}/lessons/{{part}}"): "/lessons/1",
    ("GET", f"{RUN}/cost"): "/cost",
    ("GET", f"{RUN}/geometry/analogy"): "/geometry/analogy?a=1&b=2&c=3",
    ("GET", f"{RUN}/geometry/axis"): "/geometry/axis?from=1&to=2",
    ("GET", f"{RUN}/geometry/ranks"): "/geometry/ranks?pairs=1-2",
    ("GET", f"{RUN}/geometry/ranks/curves"): "/geometry/ranks/curves?pairs=1-2",
    ("GET", f"{RUN}/geometry/relations"): "/geometry/relations",
    ("GET", f"{RUN}/geometry/fourier"): "/geometry/fourier",
    ("GET", f"{RUN}/geometry/lengths"): "/geometry/lengths",
    ("GET", f"{RUN}/geometry/touches"): "/geometry/touches",
    ("GET", f"{RUN}/geometry/stayed"): "/geometry/stayed",
    ("GET", f"{RUN}/geometry/chance"): "/geometry/chance",
    ("GET", f"{RUN}/geometry/cooccurrence"): "/geometry/cooccurrence",
    ("GET", f"{RUN}/geometry/odd-one-out"): "/geometry/odd-one-out",
    ("GET", f"{RUN}/output-map"): "/output-map",
    ("GET", f"{RUN}/waypoints"): "/waypoints",
    ("GET", f"{RUN}/examinations"): "/examinations",
}
"""Routes that state the cost of each answer, and a path below a run to request each."""
