"""The access matrix: every route, with every credential, from every origin, under every host name.

The expectation is computed here from the rules in `docs/rest.md`, not taken from the gate. A new route that
is not listed below fails the first test.
"""

from __future__ import annotations

import os
import time
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from lamplighter.serving.apps.app import create_app
from lamplighter.web.access.credentials import PusherStore
from lamplighter.web.access.decision import came_through_a_proxy
from lamplighter.web.access.gate import SESSION_KEY_HEADER
from lamplighter.web.access.session_store import SESSIONS_FOLDER, UNUSED_SECONDS
from lamplighter.web.settings import ServerSettings
from tests.support.asgi import HOST, ORIGIN, PORT, call, connect
from tests.support.route_lists import (
    LISTED,
    OPEN,
    OPEN_CHANGE,
    PRESENT,
    PUSH,
    RUN,
    SOCKETS,
    declared,
)

NO_HEAD = {"/launch", f"{RUN}/exports/{{export}}/file"}
"""Paths whose GET answers no HEAD."""

SESSIONS = ("session", "cookie only", "key of another session")
"""Callers whose cookie is that of a session that holds."""
WHO = ("nobody", "viewer", "key only", "ended session", "expired session", "session of another name", *SESSIONS,
       "bearer", "wrong bearer", "pusher", "pusher of other runs", "revoked pusher", "expired pusher")  # fmt: skip
LET_THROUGH = ("viewer", "session", "bearer", "pusher")
"""Callers of whom each may do something that the others may not."""
FROM = {"good": ORIGIN, "foreign": "http://evil.example", "sibling": f"http://127.0.0.1:{PORT + 1}",
        "other name": f"http://localhost:{PORT}", "null": "null", "absent": None}  # fmt: skip
METHODS = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "get",
    "FOO",
)
OWN = f"lamplighter.localhost:{PORT}"
OWN_HOSTS = {HOST, f"localhost:{PORT}", f"[::1]:{PORT}", OWN, f"127.0.0.1:0{PORT}"}
HOSTS = (
    HOST, f"localhost:{PORT}", f"LOCALHOST:{PORT}", f"[::1]:{PORT}", f" {HOST}", f"{HOST} ", f"127.0.0.1:0{PORT}", OWN, OWN.upper(),
    "", "localhost", "127.0.0.1", "[::1]", f"localhost.:{PORT}", f"127.0.0.1.:{PORT}", f"127.0.0.1:{PORT + 1}", f"a@{HOST}",
    f"127.1:{PORT}", f"2130706433:{PORT}", f"0x7f000001:{PORT}", f"0177.0.0.1:{PORT}", f"127.0.0.1.nip.io:{PORT}",
    f"\xb9\xb2\xb7.0.0.1:{PORT}", f"[0:0:0:0:0:0:0:1]:{PORT}", f"[::ffff:127.0.0.1]:{PORT}", f"[::1%25lo0]:{PORT}", f"[::1:{PORT}",
    f"{HOST},{HOST}", f"{HOST}/", f"http://{HOST}", f"{HOST}\r\n evil", "127.0.0.1:99999999", f"127.0.0.2:{PORT}",
    f"evil.example:{PORT}", f"127.0.0.1:{PORT}.evil.example", f"evil.{OWN}", f"lamplighter.localhost.:{PORT}", "lamplighter.localhost",
    f"lamplighter.localhost.evil.example:{PORT}", f"xlamplighter.localhost:{PORT}",
)  # fmt: skip
assert len(HOSTS) >= 35
ORIGINS: tuple[str | None, ...] = (
    ORIGIN, f"HTTP://{HOST}", f"http://127.0.0.1:0{PORT}", f"http://{OWN}", None, "null", "", "file://", f"https://{HOST}",
    f"http://localhost:{PORT}", f"http://[::1]:{PORT}", f"http://127.0.0.1:{PORT + 1}", "http://127.0.0.1", f"{ORIGIN}/", f"{ORIGIN} {ORIGIN}",
    f"http://user@{HOST}", f"http://{HOST}.evil.example", "http://evil.example", f"ws://{HOST}", f"http://evil.{OWN}", f"https://{OWN}",
)  # fmt: skip
assert len(ORIGINS) >= 18
UNDER = {"good": HOST, "foreign": "evil.example", "other port": f"127.0.0.1:{PORT + 1}"}


