"""Each export format, read by its usual reader."""

from __future__ import annotations

import csv
import os
import stat
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors import safe_open

from lamplighter.exports.export import FORMATS, export_run
from lamplighter.exports.output import Cancelled, ExportError
from lamplighter.runfolder.reading.current_map import newest_layout_entry
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method
from tests.support.runs import make_run
from tests.support.synthetic_runs.recorded import HOSTILE, record

INSTALLED = [name for name in FORMATS if name != "zarr" or find_spec("zarr") is not None]
"""The formats whose package is here."""
EMBEDDING_FORMATS = [name for name in INSTALLED if name != "hf"]
"""Those that need no model."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return record(tmp_path_factory.mktemp("runs"))


@pytest.mark.skipif(sys.platform == "win32", reason="files have no modes there")
def test_every_format_has_default_permissions(run: RunFolder, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        made = [export_run(run, format, out=tmp_path / format) for format in EMBEDDING_FORMATS]
    finally:
        os.umask(before)
    files = [file for path in made for file in (path, *path.rglob("*")) if file.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o640}


def vectors(run: RunFolder, step: int) -> np.ndarray:
    with MatrixHistory(run) as history:
        return history.snapshot(step).vectors


def places(run: RunFolder, step: int) -> np.ndarray:
    with LayoutsReader(run.layouts_path) as reader:
        newest = newest_layout_entry(reader.layout_entries(), Method.UMAP, step)
        assert newest is not None
        return decode_as(reader.layout_record(newest.id), Layout).coordinates


def test_parquet_has_the_documented_columns(run: RunFolder, tmp_path: Path) -> None:
    table = pq.read_table(export_run(run, "parquet", 17, tmp_path / "run.parquet"))
    rows: list[dict[str, Any]] = table.to_pylist()
    assert [row["token"] for row in rows] == list(HOSTILE)
    assert [row["class"] for row in rows][:3] == ["even", "odd", "even"]
    assert rows[8]["class"] is None
    assert [row["count"] for row in rows] == list(range(len(HOSTILE), 0, -1))
    assert (np.array([row["vector"] for row in rows], np.float32) == vectors(run, 17)).all()
    assert (np.array([[row["x"], row["y"]] for row in rows], np.float32) == places(run, 17)).all()
    assert pa.types.is_floating(table.schema.field("x").type)
    assert table.schema.metadata[b"step"] == b"17"
    assert table.schema.metadata[b"layout_step"] == b"10"


def test_parquet_without_pyarrow_names_the_extra(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ExportError, match="pip install pyarrow"):
        export_run(run, "parquet", out=tmp_path / "run.parquet")
    assert list(tmp_path.iterdir()) == []


def test_safetensors_and_npy_are_bit_for_bit(run: RunFolder, tmp_path: Path) -> None:
    with safe_open(export_run(run, "safetensors", 23, tmp_path / "run.safetensors"), framework="np") as file:
        assert (file.get_tensor("embedding") == vectors(run, 23)).all()
        assert (file.get_tensor("coordinates") == places(run, 23)).all()
        assert file.metadata() | {"run": run.id, "step": "23", "layout_step": "20"} == file.metadata()
    assert (np.load(export_run(run, "npy", out=tmp_path / "run.npy")) == vectors(run, 30)).all()


def test_csv_has_a_row_per_step(run: RunFolder, tmp_path: Path) -> None:
    with export_run(run, "csv", out=tmp_path / "run.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(31))
    assert float(rows[30]["loss"]) == 2.0
    assert rows[30]["gradient_rows"] == "2"
    assert (rows[0]["measure: purity"], rows[1]["measure: purity"], rows[30]["measure: purity"]) == (
        "0.1",
        "",
        "0.9",
    )
    assert not any(name.startswith(("=", "+", "-", "@")) for name in rows[0])


@pytest.mark.parametrize("format", INSTALLED)
def test_reports_a_run_that_has_not_started(tmp_path: Path, format: str) -> None:
    waiting = make_run(tmp_path / "runs")
    with pytest.raises(ExportError) as caught:
        export_run(waiting, format, out=tmp_path / "out" / "x")
    assert "begun" in str(caught.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_page_without_a_map_says_how_to_make_one(tmp_path: Path) -> None:
    run = record(tmp_path / "runs", layouts=False)
    with pytest.raises(ExportError, match=f"lamplighter project {run.id}"):
        export_run(run, "html", out=tmp_path / "x.html")
    assert export_run(run, "safetensors", out=tmp_path / "x.safetensors").exists()
    assert pq.read_table(export_run(run, "parquet", out=tmp_path / "x.parquet"))["x"].null_count == len(
        HOSTILE
    )


@pytest.mark.parametrize("format", EMBEDDING_FORMATS)
def test_every_format_can_be_cancelled_and_exports_a_live_run(tmp_path: Path, format: str) -> None:
    run = record(tmp_path / "runs", phase="running")

    def cancel(share: float, what: str) -> None:
        raise Cancelled

    with StepsWriter(run.steps_path):
        with pytest.raises(Cancelled):
            export_run(run, format, out=tmp_path / "out" / "x", progress=cancel)
        assert list((tmp_path / "out").iterdir()) == []
        assert export_run(run, format, out=tmp_path / "out" / "x").exists()


def test_reports_a_missing_step(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="its last is 30"):
        export_run(run, "npy", 31, tmp_path / "x.npy")
