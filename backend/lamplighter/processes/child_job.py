"""A job in a child process that reports progress as lines of JSON on its standard output (`worker.send_message`).

The child ends when its standard input closes, which happens even if this process is killed. Its output is not trusted:
lines are bounded in length and rate, and only fields of the expected type are read. The child is always reaped, so that
no zombie stays.
"""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from lamplighter.platform.child_process import kill, start_child
from lamplighter.processes.worker import ExitCode
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.role_lock import RoleLock, RoleTakenError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.writing.finalise import delete_unfinished

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


_POLL_SECONDS = 0.05


def _go_on() -> None:
    pass


class AwaitedJob:
    """A child process that does one job for the thread that waits for it."""

    def __init__(self, command: list[str], *, log: IO[bytes] | None = None, name: str = "job") -> None:
        """Start the child; the arguments are those of `ChildJob`. Raises OSError if it cannot be started."""
        self.problem: str | None = None
        """The last reason for a failure that the child sent, in one sentence."""
        self._messages: SimpleQueue[ChildMessage] = SimpleQueue()
        self._codes: list[int] = []
        self._child = ChildJob(
            command, on_message=self._messages.put, on_end=self._codes.append, log=log, name=name
        )

    def wait_for_end(
        self,
        on_message: Callable[[ChildMessage], None],
        check: Callable[[], None] = _go_on,
        patience: float = 0.0,
    ) -> int:
        """Wait for the end of the child, calling `on_message` with each message and `check` twenty times a
        second; return its exit code. If one of them raises an error, the child is ended first: it has
        `patience` seconds to clean up before it is killed.
        """
        try:
            ended = False
            while not ended:
                ended = self._child.join(_POLL_SECONDS)
                while not self._messages.empty():
                    message = self._messages.get()
                    self.problem = message.problem or self.problem
                    on_message(message)
                check()
        except BaseException:
            self._child.cancel(patience)
            raise
        return self._codes[0]


class NoWeightsError(RuntimeError):
    """An error for a model that cannot be brought to a step; the message says why, in one sentence."""


def compute_model_weights(
    run: RunFolder, step: int, scratch: Path, progress: Callable[[float, str], None]
) -> dict[str, NDArray[np.float32]]:
    """Return the parameters of a run's model after `step` by name, with the bits of the record where they are
    recomputed on the machine that trained it; the recipe and waypoints are read, never the run's own code.
    `scratch`: a file that does not exist, made and removed. `progress`: called with the share done and a
    description; an error in it ends the child. Raises NoWeightsError if the step cannot be computed.
    """

    def on_message(message: ChildMessage) -> None:
        if message.share is not None:
            progress(message.share, message.activity or "")

    command = [sys.executable, "-m", "lamplighter.examination.model_worker"]
    command += [str(run.path), str(step), str(scratch)]
    try:
        job = AwaitedJob(command, name="model")
        code = job.wait_for_end(on_message)
        if code != ExitCode.DONE:
            raise NoWeightsError(job.problem or f"the process ended unexpectedly (exit code {code})")
        return load_file(scratch)
    except OSError as error:
        raise NoWeightsError(f"the process cannot be started: {error.strerror or error}") from error
    finally:
        scratch.unlink(missing_ok=True)


_PATIENCE = 2.0
"""Seconds for a cancelled child to remove its files, before they are removed for it."""


class ReprojectionFailedError(RuntimeError):
    """The maps of a run could not be laid out; the message says why. The run is unchanged."""


def reproject_in_child(
    folder: Path, progress: Callable[[float, str], None], slices: int | None = None
) -> str:
    """Lay out all steps of a finished run jointly, or `slices` of them, and return the result in words.
    Ctrl-C cancels it and leaves no files behind. `progress`: called with the share done, from 0 to 1, and
    a description. Raises ReprojectionFailedError if it could not be done.
    """
    activity = ""

    def on_message(message: ChildMessage) -> None:
        nonlocal activity
        if message.share is not None:
            activity = message.activity or ""
            progress(message.share, activity)

    command = [sys.executable, "-m", "lamplighter.projection.reprojection_worker", str(folder)]
    command += ["--slices", str(slices)] if slices else []
    try:
        # Ctrl-C may come as soon as the process has started.
        job = _start(command)
        code = job.wait_for_end(on_message, patience=_PATIENCE)
    except ReprojectionFailedError:
        raise
    except BaseException:
        run = RunFolder(folder)
        # Unless another process is laying out the run.
        with suppress(RoleTakenError, *READ_ERRORS), RoleLock(run.path, "reprojector"):
            delete_unfinished(run.relayouts_path)
        raise
    if code != ExitCode.DONE:
        raise ReprojectionFailedError(job.problem or f"the process ended unexpectedly (exit code {code})")
    return activity


def _start(command: list[str]) -> AwaitedJob:
    try:
        return AwaitedJob(command, name="reprojection")
    except OSError as error:
        raise ReprojectionFailedError(f"the process cannot be started: {error.strerror or error}") from error
