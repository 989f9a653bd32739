"""The files of one valid run, as in the zip of an export; hostile zips are made by changing them."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from lamplighter.analysis.analyst import tile_next_stretch
from lamplighter.exports.export import export_run
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.tiles import TilesWriter
from tests.support.synthetic_runs.recorded import DIM, HOSTILE, record

CHECKPOINT = "checkpoints/0000000030-0001.safetensors"
WAYPOINT = "waypoints/0000000010-0001.safetensors"


def export_good_run(folder: Path) -> Path:
    """Record a run with all kinds of files, export and unpack it. Return the folder of its files."""
    run = record(folder / "runs")
    with TilesWriter(run.tiles_path) as tiles:
        with MatrixHistory(run) as history:
            assert tile_next_stretch(history, tiles, over=True)
        # Sealing waits until there are no readers.
        assert tiles.close(sealed=True)
    shutil.copy(run.layouts_path, run.relayouts_path)
    write_checkpoint(run, CHECKPOINT)
    write_checkpoint(run, WAYPOINT)
    with zipfile.ZipFile(export_run(run, "zip", out=folder / "run.zip")) as archive:
        archive.extractall(folder)
    return folder / run.id


def write_checkpoint(run: RunFolder, name: str, **metadata: str) -> None:
    """Write a small checkpoint of the run's embedding; `metadata` replaces entries of its header."""
    size = len(HOSTILE)
    tensors = {
        "model.embedding.weight": np.zeros((size, DIM), np.float32),
        "observer.touches": np.zeros(size, np.int64),
        "observer.last_lit": np.zeros(size, np.int64),
    }
    said = {"numbers": "{}", "state": json.dumps({"learning_rate": 0.003})} | metadata
    (run.path / name).parent.mkdir(exist_ok=True)
    save_file(tensors, run.path / name, said)
