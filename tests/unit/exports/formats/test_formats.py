"""Each export format, read by its usual reader.

The Parquet file in Embedding Atlas: opened by that package's own reader, with the documented options.
The embedding over time, read by zarr itself.
"""

from __future__ import annotations

import csv
import io
import os
import re
import stat
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors import safe_open

import lamplighter
from lamplighter.exports.export import FORMATS, export_run
from lamplighter.exports.formats import zarr_store
from lamplighter.exports.output import Cancelled, ExportError
from lamplighter.runfolder.reading.current_map import newest_layout_entry
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method
from tests.support.runs import make_run
from tests.support.synthetic_runs.recorded import DIM, HOSTILE, record

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


def opened(path: Path) -> Any:
    return pytest.importorskip("zarr").open_group(path, mode="r")


def test_every_exact_step_is_there_with_its_tokens(tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    run = record(tmp_path / "runs")
    store = opened(export_run(run, "zarr", out=tmp_path / "run.zarr"))
    assert store["token"][:].tolist() == list(HOSTILE)
    assert store["step"][:].tolist() == list(range(31))
    assert store["embedding"].metadata.dimension_names == ("step", "token", "dim")
    with MatrixHistory(run) as history:
        for step in (0, 17, 30):
            np.testing.assert_array_equal(store["embedding"][step], history.snapshot(step).vectors)


def test_a_long_run_is_thinned_and_a_chunk_is_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("zarr")
    monkeypatch.setattr(zarr_store, "MAX_STEPS", 4)
    monkeypatch.setattr(zarr_store, "_CHUNK_BYTES", 3 * 4 * DIM)
    store = opened(export_run(record(tmp_path / "runs"), "zarr", out=tmp_path / "run.zarr"))
    assert store["step"][:].tolist() == [0, 10, 20, 30]
    assert store["embedding"].chunks == (1, 3, DIM)


def test_a_recorded_loop_has_its_own_numbers(tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    weights = np.arange(9, dtype=np.float32).reshape(3, 3)
    with lamplighter.record(tmp_path / "mine", ["a", "b", "c"], embedding=weights, every=50) as recorder:
        for number in range(1, 101):
            recorder.step(weights * number, [], 1.0)
    store = opened(export_run(lamplighter.open(tmp_path / "mine"), "zarr", out=tmp_path / "run.zarr"))
    assert store["step"][:].tolist() == [0, 50, 100]
    np.testing.assert_array_equal(store["embedding"][2], weights * 100)


def test_without_its_package_it_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(ExportError, match="pip install zarr"):
        export_run(record(tmp_path / "runs"), "zarr", out=tmp_path / "run.zarr")


TOKENS = ["Ġof", "of", "Ċ", "Ġ,", ","]


@pytest.fixture
def own_run(tmp_path: Path) -> lamplighter.Run:
    weights = np.ones((len(TOKENS), 3), np.float32)
    with lamplighter.record(tmp_path / "mine", TOKENS, embedding=weights) as recorder:
        recorder.step(weights * 2, [0, 1], 2.0)
        recorder.step(weights * 3, [], None)
    return lamplighter.open(tmp_path / "mine")


def test_exports_the_known_data_of_an_opened_run(own_run: lamplighter.Run, tmp_path: Path) -> None:
    table = pq.read_table(export_run(own_run, "parquet", out=tmp_path / "run.parquet"))
    assert table["token"].to_pylist() == TOKENS
    assert table["text"].to_pylist() == ["of", "-of", "\n", "␣,", ","]
    assert table["count"].to_pylist() == [None] * len(TOKENS)
    assert table["vector"].to_pylist() == [[3, 3, 3]] * len(TOKENS)


def test_cells_without_a_record_are_empty(own_run: lamplighter.Run, tmp_path: Path) -> None:
    with export_run(own_run, "csv", out=tmp_path / "run.csv").open(encoding="utf-8") as file:
        first, second = list(csv.DictReader(file))
    columns = ("batch_rows", "gradient_rows", "moved_rows")
    assert [first[name] for name in columns] == ["2", "", "5"]
    assert [second[name] for name in (*columns, "tokens_per_second")] == ["", "", "5", ""]


def test_a_recorded_loop_has_no_model_to_give_back(own_run: lamplighter.Run, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"only its embedding is here.*--to safetensors"):
        export_run(own_run, "hf", out=tmp_path / "model")
