"""The embedding at one step as safetensors or npy: bit for bit, never a pickle."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from lamplighter.exports.output import ExportProgress
from lamplighter.exports.step_snapshot import read_step_snapshot
from lamplighter.runfolder.run_folder import RunFolder


def write_safetensors(run: RunFolder, step: int | None, out: Path, progress: ExportProgress) -> None:
    """Write `embedding` (V, D) and, if there is a map, `coordinates` (V, 2), both float32, or raise
    ExportError.

    The metadata are `run`, `attempt`, `step` and, for the map, `layout_step` and `layout_method`.
    """
    snapshot = read_step_snapshot(run, step)
    progress(0.5, "writing")
    tensors = {"embedding": np.ascontiguousarray(snapshot.vectors)}
    if snapshot.layout is not None:
        tensors["coordinates"] = np.ascontiguousarray(snapshot.layout.coordinates)
    save_tensors(tensors, out, snapshot.metadata())


def save_tensors(tensors: dict[str, NDArray[np.float32]], out: Path, metadata: dict[str, str]) -> None:
    """Write contiguous arrays to a safetensors file with the default permissions."""
    # The library would create a private file.
    out.touch()
    mode = out.stat().st_mode
    save_file(tensors, out, metadata=metadata)
    out.chmod(stat.S_IMODE(mode))


def write_npy(run: RunFolder, step: int | None, out: Path, progress: ExportProgress) -> None:
    """Write the embedding alone, (V, D) float32, or raise ExportError if the step is not stored exactly."""
    snapshot = read_step_snapshot(run, step)
    progress(0.5, "writing")
    with out.open("wb") as file:
        np.save(file, snapshot.vectors, allow_pickle=False)
