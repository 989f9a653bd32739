"""The processes that train a run together: their start, the group that they form, and their end.

On one machine process 0 starts the others, which find it by a file in a private folder and talk over the loopback
interface. Under `torchrun` they are all there already.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from lamplighter.platform.child_process import kill, start_child
from lamplighter.processes.worker import ExitCode
from lamplighter.training.processes.requirements import LOOPBACK

if TYPE_CHECKING:
    from lamplighter.model.split.process_group import CountedGroup
    from lamplighter.runfolder.run_folder import RunFolder
    from lamplighter.training.processes.split_model import SplitModel

_TORCHRUN = "TORCHELASTIC_RUN_ID"
_STORE = "store"
_POLL_SECONDS = 0.05
_ENDING_SECONDS = 10.0
_NOTICE_SECONDS = 3.0
"""How long to wait, once the group is broken, for the process that has ended to be seen."""


def torchrun_processes() -> int:
    """Return the number of processes if `torchrun` started this one, else 1."""
    return int(os.environ.get("WORLD_SIZE", "1")) if _TORCHRUN in os.environ else 1


def torchrun_rank() -> int:
    return int(os.environ["RANK"])


class Crew:
    """The processes of a run, seen from process 0."""

    def __init__(self, processes: int) -> None:
        """Name their number; those that are not there yet start when they are first needed."""
        self.processes = processes
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._others: list[subprocess.Popen[bytes]] = []
        self._group: CountedGroup | None = None

    def model_of(self, run: RunFolder) -> SplitModel:
        """Return the model of a run, split between the processes. Raises SplitError if the run cannot be
        split between so many, ProcessLostError if a process has ended, OSError if no process can be
        started.
        """
        from lamplighter.training.processes.requirements import require_splittable
        from lamplighter.training.processes.split_model import SplitModel

        require_splittable(run.recipe, self.processes, len(run.vocabulary))
        if self._group is None:
            if torchrun_processes() == 1:
                self._start_others()
                self._await_others()
            self._group = join_group(
                None if self._folder is None else Path(self._folder.name), 0, self.processes
            )
        return SplitModel(run, self._group, self.require_all)

    def require_all(self, *, patience: float = 0.0) -> None:
        """Check that the other processes live, those that this one started. `patience`: how long to wait for
        one to end. Raises ProcessLostError if one has ended.
        """
        from lamplighter.model.split.process_group import ProcessLostError

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
        from lamplighter.model.split.process_group import ProcessLostError

        try:
            self.require_all(patience=_NOTICE_SECONDS if self._others else 0.0)
        except ProcessLostError as found:
            return str(found)
        return f"a process no longer answers ({error})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the others: those that wait for a command are told, the rest are killed."""
        from lamplighter.model.split.process_group import ProcessLostError

        try:
            if kind is None and self._group is not None:
                with suppress(ProcessLostError, RuntimeError):
                    self._end_group(self._group)
                for one in self._others:
                    with suppress(subprocess.TimeoutExpired):
                        one.wait(_ENDING_SECONDS)
        finally:
            for one in self._others:
                kill(one)
                one.communicate()
            if self._folder is not None:
                self._folder.cleanup()

    @staticmethod
    def _end_group(group: CountedGroup) -> None:
        from lamplighter.training.processes.split_training import Command, tell

        tell(group, Command.END)
        leave_group()

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


def ready_file(rank: int) -> str:
    """Return the name of the file by which a process tells that it is about to join."""
    return f"ready-{rank}"


def join_group(folder: Path | None, rank: int, size: int) -> CountedGroup:
    """Join the group of all processes, as soon as they are there, by the private folder of processes of one
    machine (None under `torchrun`). Raises ProcessLostError if they do not come, or torch has no gloo.
    """
    import torch.distributed as dist

    from lamplighter.model.split.process_group import STEP_TIMEOUT, CountedGroup, ProcessLostError

    if not (dist.is_available() and dist.is_gloo_available()):
        raise ProcessLostError("the torch that is installed here has no gloo, by which processes exchange")
    environment = os.environ
    if folder is not None or environment.get("LOCAL_WORLD_SIZE") == environment.get("WORLD_SIZE"):
        environment.setdefault("GLOO_SOCKET_IFNAME", LOOPBACK[sys.platform])
    try:
        if folder is None:
            dist.init_process_group("gloo", timeout=STEP_TIMEOUT)
        else:
            (folder / ready_file(rank)).touch()
            store = (folder / _STORE).as_uri()
            dist.init_process_group(
                "gloo", init_method=store, rank=rank, world_size=size, timeout=STEP_TIMEOUT
            )
    except (RuntimeError, ValueError) as error:
        raise ProcessLostError(f"the processes could not meet: {error}") from error
    return CountedGroup()


def leave_group() -> None:
    import torch.distributed as dist

    dist.destroy_process_group()


def follow_here(join: Callable[[], CountedGroup]) -> ExitCode:
    """Train as one of the other processes until process 0 says that it is over. SIGINT and SIGTERM are left
    to process 0, which ends all: a checkpoint needs every process. Returns the exit code: `CANCELLED` if
    another process has ended.
    """
    import signal

    from lamplighter.model.split.process_group import ProcessLostError
    from lamplighter.platform.worker_limits import limit_worker_files
    from lamplighter.training.processes.split_training import follow

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    limit_worker_files()
    try:
        follow(join())
    except ProcessLostError:
        return ExitCode.CANCELLED
    except (MemoryError, RuntimeError, ValueError) as error:
        print(f"a process of the training: {str(error).partition(chr(10))[0]}", file=sys.stderr)
        return ExitCode.FAILED
    leave_group()
    return ExitCode.DONE
