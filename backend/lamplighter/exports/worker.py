"""An export as a process: `python -m lamplighter.exports.worker RUN-FOLDER FORMAT OUT [--step N] [--lessons DIR]`.

It reports progress on standard output, one JSON object per line: `{"share": 0.4, "what": "steps.sqlite"}`,
`{"left_out": "..."}`, or `{"problem": "..."}` as the last. It exits when its caller closes standard input. `OUT` is a
file and appears complete or not at all.

Exit codes: 0 done, 4 the export failed (the problem says why), 5 the caller has exited.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lamplighter.contract.sentences import say
from lamplighter.platform.child_process import yield_processor
from lamplighter.platform.private_modes import keep_new_files_private
from lamplighter.platform.worker_limits import bounded_memory, limit_worker_files
from lamplighter.processes.worker import (
    ExitCode,
    argument_parser,
    limit_threads,
    report_failure,
    send_message,
    watch_parent,
)

if TYPE_CHECKING:
    from lamplighter.exports.output import ExportProgress
    from lamplighter.runfolder.run_folder import RunFolder

_PAUSE = 0.1
"""Minimum seconds between two lines of progress."""
_LEFT_OUT = "left out: "


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argument_parser("exports.worker")
    parser.add_argument("format", help="which format")
    parser.add_argument("out", type=Path, help="the file to make")
    parser.add_argument("--step", type=int, help="which step, for formats of one")
    parser.add_argument("--lessons", type=Path, help="texts laid over those of the course")
    chosen = parser.parse_args(arguments)
    # The server controls who may fetch the result.
    keep_new_files_private()
    return run_export(chosen.run, partial(_export, chosen.format, chosen.step, chosen.lessons, chosen.out))


def run_export(folder: Path, make: Callable[[RunFolder, ExportProgress], None]) -> ExitCode:
    """Call `make` with a run's folder in bounded memory; report its progress, and the reason if it fails."""
    # Imported only here: numpy reads the environment when it is imported.
    from lamplighter.processes.matrix_worker_memory import estimate_matrix_worker_bytes
    from lamplighter.runfolder.run_folder import RunFolder

    run = RunFolder(folder)
    return run_reporting(partial(make, run), estimate_matrix_worker_bytes(run))


def run_reporting(work: Callable[[ExportProgress], None], memory: int) -> ExitCode:
    """Call `work`, which takes some `memory` in bytes beyond its libraries; report its progress, and the reason if it fails."""
    # Exit at once; the parent process deletes the folder with the leftovers.
    watch_parent(lambda: os._exit(ExitCode.CANCELLED))
    yield_processor()
    limit_worker_files()

    from lamplighter.exports.output import ExportError
    from lamplighter.runfolder.errors import FormatError

    try:
        with bounded_memory(memory):
            work(_ProgressLines().progress)
    except ExportError as error:
        return report_failure(str(error))
    except FormatError as error:
        return report_failure(say("export_unreadable", error=str(error)))
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        return report_failure(
            say("export_no_room" if full else "export_failed", error=error.strerror or str(error))
        )
    except MemoryError:
        return report_failure(say("no_memory_for_it"))
    return ExitCode.DONE


def _export(
    format: str,
    step: int | None,
    lessons: Path | None,
    out: Path,
    run: RunFolder,
    progress: ExportProgress,
) -> None:
    from lamplighter.exports.export import export_run

    export_run(run, format, step, out, progress, lessons)


class _ProgressLines:
    """A rate limiter for lines of progress."""

    def __init__(self) -> None:
        self._next = 0.0

    def progress(self, share: float, what: str) -> None:
        """Print a line of progress unless the last one is too recent."""
        if what.startswith(_LEFT_OUT):
            send_message(left_out=what.removeprefix(_LEFT_OUT))
        elif share >= 1 or time.monotonic() >= self._next:
            self._next = time.monotonic() + _PAUSE
            send_message(share=round(share, 4), what=what)


if __name__ == "__main__":
    limit_threads()
    sys.exit(main())
