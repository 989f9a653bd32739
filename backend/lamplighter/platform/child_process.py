"""Child processes on every platform: start, priority and clean end."""

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
    """Start a child process as the leader of a new session: Ctrl-C in the terminal then goes to this process
    alone, which decides how to end its children. `background`: whether to lower its priority on Windows.
    Elsewhere use `lower_priority`, or let the child lower it. Raises OSError if the process cannot be
    started.
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
    """Lower the priority of a process by `by` steps of niceness, if the platform has them."""
    # Set it from outside, right after the start, so that threads the worker starts later inherit it.
    if by and hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process, by)


def interrupting_signal() -> int:
    """Return the signal that interrupts a child like Ctrl-C or, on Windows, terminates it."""
    # Windows can send Ctrl-C only to a whole console.
    return signal.SIGTERM if sys.platform == "win32" else signal.SIGINT


LOW_PRIORITY, LOWEST_PRIORITY = 10, 19
"""Steps of niceness below the trainer's priority: for work that a user waits for, and for background work."""


def yield_processor(by: int = LOW_PRIORITY) -> None:
    """Lower the priority of this process below the trainer's, if the platform has priorities."""
    # Not every system supports niceness, and nothing depends on it.
    with suppress(OSError, AttributeError):
        os.nice(by)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that leads its group, with all its children, unless it was already waited for."""
    # The id of a process that was waited for may have been reused.
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
