"""The registry of export formats, and the function that writes them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lamplighter.exports.archive.run_zip import write_zip
from lamplighter.exports.formats.gpt2_folder import write_gpt2_folder
from lamplighter.exports.formats.steps_csv import write_csv
from lamplighter.exports.formats.tensor_files import write_npy, write_parquet, write_safetensors
from lamplighter.exports.formats.zarr_store import write_zarr
from lamplighter.exports.output import ExportError, ExportProgress, atomic_output, no_progress
from lamplighter.processes.child_job import AwaitedJob, ChildMessage
from lamplighter.runfolder.run_folder import RunFolder


def write_page(run: RunFolder, out: Path, progress: ExportProgress, lessons: Path | None = None) -> None:
    """Write the page of a run, or raise ExportError. `lessons`: texts that override the course's."""

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


@dataclass(frozen=True)
class ExportFormat:
    """A format for a whole run, or for one step of it."""

    suffix: str
    """Suffix of the default name of an export."""
    about: str
    write_run: Callable[[RunFolder, Path, ExportProgress], object] | None = None
    """Writer of the whole run."""
    write_step: Callable[[RunFolder, int | None, Path, ExportProgress], object] | None = None
    """Writer of one step (None: the newest stored exactly)."""


FORMATS: dict[str, ExportFormat] = {
    "zip": ExportFormat(".zip", "the run, for `lamplighter import`", write_run=write_zip),
    "html": ExportFormat(".html", "the page with the run in it: no server, no network", write_run=write_page),
    "parquet": ExportFormat(
        ".parquet", "a row a token, for Embedding Atlas and data frames", write_step=write_parquet
    ),
    "safetensors": ExportFormat(".safetensors", "the embedding and the map", write_step=write_safetensors),
    "npy": ExportFormat(".npy", "the embedding", write_step=write_npy),
    "hf": ExportFormat("-hf", "the model, a folder for transformers", write_step=write_gpt2_folder),
    "zarr": ExportFormat(".zarr", "the embedding over time, a folder for xarray", write_run=write_zarr),
    "csv": ExportFormat(".csv", "losses, speeds and measures by step", write_run=write_csv),
}


class OpenedRun(Protocol):
    """A run opened by a client, as returned by `lamplighter.open`."""

    @property
    def folder(self) -> Path: ...


def export_run(
    run: RunFolder | OpenedRun,
    format: str,
    step: int | None = None,
    out: Path | None = None,
    progress: ExportProgress = no_progress,
    lessons: Path | None = None,
) -> Path:
    """Export a run, live or finished. The result appears complete or not at all.

    Args:
        run: the run, for example from `lamplighter.open`.
        format: one of `FORMATS`.
        step: the step, for formats of one step; None: the newest stored exactly.
        out: the file to create; None: a file named after the run in the current folder.
        progress: called with the share done; raise `Cancelled` in it to cancel.
        lessons: a folder of texts that override those of the course, for the page.

    Returns:
        The path of the result.

    Raises:
        ExportError: the export failed; the message says why and what to do.
        FormatError: this version cannot read the run.
    """
    if format not in FORMATS:
        raise ExportError(f"there is no format {format[:40]!r}; there are {', '.join(FORMATS)}")
    how = FORMATS[format]
    if not isinstance(run, RunFolder):
        run = RunFolder(run.folder)
    if how.write_step is None and step is not None:
        raise ExportError(f"{format} holds every step, so --step does not apply")
    if lessons is not None and how.write_run is not write_page:
        raise ExportError(f"{format} holds no course, so --lessons does not apply")
    if out is None:
        out = Path(f"{run.id}{'' if step is None else f'-step-{step}'}{how.suffix}")
    with atomic_output(out) as path:
        if how.write_step is not None:
            how.write_step(run, step, path, progress)
        elif lessons is not None:
            write_page(run, path, progress, lessons)
        elif how.write_run is not None:
            how.write_run(run, path, progress)
    progress(1.0, out.name)
    return out
