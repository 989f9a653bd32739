"""The reprojection of a finished run as a process: `python -m lamplighter.projection.reprojection_worker RUN-FOLDER
[--slices N]`.

It reports progress on standard output, one JSON object a line: `{"share": 0.4, "what": "sweep 2, step 300"}`.
The last line is `{"steps": 120, "trust": 0.97, "seconds": 80.1}` or `{"problem": "..."}`. It runs for the
process that holds the other end of its standard input. When that end closes, or on SIGTERM or SIGINT, it
stops and leaves no file behind.

Exit codes: 0 done, 3 another process is reprojecting this run, 4 it failed (the problem says why), 5
cancelled.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from lamplighter.projection.worker import prepare_environment

DONE, TAKEN, FAILED, CANCELLED = 0, 3, 4, 5


class _CancelledError(Exception):
    """The cancellation of the reprojection."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the process and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m lamplighter.projection.reprojection_worker")
    parser.add_argument("run", type=Path, help="the run's folder")
    parser.add_argument("--slices", type=int, help="how many steps to lay out")
    chosen = parser.parse_args(arguments)
    cancelled = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        cancelled.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    threading.Thread(target=_cancel_when_stdin_closes, args=(cancelled,), daemon=True).start()
    # Training has priority. Not every system supports niceness, and nothing depends on it.
    with contextlib.suppress(OSError, AttributeError):
        os.nice(10)

    # Imported only here: numpy reads the environment when it is imported.
    from lamplighter.projection.reprojection import SLICES, ReprojectionError, reproject
    from lamplighter.runfolder.errors import FormatError
    from lamplighter.runfolder.role_lock import RoleLock, RoleTakenError
    from lamplighter.runfolder.run_folder import RunFolder
    from lamplighter.runfolder.writing.free_space import is_disk_full

    def progress(share: float, what: str) -> None:
        if cancelled.is_set():
            raise _CancelledError
        _print_line({"share": round(share, 4), "what": what})

    try:
        with RoleLock(chosen.run, "reprojector"):
            layouts = reproject(RunFolder(chosen.run), progress, chosen.slices or SLICES)
    except _CancelledError:
        return CANCELLED
    except RoleTakenError:
        _print_line({"problem": "this run is being laid out anew already"})
        return TAKEN
    except FileNotFoundError:
        return _report_failure("this run has not begun: there is nothing to lay out")
    except (ReprojectionError, FormatError) as error:
        return _report_failure(str(error))
    except Exception as error:
        if not is_disk_full(error):
            raise
        return _report_failure("there is no room on the disk for it; make room, and try again")
    _print_line(
        {"steps": layouts.steps, "trust": round(layouts.trust, 4), "seconds": round(layouts.seconds, 1)}
    )
    return DONE


def _report_failure(problem: str) -> int:
    _print_line({"problem": problem})
    return FAILED


def _print_line(line: dict[str, object]) -> None:
    # The reader may be gone already; the closed standard input cancels the work.
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(line), flush=True)


def _cancel_when_stdin_closes(cancelled: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    cancelled.set()


if __name__ == "__main__":
    prepare_environment()
    sys.exit(main())
