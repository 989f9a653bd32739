"""Child processes on every platform: their start, their priority, and an end that leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import IO, Any


def start_child(
    command: list[str], *, stdin: int, stdout: int | IO[Any], stderr: int | IO[Any], background: bool
) -> subprocess.Popen[bytes]:
    """Start a child process that leads a session of its own.

    Ctrl-C in the terminal then goes to this process alone, which decides what becomes of its children.

    Args:
        command: the command line.
        stdin: as for `subprocess.Popen`, like `stdout` and `stderr`.
        background: whether it gets less of the processor on Windows. Elsewhere use `lower_priority`, or let the
            child lower its own.

    Raises:
        OSError: the process cannot be started.
    """
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP
        flags |= subprocess.BELOW_NORMAL_PRIORITY_CLASS if background else 0
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=os.name == "posix",
        creationflags=flags,
    )


def lower_priority(process: int, by: int) -> None:
    """Lower the priority of a process by `by` steps of niceness, where the platform has them."""
    # Set from outside, right after the start, so that threads the worker starts later inherit it.
    if by and hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process, by)


def interrupting_signal() -> int:
    """Return the signal that interrupts a child as Ctrl-C does, or else the one that asks it to end."""
    # Windows sends Ctrl-C to a whole console only.
    return signal.SIGTERM if sys.platform == "win32" else signal.SIGINT


LOW_PRIORITY, LOWEST_PRIORITY = 10, 19
"""Steps of niceness below the trainer's priority: of work that somebody waits for, and of what nobody does."""


def yield_processor(by: int = LOW_PRIORITY) -> None:
    """Lower the priority of this process below the trainer's, where the platform has priorities."""
    # Not every system supports niceness, and nothing depends on it.
    with suppress(OSError, AttributeError):
        os.nice(by)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that leads its group, with everything it started, unless its end has been noticed."""
    # Once a process has been waited for, its number may be another's.
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
