"""The file that opens the page as the presenter: it posts a launch code, which keeps the code out of the browser's
command line.

Every program on the machine can read every command line. The file's URL may appear there: only its user can read the
file, which is removed when its code is spent, at the latest with the server.

Browsers from a Snap package cannot see `/tmp` or hidden folders in the home folder. So the file has a visible name, in
the folder of runs if such a browser can see it, else in the home folder. A browser on the Windows side of WSL cannot
read Linux paths: `reads_our_files` is false there, and the link goes on the command line.
"""

from __future__ import annotations

import contextlib
import html
import json
import platform
import secrets
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from lamplighter.platform.private_modes import open_private
from lamplighter.web.access.launch_codes import CODE_SECONDS

_PATTERN = "lamplighter-launch-*.html"

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Lamplighter</title><meta name="referrer" content="no-referrer"></head>
<body><form method="post" action="{fallback}"><input type="hidden" name="code" value="{code}">
<button>Open Lamplighter</button></form>
<script>
const form = document.querySelector("form");
const asked = new URLSearchParams({{ code: form.elements.code.value, probe: "1" }});
const open = (address) => {{ form.action = address; form.submit(); }};
const own = {own};
if (own === null) open(form.action);
else fetch(own, {{ method: "POST", body: asked, credentials: "omit", signal: AbortSignal.timeout({patience}) }})
  .then((answer) => open(answer.ok ? own : form.action), () => open(form.action));
</script></body></html>
"""
"""`own` is tried first: the server confirms it only for a valid code, without spending the code."""

_PATIENCE_MS = 2_500
"""Time for the browser to find the server under its own name, in ms, including the name lookup."""


def write_launch_file(folders: Sequence[Path], code: str, fallback: str, own: str | None) -> Path | None:
    """Write a launch file that only this user can read, into the first of `folders` that is writable; None if none
    is.

    It posts the code to `fallback`, or to `own` if the browser resolves the server's own name.
    """
    page = _PAGE.format(
        fallback=html.escape(fallback),
        code=html.escape(code),
        own=json.dumps(own).replace("<", "\\u003c"),
        patience=_PATIENCE_MS,
    )
    for folder in folders:
        with contextlib.suppress(OSError):
            _remove_stale(folder)
            path = folder.resolve() / _PATTERN.replace("*", secrets.token_hex(4))
            with open(path, "x", encoding="utf-8", opener=open_private) as file:
                file.write(page)
            return path
    return None


def remove_launch_file(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def launch_folders(runs: Path, home: Path | None) -> list[Path]:
    """Return the folders for a launch file, the best first: readable by any browser, then by most."""
    folders = [folder for folder in (runs.resolve(), home and home.resolve()) if folder is not None]
    seen_by_all = [folder for folder in folders if home is not None and _is_visible(folder, home.resolve())]
    return [
        *seen_by_all,
        *(folder for folder in folders if folder not in seen_by_all),
        Path(tempfile.gettempdir()),
    ]


def reads_our_files() -> bool:
    """Return whether the browser that we start can read files under our paths."""
    return "microsoft" not in platform.release().lower()


def _is_visible(folder: Path, home: Path) -> bool:
    if not folder.is_relative_to(home):
        return False
    parts = folder.relative_to(home).parts
    return not parts or not (parts[0].startswith(".") or parts[0] == "snap")


def _remove_stale(folder: Path) -> None:
    """Remove the files of killed servers; their codes are invalid."""
    for path in folder.glob(_PATTERN):
        with contextlib.suppress(OSError):
            if time.time() - path.lstat().st_mtime > 2 * CODE_SECONDS:
                path.unlink()
