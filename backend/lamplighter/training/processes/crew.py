"""The processes that train a run together, seen from process 0: what they refuse, their start and their end.

On one machine process 0 starts the others, which find it by a file in a private folder. Under `torchrun` they are all there
already.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from lamplighter.contract.recipe import Recipe
from lamplighter.platform.child_process import kill, start_child
from lamplighter.processes.worker import ExitCode
from lamplighter.training.processes.group import (
    LOOPBACK,
    ProcessLostError,
    join_group,
    leave_group,
    ready_file,
    torchrun_processes,
)

if TYPE_CHECKING:
    from lamplighter.runfolder.run_folder import RunFolder
    from lamplighter.training.processes.shared_model import SharedModel

MAX_PROCESSES = 64
_POLL_SECONDS = 0.05
_ENDING_SECONDS = 10.0
_NOTICE_SECONDS = 3.0
"""How long to wait, once the group is broken, for the process that has ended to be seen."""


class UnshareableError(ValueError):
    """Raised for a run that several processes cannot train; the message says why, and what can be done."""


def require_shareable(recipe: Recipe, processes: int) -> None:
    """Check that several processes can train a run. Raises UnshareableError if they cannot."""
    if not 2 <= processes <= MAX_PROCESSES:
        raise UnshareableError(f"processes: {processes} is not from 2 to {MAX_PROCESSES}")
    if sys.platform not in LOOPBACK:
        raise UnshareableError("processes: several can train a run on Linux and macOS only")
    if processes > recipe.sequences:
        raise UnshareableError(
            f"processes: a batch of {recipe.sequences} sequences cannot be shared by {processes}:"
            " raise --batch, or take fewer processes"
        )
    if recipe.device not in ("auto", "cpu"):
        raise UnshareableError(f"processes: they exchange by gloo, on a CPU, and not on {recipe.device}")
    if recipe.model.negatives is not None:
        raise UnshareableError("processes: a sampled softmax (model.negatives) is drawn for a whole batch")


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Crew:
    """The processes of a run, seen from process 0."""

    def __init__(self, processes: int) -> None:
        """Name their number; those that are not there yet start when they are first needed."""
        self.processes = processes
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._others: list[subprocess.Popen[bytes]] = []
        self._joined = False

    def model_of(self, run: RunFolder) -> SharedModel:
        """Return the model of a run, which all processes train. Raises UnshareableError if they cannot,
        ProcessLostError if a process has ended, OSError if no process can be started.
        """
        from lamplighter.training.processes.shared_model import SharedModel

        require_shareable(run.recipe, self.processes)
        if not self._joined:
            if torchrun_processes() == 1:
                self._start_others()
                self._await_others()
            join_group(None if self._folder is None else Path(self._folder.name), 0, self.processes)
            self._joined = True
        return SharedModel(run, self.require_all)

    def require_all(self, *, patience: float = 0.0) -> None:
        """Check that the other processes live, those that this one started. `patience`: how long to wait for
        one to end. Raises ProcessLostError if one has ended.
        """
        deadline = time.monotonic() + patience
        while True:
            ended = [(rank, one.poll()) for rank, one in enumerate(self._others, start=1)]
            # Those that end because another did say so by their code.
            first = [(rank, code) for rank, code in ended if code not in (None, ExitCode.CANCELLED)]
            if first:
                rank, code = first[0]
                how = f"was killed by signal {-code}" if code and code < 0 else f"ended with code {code}"
                raise ProcessLostError(f"process {rank} of {self.processes} {how}")
            if time.monotonic() >= deadline:
                return
            time.sleep(_POLL_SECONDS)

    def explain(self, error: Exception) -> str:
        """Return what became of the process that an error says is lost."""
        try:
            self.require_all(patience=_NOTICE_SECONDS if self._others else 0.0)
        except ProcessLostError as found:
            return str(found)
        return f"a process no longer answers ({error})"

    def __enter__(self) -> Self:
        """Load torch with its processes, before a limit of memory is set within which imports could fail."""
        importlib.import_module("lamplighter.training.processes.shared_model")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the others: those that wait for a command are told, the rest are killed."""
        from lamplighter.training.processes.shared_model import dismiss

        try:
            if kind is None and self._joined:
                with suppress(ProcessLostError, RuntimeError):
                    dismiss()
                    leave_group()
                for one in self._others:
                    with suppress(subprocess.TimeoutExpired):
                        one.wait(_ENDING_SECONDS)
        finally:
            for one in self._others:
                kill(one)
                one.communicate()
            if self._folder is not None:
                self._folder.cleanup()

    def _start_others(self) -> None:
        self._folder = tempfile.TemporaryDirectory(
            prefix="lamplighter-processes-", ignore_cleanup_errors=True
        )
        module = "lamplighter.training.processes.follower"
        with open(2, "wb", closefd=False) as log:
            for rank in range(1, self.processes):
                command = [sys.executable, "-m", module, self._folder.name, str(rank), str(self.processes)]
                self._others.append(
                    start_child(
                        command,
                        stdin=subprocess.PIPE,
                        stdout=subprocess.DEVNULL,
                        stderr=log,
                        background=False,
                    )
                )

    def _await_others(self) -> None:
        """Wait until the others are about to join: if one ends before, the group would never be complete."""
        assert self._folder is not None
        folder = Path(self._folder.name)
        while not all((folder / ready_file(rank)).exists() for rank in range(1, self.processes)):
            self.require_all()
            time.sleep(_POLL_SECONDS)
