"""The class behind the proxy of docker-compose.yml: the very Caddyfile, with a real Caddy where there is one."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets import Origin
from websockets.sync.client import connect

from tests.support.application import Application
from tests.support.folders import finished_run
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[3]
CADDY = shutil.which("caddy")
pytestmark = pytest.mark.skipif(CADDY is None, reason="Caddy is not installed")


def free_ports(count: int) -> list[int]:
    """Return ports that were free a moment ago, each another."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def unchecked() -> ssl.SSLContext:
    """Return what accepts every certificate: the authority is the proxy's own, and a viewer's browser warns of it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class ProxiedClass:
    """A class, and a viewer that reaches it through the proxy."""

    def __init__(self, application: Application, address: tuple[str, int], upstream: int) -> None:
        self.application = application
        self.address = address
        self.upstream = upstream

    @property
    def origin(self) -> str:
        return f"https://{self.address[0]}:{self.address[1]}"

    def ask(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        """Return the status, the body and the headers of an answer over https."""
        connection = http.client.HTTPSConnection(*self.address, timeout=20, context=unchecked())
        sent = {"Origin": self.origin, "Content-Type": "application/json"} | headers
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            answer = connection.getresponse()
            return answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}
        finally:
            connection.close()

    def presenter(self) -> dict[str, Any]:
        return self.application.get("/api/class")

    def join(self, **headers: str) -> str:
        """Join. Returns the cookie."""
        secret = self.presenter()["link"].partition("#")[2]
        status, body, answered = self.ask("POST", "/api/class/join", {"code": secret}, **headers)
        assert status == 204, body
        cookie = answered["set-cookie"]
        assert cookie.startswith("__Host-")
        assert "secure" in cookie.lower()
        return cookie.partition(";")[0]


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxiedClass]:
    folder = tmp_path_factory.mktemp("proxied")
    upstream, secure, health = free_ports(3)
    told = (ROOT / "docker" / "Caddyfile").read_text()
    for ours, theirs in (("8443", secure), ("8081", health)):
        assert ours in told
        told = told.replace(ours, str(theirs))
    # Where the container publishes one port as another, here both are one.
    told = told.replace("https://{$LAMPLIGHTER_CLASS} {", f"https://{{$LAMPLIGHTER_CLASS}}:{secure} {{")
    (folder / "Caddyfile").write_text(told)
    environment = os.environ | {
        "LAMPLIGHTER_CLASS": "127.0.0.1",
        "LAMPLIGHTER_CLASS_UPSTREAM": f"127.0.0.1:{upstream}",
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }
    behind = ("--class-behind", f"https://127.0.0.1:{secure}", "--trust-proxy", "127.0.0.1")
    listening = ("--class-host", "127.0.0.1", "--class-port", str(upstream))
    finished_run(folder / "runs")
    words = ("serve", "--no-workers", "--classroom", *listening, *behind)
    with Application(folder / "runs", *words) as application, (folder / "log").open("wb") as log:
        assert CADDY is not None
        caddy = subprocess.Popen(
            [CADDY, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        found = ProxiedClass(application, ("127.0.0.1", secure), upstream)

        def up() -> bool:
            try:
                return found.ask("GET", "/healthz")[0] == 200
            except OSError:
                return False

        try:
            wait_until(up, "the proxy", 30)
            yield found
        finally:
            caddy.terminate()
            assert caddy.wait(20) == 0, (folder / "log").read_text()


def test_a_viewer_joins_over_https_without_naming_a_host(proxied: ProxiedClass):
    # An address is no server name, so that this is what a phone does after the QR code.
    assert proxied.presenter()["encrypted"] is True
    assert proxied.presenter()["link"].startswith(f"{proxied.origin}/#")
    cookie = proxied.join()
    status, body, _ = proxied.ask("GET", "/api/session", Cookie=cookie)
    assert (status, json.loads(body)["role"]) == (200, "viewer")


def test_a_run_is_watched_through_it(proxied: ProxiedClass):
    headers = {"Cookie": proxied.join()}
    url = f"{proxied.origin.replace('https', 'wss')}/api/runs/{proxied.application.only_run().id}/beats"
    # Open and silent: the proxy hands on what is sent, when it is sent.
    with connect(
        url,
        origin=Origin(proxied.origin),
        additional_headers=headers,
        ssl=unchecked(),
        compression=None,
        proxy=None,
    ) as socket:
        kinds: set[str] = set()
        while not {"hello", "class"} <= kinds:
            data = socket.recv(timeout=20)
            if isinstance(data, str):
                kinds.add(json.loads(data)["type"])


def test_the_presenters_routes_are_not_there(proxied: ProxiedClass):
    token = proxied.application.token
    for method, path in (("GET", "/api/class"), ("POST", "/api/runs"), ("GET", "/api/sessions")):
        assert proxied.ask(method, path, Authorization=f"Bearer {token}")[0] in (401, 404, 405)


def test_what_a_viewer_forwards_is_not_believed(proxied: ProxiedClass):
    proxied.join(
        **{"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    )
    # Under another host there is nothing, not even the class.
    assert proxied.ask("GET", "/healthz", Host="evil.example")[1] == b""


def test_large_bodies_end_at_the_proxy(proxied: ProxiedClass):
    # An older Caddy says so in its own way.
    assert proxied.ask("POST", "/api/class/join", {"code": "x" * 100_000})[0] in (413, 502)
