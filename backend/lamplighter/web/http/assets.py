"""The page's files, from a wheel or a checkout.

All are sent from files in pieces, gzip-compressed if the client accepts that (every browser does; other encodings need
https). The build compresses them.
"""

from __future__ import annotations

from pathlib import Path

from lamplighter.platform.static_folder import find_static

PLOTLY = "vendor/plotly.min.js"
"""The path of plotly.js, on a server and in the built page."""

NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Lamplighter: the page is not built</title></head>
<body><h1>The page is not built</h1>
<p>The server is up, and so is its <a href="api/docs">interface</a>, but the page has not been built into
<code>static/app</code>. In a checkout, run:</p>
<pre>make install</pre>
<p>and load this page again. An installed package always carries it: if you see this with one, reinstall it.</p>
</body></html>
"""


class Assets:
    """The static files of the page."""

    def __init__(self, static: Path | None = None) -> None:
        self.static = static or find_static()

    def index_html(self) -> str | None:
        try:
            return (self.static / "app" / "index.html").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def find_file(self, below: str, path: str) -> Path | None:
        """Return the file for a request path below a folder of `static`; None if it is missing or outside that
        folder.
        """
        parts = path.split("/")
        if any(not part or part.startswith(".") or "\\" in part or "\0" in part for part in parts):
            return None
        root = (self.static / below).resolve()
        try:
            found = root.joinpath(*parts).resolve()
            # Resolve before comparing: a link may lead outside, and on some systems a part may be a drive.
            return found if found.is_relative_to(root) and found.is_file() else None
        except (OSError, ValueError):
            return None

    def find_gzipped(self, file: Path) -> Path | None:
        """Return the gzip-compressed copy of a file that `find_file` found; None if the build made none."""
        gzipped = file.with_name(f"{file.name}.gz")
        return gzipped if gzipped.is_file() else None
