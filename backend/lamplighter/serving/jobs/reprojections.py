"""Reprojection jobs for finished runs: one process at a time, followed, and cancelled when the server
stops."""

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

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.http.problems import Refused

log = logging.getLogger(__name__)

State = Literal["none", "running", "done", "failed", "cancelled"]
Command = Callable[[RunFolder, int | None], list[str]]

_MODULE = "lamplighter.projection.reprojection_worker"
_PATIENCE = 15.0
"""Seconds allowed for a process to clean up once its stdin has closed."""


def again_command(run: RunFolder, slices: int | None) -> list[str]:
    """Return the command line of a reprojection's process."""
    return [sys.executable, "-m", _MODULE, str(run.path), *(["--slices", str(slices)] if slices else [])]


@dataclass
class Going:
    """The latest reprojection of a run, and its outcome."""

    state: State = "none"
    share: float = 0.0
    """Progress, from 0 to 1."""
    what: str = ""
    problem: str | None = None
    """The reason for a failure, in one sentence."""


class Reprojecter:
    """The reprojection jobs of one server. Every method blocks briefly, so call it from a thread."""

    def __init__(self, command: Command = again_command) -> None:
        """Start idle. `command` builds the command line of a process."""
        self._command = command
        self._lock = threading.Lock()
        self._known: dict[str, Going] = {}
        self._at_work: tuple[str, subprocess.Popen[bytes], threading.Thread] | None = None

    def begin(self, run: RunFolder, slices: int | None) -> Going:
        """Start reprojecting a run.

        Raises:
            Refused: another reprojection is running (409), or no process can be started (507).
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
                    # The process ends when its stdin closes, and that happens however this server ends.
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
        """Return the latest reprojection of a run that this server started."""
        with self._lock:
            return self._known.get(run.id) or Going()

    def cancel(self, run_id: str | None = None) -> None:
        """Cancel the running reprojection if it is of this run, or (None) of any; its process has ended when
        this returns."""
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
