"""An export as a process: `python -m lamplighter.exports.worker RUN-FOLDER FORMAT OUT [--step N]`.

It reports progress on standard output, one JSON object a line: `{"share": 0.4, "what": "steps.sqlite"}`,
`{"left_out": "..."}`, or `{"problem": "..."}` as the last. It runs for the process that holds the other end
of its standard input, and exits when that end closes. `OUT` is a file and appears whole or not at all; a
format that is a folder elsewhere (the Embedding Projector's) is a zip here.

Exit codes: 0 done, 4 the export failed (the problem says why), 5 the caller is gone.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import os
import shutil
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

DONE, FAILED, CANCELLED = 0, 4, 5

_PAUSE = 0.1
"""Minimum seconds between two lines of progress."""
_LEFT_OUT = "left out: "


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the process and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m lamplighter.exports.worker")
    parser.add_argument("run", type=Path, help="the run's folder")
    parser.add_argument("format", help="which format")
    parser.add_argument("out", type=Path, help="the file to make")
    parser.add_argument("--step", type=int, help="which step, for formats of one")
    chosen = parser.parse_args(arguments)
    threading.Thread(target=_exit_when_stdin_closes, daemon=True).start()
    # Readable by this user only.
    os.umask(0o077)
    # Training has priority. Not every system supports niceness, and nothing depends on it.
    with contextlib.suppress(OSError, AttributeError):
        os.nice(10)

    # Imported only here: numpy reads the environment when it is imported.
    from lamplighter.exports.output import ExportError
    from lamplighter.runfolder.errors import FormatError

    try:
        _export(chosen.run, chosen.format, chosen.step, chosen.out)
    except ExportError as error:
        return _report_failure(str(error))
    except FormatError as error:
        return _report_failure(f"the run cannot be read: {error}")
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        more = "make room on the disk, and make it again" if full else "make it again"
        return _report_failure(f"it could not be made: {error.strerror or error}; {more}")
    except MemoryError:
        return _report_failure("there is not enough memory for it; close other programs and make it again")
    return DONE


def _export(folder: Path, format: str, step: int | None, out: Path) -> None:
    from lamplighter.exports.export import FORMATS, export_run
    from lamplighter.exports.output import atomic_output
    from lamplighter.runfolder.run_folder import RunFolder

    progress_lines = _ProgressLines()
    run = RunFolder(folder)
    # The suffix of a folder format does not start with a dot.
    if format in FORMATS and not FORMATS[format].suffix.startswith("."):
        with (
            tempfile.TemporaryDirectory(prefix=".lamplighter-", dir=out.parent) as scratch,
            atomic_output(out) as path,
        ):
            exported = export_run(run, format, step, Path(scratch) / out.stem, progress_lines.progress)
            _pack(exported, path)
    else:
        export_run(run, format, step, out, progress_lines.progress)


class _ProgressLines:
    """A limiter of the lines of progress."""

    def __init__(self) -> None:
        self._next = 0.0

    def progress(self, share: float, what: str) -> None:
        """Print a line of progress, if the last one is not too recent; an `ExportProgress`."""
        if what.startswith(_LEFT_OUT):
            _print_line({"left_out": what.removeprefix(_LEFT_OUT)})
        elif share >= 1 or time.monotonic() >= self._next:
            self._next = time.monotonic() + _PAUSE
            _print_line({"share": round(share, 4), "what": what})


def _pack(folder: Path, out: Path) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"{folder.name}/{path.name}")
    shutil.rmtree(folder)


def _report_failure(problem: str) -> int:
    _print_line({"problem": problem})
    return FAILED


def _print_line(line: dict[str, object]) -> None:
    print(json.dumps(line), flush=True)


def _exit_when_stdin_closes() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    # Exit at once; files left behind lie in a folder that the parent process deletes.
    os._exit(CANCELLED)


if __name__ == "__main__":
    # One thread for BLAS: the trainer needs the cores more.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    sys.exit(main())
