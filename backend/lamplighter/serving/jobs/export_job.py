"""One export job: its process, its file and its outcome."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lamplighter.contract.sentences import say
from lamplighter.exports.export import FORMATS
from lamplighter.platform.private_modes import open_like_folder
from lamplighter.processes.child_job import ChildJob, ChildMessage
from lamplighter.processes.log_file import last_line
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.schemas.exports import FormatName

log = logging.getLogger(__name__)

ExportState = Literal["running", "done", "failed", "cancelled"]
ExportCommand = Callable[[RunFolder, str, int | None, Path], list[str]]
"""A function that returns the command line for exporting a run, in a format, at a step, to a file."""

_MODULE = "lamplighter.exports.worker"


def export_worker_command(
    run: RunFolder, format: str, step: int | None, out: Path, lessons: Path | None = None
) -> list[str]:
    """Return the command line of an export's process. `lessons`: a folder of texts that replace or add parts of
    the page's course.
    """
    options = [] if step is None else ["--step", str(step)]
    if lessons is not None and format == "html":
        options.append(f"--lessons={lessons}")
    return [sys.executable, "-m", _MODULE, str(run.path), format, str(out), *options]


@dataclass
class ExportJob:
    """An export, running or finished."""

    run: RunFolder
    format: FormatName
    step: int | None
    """None: the newest exactly kept step, or every step in formats that hold all."""
    folder: Path
    """The job's folder, removed when the job no longer has a file."""
    id: str = field(default_factory=lambda: secrets.token_hex(12))
    created: float = field(default_factory=time.time)
    """Unix seconds."""
    state: ExportState = "running"
    progress: float = 0.0
    """Progress, from 0 to 1."""
    activity: str = "starting"
    bytes: int = 0
    """Bytes written so far; the size of the file once the job is done."""
    problem: str | None = None
    """The reason for a failure, in one sentence."""
    left_out: list[str] = field(default_factory=list[str])

    @property
    def name(self) -> str:
        step_suffix = "" if self.step is None else f"-step-{self.step}"
        return f"{self.run.id}{step_suffix}{FORMATS[self.format].suffix}"

    @property
    def file(self) -> Path:
        return self.folder / self.name

    def bytes_on_disk(self) -> int:
        """Return the bytes in the job's folder, which may be growing."""
        size = 0
        # Files may disappear during the walk; `os.walk` skips those.
        for folder, _, names in os.walk(self.folder):
            for name in names:
                with suppress(OSError):
                    size += os.path.getsize(os.path.join(folder, name))
        return size

    def start(
        self,
        command: ExportCommand,
        on_message: Callable[[ChildMessage], None],
        on_end: Callable[[int], None],
    ) -> ChildJob:
        """Start the process, with standard error written to a log file in the job's folder. Raises OSError."""
        with open(self._log_path, "wb", opener=open_like_folder) as log_file:
            return ChildJob(
                command(self.run, self.format, self.step, self.file),
                on_message=on_message,
                on_end=on_end,
                log=log_file,
                name="export",
            )

    def record_exit(self, code: int) -> None:
        """Record how the process ended, unless the job already ended for another reason; remove an incomplete
        file.
        """
        if self.state == "running" and code == 0 and self.file.is_file():
            self.bytes = self.file.stat().st_size
            self.state, self.progress, self.activity = "done", 1.0, ""
            self._log_path.unlink(missing_ok=True)
            return
        if self.state == "running":
            log.warning(
                "export %s of %s ended with %d: %s", self.format, self.run.id, code, last_line(self._log_path)
            )
            self.state = "failed"
            killed = code < 0
            self.problem = (
                say("export_killed", signal=_signal_name(code))
                if killed
                else say("export_ended", number=code)
            )
        self.bytes, self.activity = 0, ""
        self.remove_files()

    def remove_files(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _log_path(self) -> Path:
        return self.folder / "log"


def _signal_name(code: int) -> str:
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"
