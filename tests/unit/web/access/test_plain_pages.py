"""The pages for wrong addresses."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from lamplighter.web.http.plain_pages import unknown_page
from tests.support.asgi import HOST, call

pytestmark = pytest.mark.anyio

BROWSER = {"host": HOST, "accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PROBLEM = "application/problem+json"


@pytest.mark.parametrize(("path", "title"), [("/nowhere", "There is no page here"), ("/a/b/c?d", "There is no page here"), ("/launch?code=old", "This presenter link has expired")])  # fmt: skip
async def test_a_browser_gets_a_page_in_our_look(app: FastAPI, path: str, title: str) -> None:
    answer = await call(app, "GET", path, BROWSER)
    page = answer.body.decode()
    assert answer.status == (403 if "launch" in path else 404)
    assert answer.headers["content-type"].startswith("text/html")
    assert f"<h1>{title}</h1>" in page
    assert f'rel="stylesheet" href="http://{HOST}/static/plain.css"' in page
    assert "<script" not in page
    assert "style=" not in page, "the content security policy does not allow it"
    assert "default-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/api/nowhere", "/api", "/api/runs/none/nowhere"])
async def test_below_api_every_client_gets_json(app: FastAPI, path: str) -> None:
    answer = await call(app, "GET", path, BROWSER)
    assert (answer.status, answer.headers["content-type"]) == (404, PROBLEM)


async def test_a_program_gets_json(app: FastAPI) -> None:
    for headers in ({"host": HOST}, {"host": HOST, "accept": "application/json"}):
        answer = await call(app, "GET", "/nowhere", headers)
        assert (answer.status, answer.headers["content-type"]) == (404, PROBLEM)


def test_nothing_of_an_address_is_markup() -> None:
    assert b"<script>" not in bytes(unknown_page('https://x/"><script>alert(1)</script>/').body)
