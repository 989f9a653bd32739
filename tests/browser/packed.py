"""A run packed into one page, and a static file server for it."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize

from lamplighter.exports.export import export_run
from lamplighter.runfolder.run_folder import RunFolder


def pack(run: RunFolder, folder: Path) -> Path:
    """Pack a run into a page in a folder. Return its path."""
    return export_run(run, "html", out=folder / "run.html")


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Suppress the request log."""


@contextmanager
def host_files(folder: Path) -> Generator[str]:
    """Serve the files of a folder. Yields its address, with a slash at the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_QuietHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


def open_offline(chromium: Browser, url: str, size: ViewportSize | None = None) -> Page:
    """Open a page without network access; its context collects `faults` and `asked`."""
    context = chromium.new_context(
        viewport=size or {"width": 1280, "height": 720},
        reduced_motion="reduce",
        offline=url.startswith("file:"),
    )
    page = context.new_page()
    page.faults, page.asked = [], []  # pyright: ignore[reportAttributeAccessIssue]
    page.on("pageerror", lambda error: page.faults.append(f"{error}\n{error.stack}"))  # pyright: ignore
    page.on("console", lambda said: said.type == "error" and page.faults.append(said.text))  # pyright: ignore
    page.on("request", lambda sent: page.asked.append(sent.url))  # pyright: ignore
    page.goto(url)
    return page


def close_clean(page: Page, url: str) -> None:
    """Close a page after checking that it reported no fault and requested only itself."""
    page.context.close()
    assert page.faults == []  # pyright: ignore[reportAttributeAccessIssue]
    asked = {one.partition("?")[0] for one in page.asked if not one.startswith(("data:", "blob:"))}  # pyright: ignore
    assert asked <= {url.partition("?")[0]}
