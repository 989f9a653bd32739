"""A server behind a real proxy that serves it under a path: links, page, assets, cookie, changes, socket."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import websockets

from lamplighter.web.settings import ServerSettings
from tests.support.folders import finished_run
from tests.support.machine.path_proxy import PathProxy
from tests.support.served import ServerThread

PUBLIC = "school.example"
ORIGIN = f"https://{PUBLIC}"


@pytest.fixture
def proxy() -> Iterator[PathProxy]:
    opened = PathProxy("/lamplighter")
    yield opened
    opened.close()


@pytest.fixture
def behind(tmp_path: Path, proxy: PathProxy) -> Iterator[ServerThread]:
    settings = ServerSettings(tmp_path, port=0, roles=(), behind=f"{ORIGIN}/lamplighter/")
    server = ServerThread(settings).start()
    proxy.target = server.port
    yield server
    server.stop()


def ask(
    proxy: PathProxy, method: str, path: str, headers: dict[str, str] | None = None
) -> tuple[http.client.HTTPResponse, str]:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    connection.request(method, path, headers={"Host": PUBLIC, **(headers or {})})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer, body


def test_a_browser_behind_a_path_reads_changes_and_watches(
    tmp_path: Path, proxy: PathProxy, behind: ServerThread
) -> None:
    run = finished_run(tmp_path, 5).id
    assert behind.ready.url == f"{ORIGIN}/lamplighter/"
    assert behind.ready.launch_url.startswith(f"{ORIGIN}/lamplighter/launch?code=")
    answer, body = ask(proxy, "GET", behind.ready.launch_url.removeprefix(ORIGIN))
    assert answer.status == 200
    cookie = answer.headers["set-cookie"]
    # `__Host-` would need the path to be that of the whole host.
    assert cookie.startswith("__Secure-lamplighter-443=")
    assert {"Secure", "HttpOnly", "Path=/lamplighter/", "SameSite=strict"} <= set(cookie.split("; "))
    (script,) = re.findall(r'<script src="([^"]+)"', body)
    assert ask(proxy, "GET", f"/lamplighter/{script}")[0].status == 200
    (key,) = re.findall(r'name="lamplighter-key" content="([^"]+)"', body)
    session = {"Cookie": cookie.partition(";")[0], "Lamplighter-Key": key}
    assert ask(proxy, "GET", "/lamplighter/api/runs")[0].status == 401
    assert ask(proxy, "GET", "/lamplighter/api/runs", session)[0].status == 200
    for origin, wanted in (
        (ORIGIN, 201),
        (f"{ORIGIN}/lamplighter", 403),
        (f"http://{PUBLIC}", 403),
        ("null", 403),
    ):
        answer, body = ask(proxy, "POST", "/lamplighter/api/launches", {**session, "Origin": origin})
        assert answer.status == wanted, origin
        assert wanted != 201 or json.loads(body)["url"].startswith(f"{ORIGIN}/lamplighter/launch?code=")

    async def watch() -> object:
        async with websockets.connect(
            f"ws://{PUBLIC}/lamplighter/api/runs/{run}/live",
            host="127.0.0.1",
            port=proxy.port,
            origin=ORIGIN,  # pyright: ignore[reportArgumentType]
            additional_headers={"Cookie": session["Cookie"]},
        ) as socket:
            return json.loads(await socket.recv())["type"]

    assert asyncio.run(watch()) == "hello"


def test_the_pages_of_the_server_name_nothing_at_the_root_of_the_host(
    proxy: PathProxy, behind: ServerThread
) -> None:
    for path in ("/", "/api/docs", "/launch?code=used"):
        body = ask(proxy, "GET", f"/lamplighter{path}")[1]
        assert not re.findall(r'(?:href|src|action)="/[^"]*"', body), path
