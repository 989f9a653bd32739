"""The parts that all worker processes share: exit codes, signals, threads, roles, and messages to a parent.

A supervised worker (trainer, projector, analyst) outlives its server, writes to a log, and holds a lock for its role.
The worker of a job (export, reprojection) ends with its server (`watch_parent`) and sends it messages (`send_message`).

A worker imports this module before numpy, because BLAS reads the environment on import; so this module must not import
numpy at the top.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from queue import SimpleQueue
from types import FrameType

from lamplighter.platform.worker_limits import bounded_memory, is_out_of_memory, limit_worker_files


class ExitCode(IntEnum):
    """The exit codes of workers. 2 means wrong arguments; any other code is a crash."""

    DONE = 0
    """The work is done for now."""
    ROLE_TAKEN = 3
    """Another process holds the role."""
    FAILED = 4
    """The run failed or cannot be read, or the job is impossible: the log or the last message says why."""
    CANCELLED = 5
    """The job was cancelled, or its parent process is gone."""
    DISK_FULL = 6
    """The job can be done once there is room on the disk."""


def argument_parser(module: str) -> argparse.ArgumentParser:
    """Return a parser of a worker's arguments, the first of which is `run`, the run's folder."""
    parser = argparse.ArgumentParser(prog=f"python -m lamplighter.{module}")
    parser.add_argument("run", type=Path, help="the run's folder")
    return parser


def limit_threads(*libraries: str) -> None:
    """Limit BLAS and the given libraries to one thread, because the trainer needs the cores more.

    They read the environment on import. The trainer itself uses every core.
    """
    for name in ("OPENBLAS", "OMP", "MKL", *libraries):
        os.environ[f"{name}_NUM_THREADS"] = "1"


def handle_stop_signals(stop: Callable[[int], object]) -> Callable[[], None]:
    """Call `stop`, in another thread, with the number of each SIGTERM or SIGINT from now on. Only the main
    thread may do this.

    Called in the handler itself, `stop` would interrupt the main thread and could deadlock on a lock that
    this thread holds, such as that of an event. Returns a function that restores the previous handlers,
    for a process that continues after its work. A worker does not restore them, because a second signal
    must not kill it while it closes its files.
    """
    # `put` may interrupt another `put`, which no other queue promises.
    received: SimpleQueue[int | None] = SimpleQueue()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        received.put(number)

    def hand_on() -> None:
        while (number := received.get()) is not None:
            stop(number)

    threading.Thread(target=hand_on, name="stop signals", daemon=True).start()
    before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        received.put(None)

    return restore


def watch_parent(on_end: Callable[[], object]) -> None:
    """Call `on_end`, in another thread, once the parent has closed this process's standard input or has ended."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1024):
                pass
        on_end()

    threading.Thread(target=wait, name="parent", daemon=True).start()


def exit_code_of(work: Callable[[], ExitCode], *failures: type[Exception]) -> ExitCode:
    """Return the exit code of a supervised worker's `work`.

    A taken role, a folder that this version cannot read, and the given `failures` of `work` are printed as the log's
    last line, which the supervisor shows. Any other exception is a crash and propagates.
    """
    from lamplighter.runfolder.errors import FormatError
    from lamplighter.runfolder.role_lock import RoleTakenError

    limit_worker_files()
    try:
        return work()
    except RoleTakenError as error:
        print(error, file=sys.stderr)
        return ExitCode.ROLE_TAKEN
    except (FormatError, *failures) as error:
        print(error, file=sys.stderr)
        return ExitCode.FAILED


def run_in_role(folder: Path, role: str, run: Callable[[], object], stop: Callable[[], object]) -> ExitCode:
    """Call `run` while this process holds a role in a run's folder. SIGTERM and SIGINT call `stop`, which
    ends `run`. Its memory is limited by the size of the run's matrices. Returns the exit code; the reason
    for any but `DONE` has been printed.
    """
    if not folder.is_dir():
        print(f"{folder}: there is no such folder", file=sys.stderr)
        return ExitCode.FAILED

    from lamplighter.processes.matrix_worker_memory import estimate_matrix_worker_bytes
    from lamplighter.runfolder.role_lock import RoleLock
    from lamplighter.runfolder.run_folder import RunFolder

    def work() -> ExitCode:
        with RoleLock(folder, role), bounded_memory(estimate_matrix_worker_bytes(RunFolder(folder))) as most:
            try:
                run()
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                print(describe_memory_limit(f"the {role}", most), file=sys.stderr)
                return ExitCode.FAILED
        return ExitCode.DONE

    handle_stop_signals(lambda _number: stop())
    return exit_code_of(work)


def describe_memory_limit(worker: str, most: int | None) -> str:
    """Return a sentence about work that ran out of memory. `most` is the process's limit in bytes."""
    limit = "this machine has" if most is None else f"it may have ({most / 1e9:,.1f} GB)"
    return f"{worker} needs more memory than {limit}"


def send_message(**fields: object) -> None:
    """Send a job's parent one JSON object, in a line of standard output; `child_job.read_message` reads it."""
    try:
        print(json.dumps(fields), flush=True)
    except BrokenPipeError:
        # The reader is gone: `watch_parent` notices, and ends the work. Without this, the exit code would be that of
        # Python's failure to flush standard output.
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def report_failure(problem: str) -> ExitCode:
    """Send a job's parent the reason for its failure, in one sentence. Returns the exit code."""
    send_message(problem=problem)
    return ExitCode.FAILED
