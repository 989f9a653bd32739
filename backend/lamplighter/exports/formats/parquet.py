"""A Parquet file of one step: one row per token, for Embedding Atlas and data frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lamplighter.exports.formats.token_rows import TokenRows, arrow_table, import_pyarrow
from lamplighter.exports.output import ExportProgress
from lamplighter.exports.step_snapshot import read_step_snapshot
from lamplighter.runfolder.run_folder import RunFolder


def write_parquet(run: RunFolder, step: int | None, out: Path, progress: ExportProgress) -> None:
    """Write the columns `token_id`, `token`, `class`, `count`, `vector`, `x` and `y`.

    `class` is null for tokens without one, `x` and `y` are null where there is no map yet. The file's
    metadata are `run`, `attempt`, `step`, and of the map `layout_step` and `layout_method`.

    Raises:
        ExportError: pyarrow is not installed, that step is not stored exactly, or the run has no step yet.
    """
    arrow, parquet = import_pyarrow(), import_pyarrow("pyarrow.parquet")
    moment = read_step_snapshot(run, step)
    progress(0.3, "writing")
    size = len(moment.vectors)
    places = None if moment.layout is None else moment.layout.coordinates
    nothing = arrow.nulls(size, arrow.float32())
    rows = TokenRows(moment.metadata(), moment.vocabulary, np.arange(size), moment.vectors)
    places_by_name = {
        "x": nothing if places is None else arrow.array(places[:, 0].copy()),
        "y": nothing if places is None else arrow.array(places[:, 1].copy()),
    }
    parquet.write_table(arrow_table(rows, places_by_name), out, compression="zstd")
