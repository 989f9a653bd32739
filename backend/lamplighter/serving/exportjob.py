"""One export that somebody asked this server for: its process, its file, and what became of it."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lamplighter.exports.export import FORMATS
from lamplighter.runfolder.folder import RunFolder

log = logging.getLogger(__name__)

State = Literal["running", "done", "failed", "cancelled"]
Command = Callable[[RunFolder, str, int | None, Path], list[str]]
"""How the process is started that exports a run in a format, at a step, to a file."""

_MODULE = "lamplighter.exports.worker"


def export_command(run: RunFolder, format: str, step: int | None, out: Path) -> list[str]:
    """How the process of an export is started."""
    at = [] if step is None else ["--step", str(step)]
    return [sys.executable, "-m", _MODULE, str(run.path), format, str(out), *at]


@dataclass
class Job:
    """One export: asked for, being made, or over."""

    run: RunFolder
    format: str
    step: int | None
    """None: the newest that was kept exactly, or the format holds every step."""
    folder: Path
    """For it alone; gone when there is no file any more."""
    id: str = field(default_factory=lambda: secrets.token_hex(12))
    created: float = field(default_factory=time.time)
    """Unix seconds."""
    state: State = "running"
    share: float = 0.0
    """From 0 to 1."""
    what: str = "starting"
    bytes: int = 0
    """So far, all that is written for it; of the file once it is done."""
    problem: str | None = None
    """Why it failed, in a sentence."""
    left_out: list[str] = field(default_factory=list[str])

    @property
    def name(self) -> str:
        """What the file is called where it is downloaded."""
        at = "" if self.step is None else f"-step-{self.step}"
        ending = FORMATS[self.format].ending
        return f"{self.run.id}{at}{ending if ending.startswith('.') else f'{ending}.zip'}"

    @property
    def file(self) -> Path:
        """Where it lies once it is done."""
        return self.folder / self.name

    def size(self) -> int:
        """Bytes of what lies in its folder, which is being written to."""
        size = 0
        # Folders and files come and go meanwhile; a walk passes over those that went.
        for folder, _, names in os.walk(self.folder):
            for name in names:
                with suppress(OSError):
                    size += os.path.getsize(os.path.join(folder, name))
        return size

    def begin(self, command: Command) -> subprocess.Popen[bytes]:
        """Start its process; what that says of errors goes to a file beside what it makes.

        Raises:
            OSError: the process or the file cannot be made.
        """
        with self._log.open("wb") as errors:
            return subprocess.Popen(
                command(self.run, self.format, self.step, self.file),
                # Its end of life: it closes when we do, however that happens.
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                # Ctrl-C in the terminal is for the server, which ends its exports.
                start_new_session=os.name == "posix",
                creationflags=subprocess.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else 0,
            )

    def end(self, code: int) -> None:
        """Note how its process ended, unless it was ended for a reason; what is no whole file is removed."""
        if self.state == "running" and code == 0 and self.file.is_file():
            self.bytes = self.file.stat().st_size
            self.state, self.share, self.what = "done", 1.0, ""
            self._log.unlink(missing_ok=True)
            return
        if self.state == "running":
            log.warning(
                "export %s of %s ended with %d: %s", self.format, self.run.id, code, self._last_line()
            )
            ended = f"was killed ({_signal(code)})" if code < 0 else f"ended with code {code}"
            more = "make it again" if code < 0 else "the server's log says more; make it again"
            self.state = "failed"
            self.problem = f"the process of this export {ended} before it was done; {more}"
        self.bytes, self.what = 0, ""
        self.remove()

    def remove(self) -> None:
        """Remove what there is of it on the disk."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _last_line(self) -> str:
        with suppress(OSError), self._log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            lines = file.read().decode("utf-8", errors="replace").strip().splitlines()
            return lines[-1][:300] if lines else ""
        return ""


def _signal(code: int) -> str:
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"
