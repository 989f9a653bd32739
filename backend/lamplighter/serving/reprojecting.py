"""Finished runs that are being laid out anew for somebody: one process at a time, watched, and cancelled with us."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from lamplighter.runfolder.folder import RunFolder
from lamplighter.serving.problems import Refused

log = logging.getLogger(__name__)

State = Literal["none", "running", "done", "failed", "cancelled"]
Command = Callable[[RunFolder, int | None], list[str]]

_MODULE = "lamplighter.projection.again"
_PATIENCE = 15.0
"""Seconds in which a process that nobody listens to any more has cleared up after itself."""


def again_command(run: RunFolder, slices: int | None) -> list[str]:
    """How the process is started that lays a run out anew."""
    return [sys.executable, "-m", _MODULE, str(run.path), *(["--slices", str(slices)] if slices else [])]


@dataclass
class Going:
    """What became of the last one that was begun for a run."""

    state: State = "none"
    share: float = 0.0
    """From 0 to 1."""
    what: str = ""
    problem: str | None = None
    """Why it failed, in a sentence."""


class Reprojecter:
    """Begins and watches them. Every method blocks for a moment; call them from threads."""

    def __init__(self, command: Command = again_command) -> None:
        """Begin nothing yet. `command` says how a process is started."""
        self._command = command
        self._lock = threading.Lock()
        self._known: dict[str, Going] = {}
        self._at_work: tuple[str, subprocess.Popen[bytes], threading.Thread] | None = None

    def begin(self, run: RunFolder, slices: int | None) -> Going:
        """Lay a run out anew.

        Raises:
            Refused: another one is being laid out (409), or no process can be started (507).
        """
        with self._lock:
            if self._at_work is not None:
                other = "this run" if self._at_work[0] == run.id else self._at_work[0]
                raise Refused(
                    409, f"{other} is being laid out anew, one run at a time; cancel it, or wait for it"
                )
            try:
                process = subprocess.Popen(
                    self._command(run, slices),
                    # Its end of life: it closes when we do, however that happens.
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    start_new_session=os.name == "posix",
                )
            except OSError as error:
                raise Refused(507, f"no process can be started for it: {error.strerror or error}") from error
            going = self._known[run.id] = Going("running", what="starting")
            thread = threading.Thread(
                target=self._follow, args=(going, process), name="reprojection", daemon=True
            )
            self._at_work = run.id, process, thread
            thread.start()
        return going

    def of(self, run: RunFolder) -> Going:
        """What became of the last one that was begun here for a run."""
        with self._lock:
            return self._known.get(run.id) or Going()

    def cancel(self, run_id: str | None = None) -> None:
        """End the one that is at work, of this run or (None) whichever; it has cleared up when this returns."""
        with self._lock:
            if self._at_work is None or run_id not in (None, self._at_work[0]):
                return
            name, process, thread = self._at_work
            self._known[name].state = "cancelled"
            assert process.stdin is not None
            with contextlib.suppress(OSError):
                process.stdin.close()
        thread.join(_PATIENCE)
        if thread.is_alive():
            process.kill()
            thread.join()

    def _follow(self, going: Going, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        problem: str | None = None
        for line in process.stdout:
            with contextlib.suppress(ValueError, TypeError):
                said = dict(json.loads(line))
                problem = str(said["problem"]) if "problem" in said else problem
                going.share = min(1.0, float(said.get("share", going.share)))
                going.what = str(said.get("what", going.what))
        code = process.wait()
        with self._lock:
            process.stdout.close()
            with contextlib.suppress(OSError):
                process.stdin.close()
            self._at_work = None
            going.what = ""
            if going.state == "cancelled":
                return
            going.state = "failed" if code else "done"
            if code:
                going.problem = problem or f"its process ended with code {code}; try again"
                log.warning("laying out anew failed: %s", going.problem)
