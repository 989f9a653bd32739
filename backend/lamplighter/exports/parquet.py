"""One step as a Parquet file: a row a token, as Embedding Atlas and every data frame opens it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from lamplighter.exports.moment import read_moment
from lamplighter.exports.work import ExportError, Progress
from lamplighter.runfolder.folder import RunFolder


def write_parquet(run: RunFolder, step: int | None, out: Path, progress: Progress) -> None:
    """Write the columns `token_id`, `token`, `class`, `count`, `vector`, `x` and `y`.

    `class` is null for tokens of none, `x` and `y` are null where there is no map yet. The file's metadata
    say `run`, `attempt`, `step`, and of the map `layout_step` and `layout_method`.

    Raises:
        ExportError: pyarrow is not installed, that step was not kept exactly, or nothing has been learned.
    """
    # A large package that this one format needs; it is an extra, and it ships no types.
    try:
        arrow: Any = import_module("pyarrow")
        parquet: Any = import_module("pyarrow.parquet")
    except ImportError as error:
        raise ExportError(
            "Parquet needs pyarrow: install it with: pip install 'lamplighter[parquet]'"
        ) from error
    moment = read_moment(run, step)
    progress(0.3, "writing")
    size, dim = moment.vectors.shape
    values = arrow.array(moment.vectors.ravel())
    places = None if moment.layout is None else moment.layout.coordinates
    nothing = arrow.nulls(size, arrow.float32())
    columns = {
        "token_id": arrow.array(range(size), arrow.int32()),
        "token": arrow.array(moment.vocabulary.tokens, arrow.string()),
        "class": arrow.array([name or None for name in moment.classes], arrow.string()),
        "count": arrow.array(moment.vocabulary.counts),
        "vector": arrow.FixedSizeListArray.from_arrays(values, dim),
        "x": nothing if places is None else arrow.array(places[:, 0].copy()),
        "y": nothing if places is None else arrow.array(places[:, 1].copy()),
    }
    table = arrow.table(columns, metadata=moment.facts())
    parquet.write_table(table, out, compression="zstd")
