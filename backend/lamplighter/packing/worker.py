"""Packing as a process: `python -m lamplighter.packing.worker RUN-FOLDER OUT`.

It reports on standard output as `lamplighter.exports.worker` does, runs for the process at the other end of its standard
input, and exits when that end closes. `OUT` is written in place: whoever called puts it where it belongs.

Exit codes: 0 done, 4 it failed (the problem says why), 5 the caller is gone.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lamplighter.platform.child_process import yield_processor
from lamplighter.platform.private_modes import keep_new_files_private
from lamplighter.processes.worker import (
    ExitCode,
    argument_parser,
    limit_threads,
    report_failure,
    send_message,
    watch_parent,
)

_PAUSE = 0.1
"""Minimum seconds between two lines of progress."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the process and return its exit code."""
    parser = argument_parser("packing.worker")
    parser.add_argument("out", type=Path, help="the file to make")
    chosen = parser.parse_args(arguments)
    watch_parent(lambda: os._exit(ExitCode.CANCELLED))
    keep_new_files_private()
    yield_processor()

    # Imported only here: numpy reads the environment when it is imported.
    from lamplighter.exports.output import ExportError
    from lamplighter.packing.page import write_packed_page
    from lamplighter.runfolder.errors import FormatError
    from lamplighter.runfolder.run_folder import RunFolder

    due = 0.0

    def progress(share: float, what: str) -> None:
        nonlocal due
        if what.startswith("left out: "):
            send_message(left_out=what.removeprefix("left out: "))
        elif time.monotonic() >= due:
            due = time.monotonic() + _PAUSE
            send_message(share=round(share, 4), what=what)

    try:
        write_packed_page(RunFolder(chosen.run), chosen.out, progress)
    except ExportError as error:
        return report_failure(str(error))
    except FormatError as error:
        return report_failure(f"the run cannot be read: {error}")
    return ExitCode.DONE


if __name__ == "__main__":
    limit_threads()
    sys.exit(main())
