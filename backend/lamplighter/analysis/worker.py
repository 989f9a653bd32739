"""The analyst as a process: `python -m lamplighter.analysis.worker RUN-FOLDER`.

Exit codes: 0 done (the run is over, or has had no trainer for a while, or SIGTERM), 3 another process is the
analyst, 4 the folder cannot be read.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

DONE, TAKEN, FAILED = 0, 3, 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the process and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m lamplighter.analysis.worker")
    parser.add_argument("run", type=Path, help="the run's folder")
    chosen = parser.parse_args(arguments)

    # Imported only here: numpy reads the environment when it is imported.
    from lamplighter.analysis.analyst import Analyst
    from lamplighter.runfolder.errors import FormatError
    from lamplighter.runfolder.role_lock import RoleLock, RoleTakenError
    from lamplighter.runfolder.run_folder import RunFolder

    if not chosen.run.is_dir():
        print(f"{chosen.run}: there is no such folder", file=sys.stderr)
        return FAILED
    analyst = Analyst(RunFolder(chosen.run))

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        analyst.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    # The lowest priority. Not every system supports niceness, and nothing depends on it.
    with contextlib.suppress(OSError, AttributeError):
        os.nice(10)
    try:
        with RoleLock(chosen.run, "analyst"):
            analyst.run()
    except RoleTakenError as error:
        print(error, file=sys.stderr)
        return TAKEN
    except FormatError as error:
        print(error, file=sys.stderr)
        return FAILED
    return DONE


if __name__ == "__main__":
    # One thread for BLAS: the trainer needs the cores more.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    sys.exit(main())
