"""The page's files, from a wheel or a checkout, and plotly.js from the installed package.

All are sent from files in pieces, gzip-compressed if the client accepts that (every browser does; other encodings need
https). The build compresses the page's own files. plotly.js comes from an installed package, whose folder may not be
writable: it is compressed on first use into an unnamed temporary file, which no other program can open.
"""

from __future__ import annotations

import gzip
import io
import shutil
import tempfile
from dataclasses import dataclass
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import IO, cast

from lamplighter.platform.static_folder import find_static
from lamplighter.web.capacity.body import Body
from lamplighter.web.capacity.single_flight import SingleFlight
from lamplighter.web.capacity.spool import SpoolFile

NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Lamplighter: the page is not built</title></head>
<body><h1>The page is not built</h1>
<p>The server is up, and so is its <a href="api/docs">interface</a>, but the page has not been built into
<code>static/app</code>. In a checkout, run:</p>
<pre>make install</pre>
<p>and load this page again. An installed package always carries it: if you see this with one, reinstall it.</p>
</body></html>
"""


@dataclass(frozen=True)
class CompressedScript:
    """A script, plain and gzip-compressed, with its entity tag."""

    plain: Path
    gzipped: Body
    etag: str
    """The tag of its contents, independent of the file."""


class Assets:
    """The static files of the page."""

    def __init__(self, static: Path | None = None) -> None:
        """Use the files below `static` (by default the folder in the wheel or the checkout)."""
        self.static = static or find_static()
        self._plotly: CompressedScript | None = None
        self._plotly_work = SingleFlight()

    def index_html(self) -> str | None:
        """Return the HTML of the page, or None if it has not been built."""
        try:
            return (self.static / "app" / "index.html").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def find_file(self, below: str, path: str) -> Path | None:
        """Return the file for a request path below a folder of `static`; None if it is missing or outside
        that folder."""
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

    def plotly(self) -> CompressedScript | None:
        """Return plotly.js, compressed on first use; None if the package does not contain it.

        Raises:
            InProgressError: another thread is compressing it.
        """
        if self._plotly is None:
            with self._plotly_work.alone():
                self._plotly = self._plotly or _load_plotly()
        return self._plotly


def find_plotly() -> Path | None:
    """Return the path of plotly.js in the installed plotly package; None if there is no such package."""
    # Locate the package without importing it: importing plotly takes a second.
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"


def _load_plotly() -> CompressedScript | None:
    script = find_plotly()
    if script is None:
        return None
    try:
        with script.open("rb") as plain:
            digest = blake2b(digest_size=12)
            while piece := plain.read(1 << 16):
                digest.update(piece)
            plain.seek(0)
            return CompressedScript(script, Body(_compress(plain)), f'"{digest.hexdigest()}"')
    except FileNotFoundError:
        return None


def _compress(plain: IO[bytes]) -> SpoolFile:
    """Return a file with the gzip-compressed contents of another."""
    try:
        file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
    except OSError:
        # There is no folder for temporary files, or the disk is full.
        file = io.BytesIO()
    spooled = SpoolFile(file)
    with gzip.GzipFile(fileobj=cast("IO[bytes]", spooled), mode="wb", compresslevel=6, mtime=0) as zipped:
        shutil.copyfileobj(plain, zipped)
    return spooled
