"""A run packed into one page, and a plain host of files that serves it."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lamplighter.exports.export import export_run
from lamplighter.runfolder.run_folder import RunFolder


def pack(run: RunFolder, folder: Path) -> Path:
    """Return the page of a run, made in a folder."""
    return export_run(run, "html", out=folder / "run.html")


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of requests."""


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
