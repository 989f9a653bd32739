"""A job in a child process that reports progress as lines of JSON on its standard output (`worker.send_message`).

The child ends when its standard input closes, which happens even if this process is killed. Its output is not trusted:
lines are bounded in length and rate, and only fields of the expected type are read. The child is always reaped, so that
no zombie stays.
"""

from __future__ import annotations

import errno
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from lamplighter.platform.child_process import kill, start_child

MAX_LINE_BYTES = 64 * 1024
"""Maximum length of a line in bytes; a longer one is skipped."""
MAX_TEXT = 500
"""Number of characters kept of a message's text."""
_LINES_PER_SECOND = 1_000
"""A child that writes more for longer than a second blocks until its lines are read."""


@dataclass(frozen=True)
class ChildMessage:
    """A line of a child's output, checked: `None` for each field that it lacks or that has another type."""

    share: float | None = None
    """Progress, from 0 to 1."""
    activity: str | None = None
    """A description of the current work."""
    left_out: str | None = None
    """A part that the result will lack."""
    problem: str | None = None
    """The reason for a failure, in one sentence."""


def read_message(line: bytes) -> ChildMessage | None:
    """Return the message in a line; None if it holds none."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    texts = (_read_text(fields.get(name)) for name in ("what", "left_out", "problem"))
    message = ChildMessage(_read_share(fields.get("share")), *texts)
    return None if message == ChildMessage() else message


class ChildJob:
    """A child process that does one job, followed by a thread from its start to its end."""

    def __init__(
        self,
        command: list[str],
        *,
        on_message: Callable[[ChildMessage], None],
        on_end: Callable[[int], None],
        log: IO[bytes] | None = None,
        name: str = "job",
    ) -> None:
        """Start the child. In its thread, `on_message` is called with each message until the job is killed or
        cancelled, and `on_end` once, with the exit code, when the child is gone. `log` gets its standard
        error; None discards it. Raises OSError if neither process nor thread can be started.
        """
        self._on_message, self._on_end = on_message, on_end
        self._ending, self._ended = threading.Event(), threading.Event()
        self._process = start_child(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if log is None else log,
            background=True,
        )
        try:
            threading.Thread(target=self._follow, name=name, daemon=True).start()
        except BaseException as error:
            kill(self._process)
            self._process.communicate()
            if not isinstance(error, RuntimeError):  # Ctrl-C, for one.
                raise
            raise OSError(errno.EAGAIN, str(error)) from error

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """Kill the child, with everything it started. Returns at once."""
        self._ending.set()
        kill(self._process)

    def cancel(self, patience: float) -> None:
        """Close the child's standard input, and kill it if it still runs after `patience` seconds. Returns once its end
        has been handled."""
        self._ending.set()
        self._close_input()
        if not self.join(patience):
            self.kill()
            self.join()

    def join(self, timeout: float | None = None) -> bool:
        """Wait at most `timeout` seconds until the end of the child has been handled. Returns whether it has."""
        # Not the thread's own `join`: interrupted by Ctrl-C, it takes the thread for ended (Python 3.11).
        return self._ended.wait(timeout)

    def _follow(self) -> None:
        try:
            for line in self._lines():
                message = read_message(line)
                if message is not None and not self._ending.is_set():
                    self._on_message(message)
            self._process.wait()
        finally:
            # Even if a message could not be handled, leave no process behind, and report the end.
            kill(self._process)
            code = self._process.wait()
            self._close_input()
            if self._process.stdout is not None:
                self._process.stdout.close()
            try:
                self._on_end(code)
            finally:
                self._ended.set()

    def _lines(self) -> Iterator[bytes]:
        """Yield the lines of the child's output at a bounded rate, without those that are too long."""
        assert self._process.stdout is not None
        allowance, before, skipping = float(_LINES_PER_SECOND), time.monotonic(), False
        while line := self._process.stdout.readline(MAX_LINE_BYTES):
            whole = line.endswith(b"\n") or len(line) < MAX_LINE_BYTES
            if whole and not skipping:
                yield line
            skipping = not whole
            now = time.monotonic()
            allowance = min(_LINES_PER_SECOND, allowance + (now - before) * _LINES_PER_SECOND) - 1
            before = now
            # Once the child has ended, the rest of the pipe is read without a pause.
            if allowance < 0 and self._process.poll() is None:
                self._ending.wait(-allowance / _LINES_PER_SECOND)

    def _close_input(self) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()


def _read_share(value: Any) -> float | None:
    # Bool is a kind of int, and NaN compares with nothing.
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    return float(min(1, max(0, value)))


def _read_text(value: Any) -> str | None:
    # JSON can hold half a surrogate pair, which cannot be encoded in a response.
    return value[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else None
