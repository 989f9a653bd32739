"""A broadcast as a process: `python -m lamplighter.packing.broadcast.worker RUN-FOLDER FOLDER`.

It reports problems on standard output like `lamplighter.exports.worker`, and exits when its caller closes standard input.

Exit codes: 0 the run has ended and its last page is there, 4 it failed (the problem says why), 5 the caller has exited.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from lamplighter.processes.worker import (
    ExitCode,
    argument_parser,
    limit_threads,
    report_failure,
    send_message,
    watch_parent,
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argument_parser("packing.broadcast.worker")
    parser.add_argument("folder", type=Path, help="where to write")
    chosen = parser.parse_args(arguments)
    # Imported only here: numpy reads the environment when it is imported.
    from lamplighter.packing.broadcast.broadcast import Broadcast, BroadcastFailedError
    from lamplighter.packing.broadcast.site import FolderSite
    from lamplighter.runfolder.run_folder import RunFolder

    stopping = threading.Event()
    watch_parent(stopping.set)
    broadcast = Broadcast(
        RunFolder(chosen.run), FolderSite(chosen.folder), lambda problem: send_message(problem=problem)
    )
    try:
        broadcast.write_until_over(stopping.wait)
    except BroadcastFailedError as error:
        return report_failure(str(error))
    return ExitCode.CANCELLED if stopping.is_set() else ExitCode.DONE


if __name__ == "__main__":
    limit_threads()
    sys.exit(main())
