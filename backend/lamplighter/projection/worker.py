"""The projector as a process: `python -m lamplighter.projection.worker RUN-FOLDER [--once]`.

It follows the run, makes layouts at a calm cadence, and ends with the run: then it makes the layout of the
last step and seals its file. With `--once` it makes the layouts of the newest step and exits.

Exit codes: 0 done (the run is over, or has had no trainer for a while, or SIGTERM), 3 another process is the
projector, 4 the folder cannot be read.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import platformdirs

DONE, TAKEN, FAILED = 0, 3, 4


def prepare_environment() -> None:
    """Set the variables that BLAS and numba read on import: one thread, and a cache that persists.

    numba compares a cached function only with its own source file, not with the libraries it calls, so the
    cache folder is named after their versions.
    """
    versions = "-".join(importlib.metadata.version(name) for name in ("umap-learn", "numba", "numpy"))
    cache = Path(platformdirs.user_cache_dir("lamplighter", appauthor=False)) / "compiled" / versions
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"
    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the process and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m lamplighter.projection.worker")
    parser.add_argument("run", type=Path, help="the run's folder")
    parser.add_argument("--once", action="store_true", help="lay out the newest step and leave")
    chosen = parser.parse_args(arguments)

    # Imported only here: numpy reads the environment when it is imported.
    from lamplighter.projection.projector_process import ProjectorProcess
    from lamplighter.runfolder.errors import FormatError
    from lamplighter.runfolder.role_lock import RoleLock, RoleTakenError
    from lamplighter.runfolder.run_folder import RunFolder

    if not chosen.run.is_dir():
        print(f"{chosen.run}: there is no such folder", file=sys.stderr)
        return FAILED
    process = ProjectorProcess(RunFolder(chosen.run), once=chosen.once)

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        process.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    try:
        with RoleLock(chosen.run, "projector"):
            process.run()
    except RoleTakenError as error:
        print(error, file=sys.stderr)
        return TAKEN
    except FormatError as error:
        print(error, file=sys.stderr)
        return FAILED
    if process.is_warming_up:
        # Python cannot shut down in order while the other thread compiles; everything is committed and
        # closed.
        os._exit(DONE)
    return DONE


if __name__ == "__main__":
    prepare_environment()
    sys.exit(main())
