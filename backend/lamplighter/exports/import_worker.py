"""An import as a process: `python -m lamplighter.exports.import_worker RUNS-FOLDER ZIP`.

It reports on standard output like `lamplighter.exports.worker`; `what` in the line whose share is 1 is the id of the run. It exits
when its caller closes standard input. What it then leaves behind has a free lock: `RunStore.clear_leftovers` removes it.

Exit codes: 0 done, 4 the zip was refused (the problem says why), 5 the caller has exited.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lamplighter.exports.worker import run_reporting
from lamplighter.processes.worker import limit_threads

if TYPE_CHECKING:
    from lamplighter.exports.output import ExportProgress

_MEMORY = 2_000_000_000
"""Bytes: the largest corpus that is allowed is read whole. Rows are read one by one."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lamplighter.exports.import_worker")
    parser.add_argument("runs", type=Path, help="the folder of runs")
    parser.add_argument("zip", type=Path, help="the zip")
    chosen = parser.parse_args(arguments)

    def work(progress: ExportProgress) -> None:
        # Imported only here: numpy reads the environment when it is imported.
        from lamplighter.exports.archive.import_run import import_zip
        from lamplighter.runfolder.run_store import RunStore

        import_zip(RunStore(chosen.runs), chosen.zip, progress)

    return run_reporting(work, _MEMORY)


if __name__ == "__main__":
    limit_threads()
    sys.exit(main())
