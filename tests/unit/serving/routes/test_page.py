from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import build_frontend
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from lamplighter.serving.apps.app import create_app
from lamplighter.web.http.assets import PLOTLY, Assets
from lamplighter.web.settings import ServerSettings
from tests.support.asgi import HOST, PORT, call


@pytest.fixture
def static(app: FastAPI, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("static")
    (folder / "app" / "assets").mkdir(parents=True)
    (folder / "app" / "index.html").write_text("<!doctype html><title>city</title>")
    (folder / "app" / "assets" / "index-3f9a.js").write_text("export {}")
    (folder / "app" / ".hidden").write_text("no")
    (folder / "secret.txt").write_text("beside the page")
    (folder.parent / "outside.txt").write_text("outside")
    app.state.services.assets.static = folder
    return folder


async def test_the_page(app: FastAPI, static: Path) -> None:
    page = await call(app, "GET", "/")
    assert (page.status, page.headers["cache-control"]) == (200, "no-cache")
    assert b"city" in page.body
    script = await call(app, "GET", "/app/assets/index-3f9a.js")
    assert script.status == 200
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["content-type"].startswith(("text/javascript", "application/javascript"))
    assert (await call(app, "GET", "/app/index.html")).headers["cache-control"] == "no-cache"
    (static / "app" / "index.html").unlink()
    page = await call(app, "GET", "/")
    assert page.status == 503
    assert b"make install" in page.body


async def test_a_file_in_a_folder_beside_the_page_is_not_served(app: FastAPI, static: Path) -> None:
    (static / "lessons").mkdir()
    (static / "lessons" / "01-answers.md").write_text("what a class must not read")
    for path in (
        "lessons/01-answers.md",
        "lessons%2F01-answers.md",
        "./lessons/01-answers.md",
        "lessons",
        "app/index.html",
    ):
        assert (await call(app, "GET", f"/static/{path}")).status == 404
    assert (await call(app, "GET", "/static/secret.txt")).status == 200


async def test_the_icon_that_the_page_names(app: FastAPI) -> None:
    source = (Path(__file__).parents[4] / "frontend" / "index.html").read_text(encoding="utf-8")
    (path,) = re.findall(r'<link rel="icon" type="image/svg\+xml" href="([^"]+)"', source)
    icon = await call(app, "GET", f"/{path}")
    assert (icon.status, icon.headers["content-type"]) == (200, "image/svg+xml")
    assert icon.body.startswith(b"<svg")


@pytest.mark.parametrize(
    "path",
    ["../secret.txt", "..%2fsecret.txt", "%2e%2e/secret.txt", "assets/../../secret.txt", "..\\secret.txt", ".hidden",
     "//etc/passwd", "assets", "", "a%00b", "assets/" + "x" * 5000, "/secret.txt", "./index.html"],
)  # fmt: skip
async def test_nothing_beside_the_page_is_served(app: FastAPI, static: Path, path: str) -> None:
    answer = await call(app, "GET", f"/app/{path}")
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_no_link_leads_out(static: Path) -> None:
    (static / "app" / "link.txt").symlink_to(static.parent / "outside.txt")
    assert Assets(static).find_file("app", "link.txt") is None
    assert Assets(static).find_file("app", "index.html") is not None


@given(st.text(max_size=40))
def test_no_path_leads_out(path: str) -> None:
    here = Path(__file__).resolve().parent
    found = Assets(here.parent).find_file("serving", path)
    assert found is None or found.parent == here


async def test_plotly_comes_with_the_page(app: FastAPI) -> None:
    plain = await call(app, "GET", "/vendor/plotly.min.js")
    zipped = await call(app, "GET", "/vendor/plotly.min.js", {"host": HOST, "accept-encoding": "gzip, br"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped.body) == plain.body
    assert len(zipped.body) < 500_000
    for answer, accepted in ((plain, "identity"), (zipped, "gzip")):
        assert answer.headers["cache-control"] == "no-cache"
        held = {"host": HOST, "accept-encoding": accepted, "if-none-match": answer.headers["etag"]}
        again = await call(app, "GET", "/vendor/plotly.min.js", held)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == answer.headers["etag"]


async def test_the_pages_files_are_sent_compressed_as_they_were_built(app: FastAPI, static: Path) -> None:
    script = static / "app" / "assets" / "index-3f9a.js"
    build_frontend.compress(static / "app")
    zipped = await call(
        app, "GET", "/app/assets/index-3f9a.js", {"host": HOST, "accept-encoding": "br, gzip;q=0.5"}
    )
    assert (zipped.headers["content-encoding"], zipped.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert zipped.headers["content-type"].startswith(("text/javascript", "application/javascript"))
    assert "immutable" in zipped.headers["cache-control"]
    assert gzip.decompress(zipped.body) == script.read_bytes()
    for accepted in ("identity", "gzip;q=0", "br"):
        plain = await call(
            app, "GET", "/app/assets/index-3f9a.js", {"host": HOST, "accept-encoding": accepted}
        )
        assert "content-encoding" not in plain.headers
        assert (plain.headers["vary"], plain.body) == ("Accept-Encoding", script.read_bytes())


async def test_another_release_of_plotly_has_another_tag(app: FastAPI, static: Path) -> None:
    file = static / "app" / PLOTLY
    file.parent.mkdir()
    tags: set[str] = set()
    for text in ("one", "other"):
        file.write_text(text)
        answer = await call(app, "GET", f"/{PLOTLY}", {"host": HOST, "if-none-match": "".join(tags)})
        assert answer.body == text.encode()
        tags.add(answer.headers["etag"])
    assert len(tags) == 2


async def test_every_answer_carries_the_security_headers(app: FastAPI) -> None:
    for path, status in (
        ("/healthz", 200),
        ("/nowhere", 404),
        ("/api/runs/none", 404),
        ("/launch?code=x", 403),
    ):
        answer = await call(app, "GET", path)
        assert answer.status == status
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert f"connect-src 'self' ws://{HOST}" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        for feature in ("camera", "geolocation", "microphone", "usb"):
            assert f"{feature}=()" in answer.headers["permissions-policy"]
        assert "strict-transport-security" not in answer.headers


async def test_over_https_the_browser_is_told_to_stay_there(tmp_path: Path) -> None:
    public = "https://school.example"
    app = create_app(ServerSettings(tmp_path, host="0.0.0.0", port=PORT, behind=public, roles=()))
    told = (await call(app, "GET", "/healthz", {"host": "school.example"}, peer="10.0.0.2")).headers
    assert told["strict-transport-security"] == "max-age=31536000"
    here = (await call(app, "GET", "/healthz", peer="10.0.0.2")).headers
    assert "strict-transport-security" not in here


@pytest.mark.parametrize(
    "public",
    [
        "https://localhost:8443",
        "https://127.0.0.1:8443",
        "https://lamplighter.localhost",
        "https://school.example/lamp",
    ],
)
async def test_other_services_on_the_same_host_are_unaffected(tmp_path: Path, public: str) -> None:
    app = create_app(ServerSettings(tmp_path, host="0.0.0.0", port=PORT, behind=public, roles=()))
    host = public.removeprefix("https://").partition("/")[0]
    told = await call(app, "GET", "/healthz", {"host": host}, peer="10.0.0.2")
    assert told.status == 200
    assert "strict-transport-security" not in told.headers


async def test_the_interface_describes_itself(app: FastAPI) -> None:
    schema = (await call(app, "GET", "/api/openapi.json")).json
    text = json.dumps(schema)
    shapes = schema["components"]["schemas"]
    for name in {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}:
        assert name in shapes, f"{name} is referred to and not described"
    page = (await call(app, "GET", "/api/docs")).body.decode()
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            assert f"{method.upper()} {path}</h3>" in page
            assert operation["description"], f"{method} {path} says nothing of itself"
    assert "<script" not in page
    assert "style=" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert (await call(app, "GET", "/api/docs.css")).headers["content-type"].startswith("text/css")
