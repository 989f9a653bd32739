"""Launch codes, which make one browser the presenter's, once, within a few minutes; and the file that posts one, which
keeps the code out of the browser's command line.

Every program on the machine can read every command line. The file's URL may appear there: only its user can read the
file, which is removed when its code is spent, at the latest with the server.

Browsers from a Snap package cannot see `/tmp` or hidden folders in the home folder. So the file has a visible name, in
the folder of runs if such a browser can see it, else in the home folder. A browser on the Windows side of WSL cannot
read Linux paths: `reads_our_files` is false there, and the link goes on the command line.
"""

from __future__ import annotations

import contextlib
import hmac
import html
import json
import platform
import secrets
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

from lamplighter.platform.private_modes import open_private

CODE_SECONDS = 300.0
"""Lifetime of a launch code, in seconds."""

_MAX_CODES = 1_000


def _nothing() -> None:
    pass


class LaunchCodes:
    """The launch codes of one server. Thread-safe."""

    def __init__(self) -> None:
        self._codes: OrderedDict[str, tuple[float, Callable[[], None]]] = OrderedDict()
        self._lock = threading.Lock()

    def issue_code(self, on_spent: Callable[[], None] = _nothing) -> str:
        """Create a code, which works once within `CODE_SECONDS`. `on_spent` is called when it becomes invalid, at the
        latest by `spend_all`.
        """
        code = secrets.token_urlsafe(24)
        dropped: list[Callable[[], None]] = []
        with self._lock:
            self._codes[code] = (time.monotonic() + CODE_SECONDS, on_spent)
            while len(self._codes) > _MAX_CODES:
                dropped.append(self._codes.popitem(last=False)[1][1])
        _call_each(dropped)
        return code

    def is_valid(self, offered: str) -> bool:
        with self._lock:
            return bool(self._matching(offered))

    def redeem_code(self, offered: str) -> bool:
        now = time.monotonic()
        with self._lock:
            good = self._matching(offered)
            old = [code for code, (until, _) in self._codes.items() if until < now]
            spent = [self._codes.pop(code)[1] for code in {*good, *old}]
        _call_each(spent)
        return bool(good)

    def spend_all(self) -> None:
        with self._lock:
            spent = [on_spent for _, on_spent in self._codes.values()]
            self._codes.clear()
        _call_each(spent)

    def _matching(self, offered: str) -> list[str]:
        now = time.monotonic()
        # Compare every code, so that the time taken reveals nothing about any of them.
        return [
            code
            for code, (until, _) in self._codes.items()
            if hmac.compare_digest(offered.encode(errors="replace"), code.encode()) and until >= now
        ]


def _call_each(calls: list[Callable[[], None]]) -> None:
    for call in calls:
        call()


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