class Credentials:
    """Headers of every kind of caller, at one address of a server."""

    def __init__(self, app: FastAPI, at: str = ORIGIN) -> None:
        self._gate = app.state.services.gate
        sessions = self._gate.credentials.sessions
        self.session, other = (sessions.begin_session(at, "")[1] for _ in range(2))
        named, elsewhere = sessions.begin_session(f"http://localhost:{PORT}", "")
        ended, revoked = sessions.begin_session(at, "")
        old, expired = sessions.begin_session(at, "")
        assert sessions.end_session(ended.id)
        kept = app.state.services.settings.runs / SESSIONS_FOLDER
        os.utime(kept / f"{old.id}.json", (0, time.time() - UNUSED_SECONDS - 1))
        listed = {session.id for session in sessions.list_sessions()}
        assert named.id in listed
        assert not listed & {ended.id, old.id}
        pushers = PusherStore(app.state.services.settings.runs)
        self.pushers = {
            who: pushers.issue_token(prefix, seconds, 100, 10**9)
            for who, prefix, seconds in (
                ("pusher", "no-such", 60.0),
                ("pusher of other runs", "other", 60.0),
                ("revoked pusher", "no-such", 60.0),
                ("expired pusher", "no-such", -1.0),
            )
        }
        assert pushers.revoke(self.pushers["revoked pusher"][0].id)
        self._secrets = {
            "session": (self.session.cookie, self.session.key),
            "cookie only": (self.session.cookie, None),
            "key of another session": (self.session.cookie, other.key),
            "key only": (None, self.session.key),
            "viewer": ("guess", "guess"),
            "session of another name": (elsewhere.cookie, elsewhere.key),
            "ended session": (revoked.cookie, revoked.key),
            "expired session": (expired.cookie, expired.key),
        }

    def headers(self, who: str, origin: str | None, host: str) -> dict[str, str]:
        found = {"host": host}
        if origin is not None:
            found["origin"] = origin
        cookie, key = self._secrets.get(who, (None, None))
        if cookie is not None:
            found["cookie"] = f"theme=dark; other={self.session.cookie}; {self._gate.cookie_name()}={cookie}"
        if key is not None:
            found[SESSION_KEY_HEADER] = key
        if who == "bearer":
            found["authorization"] = f"Bearer {self._gate.credentials.token}"
        elif who == "wrong bearer":
            found["authorization"] = f"Bearer {self.session.key}"
        elif who in self.pushers:
            found["authorization"] = f"Bearer {self.pushers[who][1]}"
        return found


def expected(method: str, path: str, who: str, source: str, under: str, *, loopback: bool) -> bool:
    if under != "good" or who == "wrong bearer":
        return False
    if (method, path) in PUSH or "pusher" in who:
        return (method, path) in PUSH and who == "pusher" and source in ("good", "absent")
    if (method, path) in OPEN_CHANGE:
        return source in ("good", "absent", "null")
    if source not in ("good", "absent"):
        return False
    if method in ("POST", "PUT", "PATCH", "DELETE"):
        return who == "bearer" or (who == "session" and source == "good")
    if path in PRESENT:
        return who in ("session", "bearer")
    return path in OPEN or loopback or who in (*SESSIONS, "bearer")


