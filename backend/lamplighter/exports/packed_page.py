"""The page that shows a run without a server, made by a separate process: packing imports the server, which other
exports do not need.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lamplighter.exports.output import ExportError, ExportProgress
from lamplighter.processes.awaited_job import AwaitedJob
from lamplighter.processes.child_job import ChildMessage
from lamplighter.runfolder.run_folder import RunFolder


def write_page(run: RunFolder, out: Path, progress: ExportProgress, lessons: Path | None = None) -> None:
    """Write the page of a run. `lessons`: a folder of texts that override the course's.

    Raises:
        ExportError: the run has no step or no map yet, or the page has not been built.
    """

    def report(message: ChildMessage) -> None:
        if message.left_out is not None:
            progress(1.0, f"left out: {message.left_out}")
        elif message.share is not None:
            progress(message.share, message.activity or "")

    command = [sys.executable, "-m", "lamplighter.packing.worker", str(run.path), str(out)]
    if lessons is not None:
        command.append(f"--lessons={lessons}")
    try:
        job = AwaitedJob(command, name="packing")
    except OSError as error:
        raise ExportError(f"the page cannot be made: {error.strerror or error}") from error
    if job.wait_for_end(report) != 0:
        raise ExportError(job.problem or "the page could not be made: the process that packs it ended early")
