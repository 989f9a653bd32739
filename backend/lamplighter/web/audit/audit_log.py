"""The audit log of a server, and the middleware that fills it: a line for each change, and at most one line a minute
with the number of refusals.

Each session has at most `MAX_LINES` lines a minute; further ones are only counted. The log is `.audit.jsonl` in the
folder of runs, with one older file; both are bounded. A thread writes it, so that no request waits for the disk. No
line holds a secret, a text or an address.
"""

from __future__ import annotations

import json
import logging
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lamplighter.platform.private_modes import open_private
from lamplighter.runfolder.run_folder import RUN_ID_PATTERN

log = logging.getLogger(__name__)

AUDIT_FILE = ".audit.jsonl"
MAX_AUDIT_BYTES = 1 << 20
"""Size at which the log becomes `.audit.jsonl.1`, which replaces the one before."""
MAX_LINES = 60
"""Maximum number of lines of one session in a minute."""
MAX_WAITING = 1_000
"""Maximum number of lines that wait for the disk."""
_MINUTE = 60.0
_STOP_SECONDS = 2.0
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


class AuditLog:
    """The audit log of one server. Thread-safe."""

    def __init__(
        self,
        folder: Path,
        count_ended: Callable[[], Mapping[str, int]] = dict[str, int],
        *,
        max_bytes: int = MAX_AUDIT_BYTES,
        minute: float = _MINUTE,
    ) -> None:
        """Prepare the log. `count_ended` returns the number of connections that the server has ended since its
        start, by reason. `max_bytes`: of each of the two files. `minute`: seconds between two lines about
        refusals.
        """
        self._path = folder / AUDIT_FILE
        self._count_ended = count_ended
        self._max_bytes = max_bytes
        self._minute = minute
        self._waiting: list[str] = []
        self._lines: Counter[str] = Counter()
        """The number of lines of this minute, by session."""
        self._refused: Counter[str] = Counter()
        self._left_out = 0
        self._ended: Counter[str] = Counter()
        """The connections ended before the last line about them."""
        self._changed = threading.Condition()
        self._stopping = False
        self._failing = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="audit log", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write the remaining lines and end the thread, within two seconds."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def record_change(self, by: str, what: str, result: int, **facts: str | None) -> None:
        """Record a change `by` the public id of a session, or `token`. `result`: the status of the answer. `facts`
        that are None are omitted.
        """
        known = {key: value for key, value in facts.items() if value is not None}
        with self._changed:
            self._lines[by] += 1
            if self._lines[by] > MAX_LINES or len(self._waiting) >= MAX_WAITING:
                self._left_out += 1
                return
            self._waiting.append(_line({"by": by, "what": what, **known, "result": result}))
            self._changed.notify()

    def count_refusal(self, reason: str) -> None:
        """Count a refused request for the line of this minute. `reason`: a status or close code."""
        with self._changed:
            self._refused[reason] += 1

    def _run(self) -> None:
        due = time.monotonic() + self._minute
        stopping = False
        while not stopping:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._waiting or self._stopping, max(0.0, due - time.monotonic())
                )
                stopping = self._stopping
                lines, self._waiting = self._waiting, []
                if stopping or time.monotonic() >= due:
                    due = time.monotonic() + self._minute
                    lines += self._end_minute()
            if lines and not self._write(lines):
                with self._changed:
                    self._left_out += len(lines)

    def _end_minute(self) -> list[str]:
        """Return the line with the counts of this minute, if any, and start the next minute."""
        ended = Counter(self._count_ended())
        content = {
            "refused": dict(sorted(self._refused.items())),
            "connections_ended": dict(ended - self._ended),
            "left_out": self._left_out,
        }
        self._lines.clear()
        self._refused.clear()
        self._left_out, self._ended = 0, ended
        known = {key: value for key, value in content.items() if value}
        return [_line(known)] if known else []

    def _write(self, lines: list[str]) -> bool:
        data = "".join(lines).encode()
        try:
            self._rotate(len(data))
            # Opened for each write, so that no descriptor is held and two servers can share the folder.
            with os.fdopen(open_private(self._path, _FLAGS), "ab", buffering=0) as file:
                complete = file.write(data) == len(data)
        except OSError as error:
            if not self._failing:
                log.warning("%s cannot be written: %s", self._path.name, error.strerror or error)
            complete = False
        self._failing = not complete
        return complete

    def _rotate(self, more: int) -> None:
        try:
            full = self._path.lstat().st_size + more > self._max_bytes
        except FileNotFoundError:
            return
        if full:
            self._path.replace(self._path.with_name(f"{AUDIT_FILE}.1"))


def _line(content: dict[str, Any]) -> str:
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return json.dumps({"time": now, **content}, separators=(",", ":")) + "\n"


_CREATED_RUN = re.compile(rf"/api/runs/({RUN_ID_PATTERN})(?:/|$)".encode())
_SAFE_METHODS = ("GET", "HEAD")
_NO_CHANGE = ("estimate_run_size",)
"""Operations that use POST only because their query is long."""
_REFUSED = frozenset({400, 401, 403, 404, 405, 413, 422, 429, 503})
_REFUSED_SOCKETS = frozenset({1008, 4400, 4403, 4404})


class AuditMiddleware:
    """ASGI middleware that records the application's responses without changing them."""

    def __init__(self, app: ASGIApp, audit: AuditLog) -> None:
        self._app = app
        self._audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._record_answer(scope, message)
            elif message["type"] == "websocket.close" and message.get("code") in _REFUSED_SOCKETS:
                self._audit.count_refusal(str(message["code"]))
            await send(message)

        await self._app(scope, receive, watched)

    def _record_answer(self, scope: Scope, message: Message) -> None:
        status: int = message["status"]
        if status in _REFUSED:
            self._audit.count_refusal(str(status))
        elif not 400 <= status < 500:
            self._record_change(scope, status, message.get("headers", ()))

    def _record_change(self, scope: Scope, status: int, headers: Any) -> None:
        state: dict[str, Any] = scope.get("state", {})
        what = getattr(scope.get("route"), "name", "") or "unknown"
        kind = state.get("audited")
        presenting = (
            scope["method"] not in _SAFE_METHODS and state.get("presenter") and what not in _NO_CHANGE
        )
        if not presenting and kind is None:
            return
        by = state.get("session") or getattr(state.get("pusher"), "id", "token")
        run = scope.get("path_params", {}).get("run")
        if run is None:
            location = next((value for name, value in headers if name.lower() == b"location"), b"")
            created = _CREATED_RUN.match(location)
            run = created[1].decode() if created else None
        self._audit.record_change(by, what, status, run=run, kind=kind)
