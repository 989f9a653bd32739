"""Commands of the system that the doctor runs for what they say, and gives little time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

_SECONDS = 8.0


def say_command(*words: str, seconds: float = _SECONDS, variables: Mapping[str, str] | None = None) -> str:
    """Return what a command of the system says on standard output; "" if it is not there, fails or takes too long.

    Args:
        words: the command.
        seconds: how long it may take.
        variables: further variables of its environment.
    """
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
            env=os.environ | (variables or {}),
            # Without a window of its own, and in the user's own group, so that Ctrl-C ends it too.
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0) if sys.platform == "win32" else 0,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""
