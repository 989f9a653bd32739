"""The file that opens the page as the presenter: it posts a launch code, which so stays out of the browser's command line.

Every program on the machine can read the command line of every other. The file's URL may stand there: only its user can
read the file, which goes when its code is spent, and with the server at the latest.

Browsers from a Snap package see nothing of `/tmp`, nor of hidden folders in the home folder. So the file lies, under a
name that is not hidden, in the folder of runs if such a browser can see it, else in the home folder. A browser on the
Windows side of WSL cannot read a path of Linux at all: `reads_our_files` is false there, and the link goes on the command
line.
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
"""`own` is tried first: the server says yes only to who holds the code, and without using it up."""

_PATIENCE_MS = 2_500
"""Time that the browser may take to find the server under its own name, in ms. It includes looking the name up."""


def write_launch_file(folders: Sequence[Path], code: str, fallback: str, own: str | None) -> Path | None:
    """Write a launch file that only this user can read.

    Args:
        folders: where it may lie, the best place first.
        code: the launch code.
        fallback: the URL to post to in any browser.
        own: the URL to post to where the browser resolves the server's own name; None: it has none.

    Returns:
        the file, or None if none of the folders can be written.
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
    """Remove a launch file, if it is still there."""
    with contextlib.suppress(OSError):
        path.unlink()


def launch_folders(runs: Path, home: Path | None) -> list[Path]:
    """Return where a launch file may lie, the best place first: where any browser can read, then where most can.

    Args:
        runs: the folder of runs.
        home: the user's home folder, if it is known.
    """
    folders = [folder for folder in (runs.resolve(), home and home.resolve()) if folder is not None]
    seen_by_all = [folder for folder in folders if home is not None and _is_visible(folder, home.resolve())]
    return [
        *seen_by_all,
        *(folder for folder in folders if folder not in seen_by_all),
        Path(tempfile.gettempdir()),
    ]


def reads_our_files() -> bool:
    """Return whether the browser that we start reads files under the paths that we write them."""
    return "microsoft" not in platform.release().lower()


def _is_visible(folder: Path, home: Path) -> bool:
    """Return whether a browser from a Snap package may read the files of a folder."""
    if not folder.is_relative_to(home):
        return False
    parts = folder.relative_to(home).parts
    return not parts or not (parts[0].startswith(".") or parts[0] == "snap")


def _remove_stale(folder: Path) -> None:
    """Remove what servers left that were killed; their codes are worth nothing."""
    for path in folder.glob(_PATTERN):
        with contextlib.suppress(OSError):
            if time.time() - path.lstat().st_mtime > 2 * CODE_SECONDS:
                path.unlink()
