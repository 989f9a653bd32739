"""The registry of export formats, and the one function that writes any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lamplighter.exports.archive.pack import write_zip
from lamplighter.exports.formats.parquet import write_parquet
from lamplighter.exports.formats.projector import write_projector
from lamplighter.exports.formats.steps_csv import write_csv
from lamplighter.exports.formats.tensor_files import write_npy, write_safetensors
from lamplighter.exports.output import ExportError, Progress, silent, whole_or_not
from lamplighter.exports.page.render import write_page
from lamplighter.runfolder.run_folder import RunFolder


@dataclass(frozen=True)
class Format:
    """A format for a whole run, or for one step of it."""

    ending: str
    """Suffix of the default name of an export."""
    about: str
    whole: Callable[[RunFolder, Path, Progress], object] | None = None
    """Writer of the whole run."""
    one: Callable[[RunFolder, int | None, Path, Progress], object] | None = None
    """Writer of one step (None: the newest stored exactly)."""


FORMATS: dict[str, Format] = {
    "zip": Format(".zip", "the run, for `lamplighter import`", whole=write_zip),
    "html": Format(".html", "one page that replays the run, no server, no network", whole=write_page),
    "embedding-projector": Format("-projector", "a folder for the Embedding Projector", one=write_projector),
    "parquet": Format(".parquet", "a row a token, for Embedding Atlas and data frames", one=write_parquet),
    "safetensors": Format(".safetensors", "the embedding and the map", one=write_safetensors),
    "npy": Format(".npy", "the embedding", one=write_npy),
    "csv": Format(".csv", "losses, speeds and measures by step", whole=write_csv),
}


def export(
    run: RunFolder,
    format: str,
    step: int | None = None,
    out: Path | None = None,
    progress: Progress = silent,
) -> Path:
    """Export a run, live or over. The result appears whole or not at all.

    Args:
        run: the run.
        format: one of `FORMATS`.
        step: the step, for formats of one step; None: the newest stored exactly.
        out: the file (or folder, for the Embedding Projector) to create; None: named after the run, in the
            current folder.
        progress: called with the share done; raise `Cancelled` in it to cancel.

    Returns:
        The path of the result.

    Raises:
        ExportError: the export failed; the message says why and what to do.
        FormatError: this version cannot read the run.
    """
    if format not in FORMATS:
        raise ExportError(f"there is no format {format[:40]!r}; there are {', '.join(FORMATS)}")
    how = FORMATS[format]
    if how.one is None and step is not None:
        raise ExportError(f"{format} holds every step, so --step does not apply")
    if out is None:
        out = Path(f"{run.id}{'' if step is None else f'-step-{step}'}{how.ending}")
    with whole_or_not(out) as path:
        if how.one is not None:
            how.one(run, step, path, progress)
        elif how.whole is not None:
            how.whole(run, path, progress)
    progress(1.0, out.name)
    return out
