"""Child processes on every platform: priority, creation flags, and an end that leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress

NICE = {"trainer": 0, "projector": 5, "analyst": 10}
"""How far below normal each role's priority lies: training comes first."""


def windows_flags(role: str) -> int:
    """Return the creation flags of a worker on Windows; 0 elsewhere."""
    if sys.platform != "win32":
        return 0
    return subprocess.CREATE_NEW_PROCESS_GROUP | (
        subprocess.BELOW_NORMAL_PRIORITY_CLASS if NICE.get(role) else 0
    )


def lower_priority(process: int, by: int) -> None:
    """Lower the priority of a process by `by` steps of niceness, where the platform has them."""
    # Set from outside, right after the start, so that threads the worker starts later inherit it.
    if by and hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process, by)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that leads its group, with everything it started."""
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