async def passed(
    app: FastAPI, method: str, path: str, given: dict[str, str], peer: str = "127.0.0.1"
) -> bool:
    """Return whether the gate let the request through to the route, which then finds no such run."""
    real = path.replace("{run}", "no-such-run").replace("{step}", "1").replace("{token_id}", "1")
    real = (
        real.replace("{path:path}", "none.js")
        .replace("{export}", "none")
        .replace("{examination}", "none")
        .replace("{session}", "none")
        .replace("{member}", "0" * 16)
        .replace("{fragment}", f"1-0-1-{'0' * 16}.frag")
    )
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
async def test_access(tmp_path: Path, loopback: bool) -> None:
    more: dict[str, Any] = {} if loopback else {"host": "0.0.0.0", "behind": HOST}
    app = create_app(ServerSettings(tmp_path, port=PORT, roles=(), **more))
    credentials = Credentials(app)
    # One thing at a time is amiss: a wrong host hides a wrong origin.
    odd = [(source, "good") for source in FROM if source != "good"]
    odd += [("good", under) for under in UNDER if under != "good"]
    # Whom the gate alone refuses is asked below; here a caller of each kind that it lets through.
    cases = [(who, ("good", "good")) for who in WHO] + list(product(LET_THROUGH, odd))
    wrong: list[str] = []
    for (method, path), (who, (source, under)) in product(sorted(LISTED), cases):
        given = credentials.headers(who, FROM[source], UNDER[under])
        wanted = expected(method, path, who, source, under, loopback=loopback)
        if await passed(app, method, path, given, "127.0.0.1" if loopback else "172.17.0.1") != wanted:
            wrong.append(f"{method} {path} by {who}, origin {source}, host {under}: should be {wanted}")
    assert wrong == []


@pytest.mark.parametrize("loopback", [True, False])
def test_all_methods_have_the_same_access(tmp_path: Path, loopback: bool) -> None:
    """Every path with every method and every credential, as the gate alone decides: at least as many as an audit asked."""
    more: dict[str, Any] = {} if loopback else {"host": "0.0.0.0", "behind": HOST}
    app = create_app(ServerSettings(tmp_path, port=PORT, roles=(), **more))
    gate, credentials = app.state.services.gate, Credentials(app)
    pushers = {who: PusherStore(tmp_path).find_pusher(one[1]) for who, one in credentials.pushers.items()}
    asked, wrong = 0, list[str]()
    for who, source in product(WHO, ("good", "absent", "foreign", "null")):
        given = credentials.headers(who, FROM[source], HOST)
        pairs = [(name.lower().encode(), value.encode()) for name, value in given.items()]
        for (_, path), method in product(sorted(LISTED), METHODS):
            kind = "websocket" if path in SOCKETS else "http"
            real = path.replace("{run}", "no-such-run")
            allowed = gate.decide(kind, method, real, pairs, "127.0.0.1", pushers.get(who)).allowed
            known = (
                "WS" if kind == "websocket" else "GET" if method == "HEAD" and path not in NO_HEAD else method
            )
            listed = (known, path) in LISTED
            wanted = listed and expected(known, path, who, source, "good", loopback=loopback)
            asked += 1
            if allowed != wanted:
                wrong.append(f"{method} {path} by {who}, origin {source}: should be {wanted}")
    assert wrong == []
    assert asked >= 5_160


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_is_one_of_ours_only_in_the_ways_that_mean_it(tmp_path: Path, host: str) -> None:
    app = create_app(ServerSettings(tmp_path, port=PORT, roles=(), own_name=True))
    wanted = host.strip().lower() in OWN_HOSTS
    decision = app.state.services.gate.decide(
        "http", "GET", "/healthz", [(b"host", host.encode("latin-1"))], "127.0.0.1"
    )
    assert decision.allowed == wanted


@pytest.mark.parametrize("own_name", [True, False])
def test_an_origin_allows_a_change_only_if_it_is_the_very_address(tmp_path: Path, own_name: bool) -> None:
    app = create_app(ServerSettings(tmp_path, port=PORT, roles=(), own_name=own_name))
    addresses = {HOST: ORIGIN} | ({OWN: f"http://{OWN}"} if own_name else {})
    for host, at in addresses.items():
        given = Credentials(app, at)
        for origin in ORIGINS:
            pairs = [
                (k.lower().encode(), v.encode()) for k, v in given.headers("session", origin, host).items()
            ]
            decision = app.state.services.gate.decide("http", "POST", "/api/runs", pairs, "127.0.0.1")
            # The scheme may be in capitals and a port may have a leading zero: both mean the same.
            wanted = origin is not None and origin.lower().replace(f":0{PORT}", f":{PORT}") == at
            assert (decision.allowed, decision.presenter) == (wanted, wanted), origin


