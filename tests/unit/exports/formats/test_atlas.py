"""The Parquet file in Embedding Atlas: opened by that package's own reader, with the documented options."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from lamplighter.exports.export import export_run
from lamplighter.runfolder.reading.current_map import newest_layout_entry
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method
from tests.support.synthetic_runs.recorded import DIM, HOSTILE, record

DOCUMENT = Path(__file__).parents[4] / "docs" / "exports.md"


def atlas(module: str) -> Any:
    try:
        return import_module(f"embedding_atlas.{module}")
    except ImportError as error:
        raise AssertionError(
            f"the reader of embedding-atlas is not installed whole ({error}); install it with: make .make/develop"
        ) from error


def test_embedding_atlas_opens_it(tmp_path: Path) -> None:
    run = record(tmp_path / "runs")
    load: Callable[[str], Any] = atlas("utils").load_pandas_data
    frame = load(str(export_run(run, "parquet", 17, tmp_path / "run.parquet")))
    assert list(frame.columns) == ["token_id", "token", "class", "count", "vector", "text", "x", "y"]
    assert list(frame["token_id"]) == list(range(len(HOSTILE)))
    assert list(frame["token"]) == list(HOSTILE)
    assert list(frame["count"]) == list(range(len(HOSTILE), 0, -1))
    assert list(frame["class"].fillna("none"))[-3:] == ["odd", "none", "odd"]
    with MatrixHistory(run) as history:
        vectors = history.snapshot(17).vectors
    assert np.stack(frame["vector"].to_list()).dtype == np.float32
    assert (np.stack(frame["vector"].to_list()) == vectors).all()
    assert vectors.shape == (len(HOSTILE), DIM)
    with LayoutsReader(run.layouts_path) as reader:
        newest = newest_layout_entry(reader.layout_entries(), Method.UMAP, 17)
        assert newest is not None
        layout = decode_as(reader.layout_record(newest.id), Layout)
    assert (frame[["x", "y"]].to_numpy() == layout.coordinates).all()


def test_embedding_atlas_sends_the_documented_columns_to_its_page(tmp_path: Path) -> None:
    """The package sends its page the table as Parquet again, with the columns named by the options."""
    frame = atlas("utils").load_pandas_data(
        str(export_run(record(tmp_path / "runs"), "parquet", out=tmp_path / "run.parquet"))
    )
    words = re.search(r"embedding-atlas RUN\.parquet (.*)", DOCUMENT.read_text(encoding="utf-8"))
    assert words
    options = dict(re.findall(r"--(\w+) (\w+)", words[1]))
    assert set(options) == {"text", "x", "y"}
    told = atlas("options").make_embedding_atlas_props(row_id="token_id", **options)
    assert told["data"] == {"id": "token_id", "projection": {"x": "x", "y": "y"}, "text": "text"}
    sent = pq.read_table(io.BytesIO(atlas("utils").to_parquet_bytes(frame)))
    assert sent.num_rows == len(HOSTILE)
    assert {told["data"]["id"], told["data"]["text"], *told["data"]["projection"].values()} <= set(
        sent.column_names
    )
    assert sent["x"].null_count == sent["y"].null_count == 0


def test_a_run_without_a_map_opens_too(tmp_path: Path) -> None:
    run = record(tmp_path / "runs", layouts=False)
    frame = atlas("utils").load_pandas_data(str(export_run(run, "parquet", out=tmp_path / "run.parquet")))
    assert len(frame) == len(HOSTILE)
    assert frame["x"].isna().all()
    assert frame["vector"].map(len).eq(DIM).all()


def test_a_missing_reader_gives_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "embedding_atlas.utils", None)
    with pytest.raises(AssertionError, match=r"make \.make/develop"):
        atlas("utils")
