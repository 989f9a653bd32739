"""Packing as a process: `python -m lamplighter.packing.worker RUN-FOLDER OUT [--lessons DIR] [--live FOLDER]`.

It reports on standard output like `lamplighter.exports.worker`, and exits when its caller closes standard input. `OUT`
is written in place; the caller moves it.

Exit codes: 0 done, 4 it failed (the problem says why), 5 the caller has exited.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lamplighter.exports.worker import run_export
from lamplighter.processes.worker import argument_parser, limit_threads

if TYPE_CHECKING:
    from lamplighter.exports.output import ExportProgress
    from lamplighter.runfolder.run_folder import RunFolder


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argument_parser("packing.worker")
    parser.add_argument("out", type=Path, help="the file to make")
    parser.add_argument("--lessons", type=Path, help="texts laid over those of the course")
    parser.add_argument("--live", help="the folder beside the page whose files it follows")
    chosen = parser.parse_args(arguments)

    def make(run: RunFolder, progress: ExportProgress) -> None:
        # Imported only here: numpy reads the environment when it is imported.
        from lamplighter.packing.page import write_packed_page

        write_packed_page(run, chosen.out, progress, chosen.lessons, chosen.live)

    return run_export(chosen.run, make)


if __name__ == "__main__":
    limit_threads()
    sys.exit(main())
