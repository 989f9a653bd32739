"""The audit log of a server: one line for each change, one more for all that were the same in a second, and at most one a
minute for everything that was refused.

It lies beside the runs, `.audit.jsonl` and one older file, each bounded. A thread of its own writes it, so that a full or
slow disk fails no request and holds up nobody; a line that could not be written is counted. No line holds a secret, a
text, or a whole address.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lamplighter.platform.private_modes import open_private
from lamplighter.serving.metrics.refusal_tally import RefusalTally

log = logging.getLogger(__name__)

AUDIT_FILE = ".audit.jsonl"
MAX_AUDIT_BYTES = 1 << 20
"""Size at which the log is set aside, as `.audit.jsonl.1`; the one before that is gone then."""
_MAX_WAITING = 1_000
_STOP_SECONDS = 2.0
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


class AuditLog:
    """The audit log of one server. Thread-safe; nothing here waits for the disk but the thread."""

    def __init__(
        self, folder: Path, *, max_bytes: int = MAX_AUDIT_BYTES, tally: RefusalTally | None = None
    ) -> None:
        """Write below `folder` once started."""
        self._path = folder / AUDIT_FILE
        self._max_bytes = max_bytes
        self._tally = tally or RefusalTally()
        self._waiting: deque[str] = deque()
        self._second = ""
        self._repeats: dict[str, int] = {}
        """How often each change was made again in the second `_second`, by what its line tells."""
        self._changed = threading.Condition()
        self._stopping = False
        self._failing = False
        self._thread: threading.Thread | None = None
        self.written = 0
        """Lines written."""
        self.lost = 0
        """Lines that could not be written."""

    def start(self) -> None:
        """Start the thread that writes."""
        self._thread = threading.Thread(target=self._run, name="audit log", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is left and end the thread. Waits two seconds at most."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def record_change(self, by: str, what: str, result: int, **facts: str | None) -> None:
        """Record a change.

        Args:
            by: the public id of the session, or `token`.
            what: the name of the operation.
            result: the status of the answer.
            facts: what else is known of it (the run, the kind of a request); None is left out.
        """
        known = {key: value for key, value in facts.items() if value is not None}
        told = json.dumps({"by": by, "what": what, **known, "result": result}, separators=(",", ":"))
        with self._changed:
            if (now := _now()) != self._second:
                self._tell_repeats()
                self._second = now
            if told in self._repeats:
                self._repeats[told] += 1
            else:
                self._repeats[told] = 0
                self._add(_line(now, json.loads(told)))
            self._changed.notify()

    def count_refusal(self, reason: str, peer: str | None) -> None:
        """Count a request that was refused, for the next line about all of them. `reason`: a status or close code."""
        with self._changed:
            if self._tally.add(reason, peer, time.monotonic()):
                self._changed.notify()

    def _add(self, line: str) -> None:
        if len(self._waiting) < _MAX_WAITING:
            self._waiting.append(line)
        else:
            self.lost += 1

    def _tell_repeats(self) -> None:
        """Add a line for each change that was made again in the second before, with how many `times` more."""
        for told, times in self._repeats.items():
            if times:
                self._add(_line(self._second, {**json.loads(told), "times": times}))
        self._repeats.clear()

    def _seconds_to_wait(self) -> float | None:
        """Return the seconds until there may be something to write; None: until something is added."""
        seconds = self._tally.seconds_left(time.monotonic())
        if any(self._repeats.values()):
            return 1.0 if seconds is None else min(1.0, seconds)
        return seconds

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (self._waiting or self._stopping or self._tally.is_due(time.monotonic())):
                    self._changed.wait(self._seconds_to_wait())
                    if self._second != _now():
                        self._tell_repeats()
                if self._stopping:
                    self._tell_repeats()
                lines = [*self._waiting]
                self._waiting.clear()
                stopping = self._stopping
                if self._tally.is_due(time.monotonic()) or (stopping and self._tally.total):
                    lines.append(_line(_now(), self._tally.report(time.monotonic())))
            if lines:
                self._write(lines)
            if stopping:
                return

    def _write(self, lines: list[str]) -> None:
        data = "".join(lines).encode()
        try:
            self._set_aside(len(data))
            # Opened for each write: no descriptor is held, and two servers may share the folder.
            with os.fdopen(open_private(self._path, _FLAGS), "ab", buffering=0) as file:
                complete = file.write(data) == len(data)
        except OSError as error:
            if not self._failing:
                log.warning("%s cannot be written: %s", self._path.name, error.strerror or error)
            complete = False
        self._failing = not complete
        if complete:
            self.written += len(lines)
        else:
            self.lost += len(lines)

    def _set_aside(self, more: int) -> None:
        try:
            full = self._path.lstat().st_size + more > self._max_bytes
        except FileNotFoundError:
            return
        if full:
            self._path.replace(self._path.with_name(f"{AUDIT_FILE}.1"))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _line(time: str, content: dict[str, Any]) -> str:
    return json.dumps({"time": time, **content}, separators=(",", ":")) + "\n"
