"""A Parquet file of one step: one row per token, for Embedding Atlas and data frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lamplighter.exports.formats.token_rows import (
    TokenRows,
    arrow_table,
    import_pyarrow,
    printable_surrogates,
)
from lamplighter.exports.output import ExportProgress
from lamplighter.exports.step_snapshot import read_step_snapshot
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.wire.token_text import read_tokens


def write_parquet(run: RunFolder, step: int | None, out: Path, progress: ExportProgress) -> None:
    """Write the columns `token_id`, `token`, `class`, `count`, `vector`, `text`, `x` and `y`, or raise
    ExportError.

    `token` is the tokeniser's form, `text` the readable one. `class` is null for tokens without one, `count`
    if counts are unknown, `x` and `y` if there is no map yet. The file's metadata are `run`, `attempt`,
    `step` and, for the map, `layout_step` and `layout_method`.
    """
    arrow, parquet = import_pyarrow(), import_pyarrow("pyarrow.parquet")
    snapshot = read_step_snapshot(run, step)
    progress(0.3, "writing")
    size = len(snapshot.vectors)
    coordinates = None if snapshot.layout is None else snapshot.layout.coordinates
    nothing = arrow.nulls(size, arrow.float32())
    rows = TokenRows(snapshot.metadata(), snapshot.vocabulary, np.arange(size), snapshot.vectors)
    more_columns = {
        "text": arrow.array(
            map(printable_surrogates, read_tokens(snapshot.vocabulary.tokens)), arrow.string()
        ),
        "x": nothing if coordinates is None else arrow.array(coordinates[:, 0].copy()),
        "y": nothing if coordinates is None else arrow.array(coordinates[:, 1].copy()),
    }
    parquet.write_table(arrow_table(rows, more_columns), out, compression="zstd")
