"""The self-check of an installation: what it says of a page that is not whole. The whole of it runs where wheels are installed
(`tests/integration/deployment/test_release.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lamplighter.cli.doctor.self_check import SelfCheckError, fetch_page, report


class Quiet(SimpleHTTPRequestHandler):
    """A handler that logs nothing."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Generator[tuple[Path, str]]:
    """Give a folder and the address at which it is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield tmp_path, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_page_with_all_its_parts_is_counted(site: tuple[Path, str], monkeypatch: pytest.MonkeyPatch):
    folder, address = site
    # A proxy does not lead to this machine.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    (folder / "index.html").write_text('<script src="/page.js"></script><link href="./page.css">')
    (folder / "page.js").write_text("1")
    (folder / "page.css").write_text("a {}")
    assert fetch_page(address).startswith("3 files")


@pytest.mark.parametrize(
    ("page", "script", "said"),
    [
        ("", None, "lacks the built page"),
        ('<script src="page.js"></script>', None, "HTTPError: HTTP Error 404"),
        ('<script src="page.js"></script>', "", "page.js is empty"),
    ],
)
def test_what_is_missing_is_said_in_one_line(
    site: tuple[Path, str], page: str, script: str | None, said: str, capsys: pytest.CaptureFixture[str]
):
    folder, address = site
    (folder / "index.html").write_text(page)
    if script is not None:
        (folder / "page.js").write_text(script)
    with pytest.raises(SelfCheckError):
        report("the page", lambda: fetch_page(address))
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("!!  the page: ")
    assert said in told.err
    assert told.err.count("\n") == 1
