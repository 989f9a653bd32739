"""The projector as a process: `python -m lamplighter.projection.worker RUN-FOLDER [--once]`.

It follows the run with layouts at a limited rate. When the run ends, it lays out the last step, seals its file and
exits. With `--once` it lays out the newest step and exits.

Exit codes: 0 done (the run is over, or has had no trainer for a while, or SIGTERM), 3 another process is the
projector, 4 the folder cannot be read.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from lamplighter.processes.worker import ExitCode, argument_parser, limit_threads, run_in_role


def prepare_environment() -> None:
    """Set the variables that BLAS and numba read on import: one thread, and a cache that persists. numba
    compares a cached function only with its own source file, not with the libraries it calls, so the cache
    folder is named after their versions.
    """
    versions = "-".join(importlib.metadata.version(name) for name in ("numba", "numpy"))
    cache = Path(platformdirs.user_cache_dir("lamplighter", appauthor=False)) / "compiled" / versions
    limit_threads("NUMBA")
    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argument_parser("projection.worker")
    parser.add_argument("--once", action="store_true", help="lay out the newest step and leave")
    chosen = parser.parse_args(arguments)

    # Imported only here: numpy reads the environment when it is imported.
    from lamplighter.projection.projector_process import ProjectorProcess
    from lamplighter.runfolder.run_folder import RunFolder

    process = ProjectorProcess(RunFolder(chosen.run), once=chosen.once)
    code = run_in_role(chosen.run, "projector", process.run, process.stop)
    if code == ExitCode.DONE and process.is_warming_up:
        # Python cannot shut down cleanly while the other thread compiles; everything is committed and closed.
        os._exit(code)
    return code


if __name__ == "__main__":
    prepare_environment()
    sys.exit(main())