@pytest.mark.parametrize("header", ["Forwarded", "Via", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Host",
                                    "X-Forwarded-Proto", "CF-Ray", "CF-Connecting-IP"])  # fmt: skip
async def test_refuses_forwarded_requests_of_unknown_proxies(tmp_path: Path, header: str) -> None:
    for settings in ({}, {"own_name": True}):
        app = create_app(ServerSettings(tmp_path, port=PORT, roles=(), **settings))
        for path in ("/", "/api/runs", "/healthz"):
            answer = await call(app, "GET", path, {"host": HOST, header: "for=8.8.8.8"})
            assert answer.status == 403
            assert "start with --behind" in answer.json["detail"]
        assert not (await connect(app, "/api/runs/x/live", {"host": HOST, header: "1"}))[0]
    known = create_app(ServerSettings(tmp_path, port=PORT, roles=(), behind="https://lamps.example"))
    assert (await call(known, "GET", "/healthz", {"host": "lamps.example", header: "1"})).status == 200
    assert (await call(known, "GET", "/api/runs", {"host": "lamps.example", header: "1"})).status == 401
    assert (await call(known, "GET", "/api/runs", {"host": HOST, header: "1"})).status == 401


def test_the_headers_of_proxies_and_tunnels_are_told_from_those_of_browsers() -> None:
    proxies = (
        "Forwarded", "Via", "X-Real-IP", "X-Client-IP", "True-Client-IP", "X-Forwarded", "X-Forwarded-For", "X-Original-URL",
        "CF-Ray", "CF-Connecting-IP", "Client-IP", "X-Cluster-Client-IP", "Fastly-Client-IP", "Fastly-SSL", "Fly-Client-IP",
        "Fly-Request-Id", "X-Envoy-External-Address", "X-Arr-Log-Id", "X-Azure-ClientIP", "DO-Connecting-IP",
        "Tailscale-User-Login", "X-ProxyUser-Ip",
    )  # fmt: skip
    for name in proxies:
        assert came_through_a_proxy([(b"host", b"x"), (name.encode(), b"1")]), name
    browsers = (
        "Host", "Cookie", "Origin", "Authorization", "Accept-Language", "Cache-Control", "DNT", "If-None-Match", "Range",
        "Sec-Fetch-Site", "Sec-CH-UA", "Sec-WebSocket-Key", "Upgrade-Insecure-Requests", "X-Requested-With", SESSION_KEY_HEADER,
    )  # fmt: skip
    assert not came_through_a_proxy([(name.encode(), b"1") for name in browsers])


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_other_pages_cannot_load_anything_but_may_link_to_the_page(app: FastAPI, site: str) -> None:
    for method, path in sorted(LISTED):
        assert not await passed(app, method, path, {"host": HOST, "sec-fetch-site": site})
    link = {"host": HOST, "sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert await passed(app, "GET", "/", link)
    assert await passed(app, "GET", "/launch", link)
    assert not await passed(app, "GET", "/api/runs", link)
    assert not await passed(app, "GET", "/", {**link, "sec-fetch-dest": "iframe"})


async def test_a_viewer_that_may_not_read_hears_that_it_is_final(tmp_path: Path) -> None:
    app = create_app(ServerSettings(tmp_path, host="0.0.0.0", port=PORT, behind=HOST, roles=()))
    assert await connect(app, "/api/runs/x/live", {"host": HOST, "origin": ORIGIN}) == (True, 4403)


async def test_only_this_machine_may_connect(app: FastAPI, bearer: dict[str, str]) -> None:
    for peer in ("10.0.0.7", "172.17.0.1", "::ffff:10.0.0.7", None):
        assert (await call(app, "GET", "/healthz", bearer, peer=peer)).status == 403
    for peer in ("127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"):
        assert (await call(app, "GET", "/healthz", peer=peer)).status == 200


async def test_hosts_are_this_servers_own(app: FastAPI) -> None:
    for host, status in ((HOST, 200), ("evil.example", 403), (f"127.0.0.1:0{PORT}0", 403)):
        assert (await call(app, "GET", "/healthz", {"host": host})).status == status
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
