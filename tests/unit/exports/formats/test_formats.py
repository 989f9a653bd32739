"""Each export format as its usual reader reads it."""

from __future__ import annotations

import ast
import csv
import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors import safe_open

from lamplighter.exports.export import FORMATS, export_run
from lamplighter.exports.formats.projector import config_text, escape_cell
from lamplighter.exports.output import Cancelled, ExportError
from lamplighter.runfolder.reading.current_map import newest_layout_entry
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method
from tests.runs import make_run
from tests.unit.exports.recorded import DIM, HOSTILE, record


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return record(tmp_path_factory.mktemp("runs"))


@pytest.mark.skipif(sys.platform == "win32", reason="files have no modes there")
def test_every_format_is_as_open_as_any_new_file(run: RunFolder, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        made = [export_run(run, format, out=tmp_path / format) for format in FORMATS]
    finally:
        os.umask(before)
    files = [path for one in made for path in ([one] if one.is_file() else one.iterdir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o640}
    (folder,) = (path for path in made if path.is_dir())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750


def vectors(run: RunFolder, step: int) -> np.ndarray:
    with MatrixHistory(run) as history:
        return history.snapshot(step).vectors


def places(run: RunFolder, step: int) -> np.ndarray:
    with LayoutsReader(run.layouts_path) as reader:
        newest = newest_layout_entry(reader.layout_entries(), Method.UMAP, step)
        assert newest is not None
        return decode_as(reader.layout_record(newest.id), Layout).coordinates


def tsv(path: Path) -> list[list[str]]:
    """Parse TSV as the Embedding Projector does: lines end at newlines, cells at tabs, no quotes."""
    text = path.read_text("utf-8")
    assert text.endswith("\n")
    return [line.split("\t") for line in text[:-1].split("\n")]


@pytest.mark.parametrize("classes", [True, False])
def test_the_embedding_projector_has_a_line_a_token(tmp_path: Path, classes: bool) -> None:
    run = record(tmp_path / "runs", classes=classes)
    folder = export_run(run, "embedding-projector", 17, tmp_path / "out")
    points, (header, *labels) = tsv(folder / "vectors.tsv"), tsv(folder / "metadata.tsv")
    assert (np.array(points, dtype=np.float32) == vectors(run, 17)).all()
    # With several columns the file has a header; with a single one it must have none.
    assert header == ["token", "count", "class"][: 3 if classes else 2]
    assert len(labels) == len(points) == len(HOSTILE)
    assert {len(cells) for cells in labels} == {len(header)}
    assert labels[0][0] == "the"
    (about,) = json.loads((folder / "projector_config.json").read_text())["embeddings"]
    assert about["tensorShape"] == [len(HOSTILE), DIM]
    assert (folder / about["tensorPath"]).exists()
    assert (folder / about["metadataPath"]).exists()
    # What TensorBoard reads: the same, as protobuf text, with paths from the folder it lies in.
    assert (folder / "projector_config.pbtxt").read_text("ascii") == (
        "embeddings {\n"
        f'  tensor_name: "{run.id}, step 17"\n'
        f"  tensor_shape: {len(HOSTILE)}\n"
        f"  tensor_shape: {DIM}\n"
        '  tensor_path: "vectors.tsv"\n'
        '  metadata_path: "metadata.tsv"\n'
        "}\n"
    )


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("plain, step 3", "plain, step 3"), ('a"b', r"a\042b"), ("a\\n", r"a\134n"), ("a\nb\0", r"a\012b\000"),
        ("naïve", r"na\303\257ve"), ("☃1", r"\342\230\2031"), ("'}", "'}"),
    ],
)  # fmt: skip
def test_any_name_is_one_string_of_protobuf_text(name: str, quoted: str) -> None:
    text = config_text(name, (3, 2), "v.tsv", "m.tsv")
    assert text.splitlines()[1] == f'  tensor_name: "{quoted}"'
    assert text.isascii()
    assert len(text.splitlines()) == 7
    # Octal escapes are Python's too, byte for byte.
    assert ast.literal_eval(f'b"{quoted}"').decode() == name


@pytest.mark.parametrize(
    ("token", "cell"),
    [
        ("dog", "dog"), ("a\tb", "a⇥b"), ("a\r\nb", "a␍⏎b"), ("\x00", "␀"), ("\x1b[1m", "␛[1m"), ("\u202eab", "\\u202eab"),
        ("\u2028", "\\u2028"), ("\x85", "\\u0085"), ("", "(empty)"), ("  ", "(␠␠)"), ('"x', '"x'), ("naïve ☃", "naïve ☃"),
    ],
)  # fmt: skip
def test_any_token_is_one_cell(token: str, cell: str) -> None:
    assert escape_cell(token) == cell
    assert len(escape_cell(token).splitlines()) == 1


def test_parquet_has_the_columns_that_embedding_atlas_is_told(run: RunFolder, tmp_path: Path) -> None:
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


def test_csv_has_a_row_a_step(run: RunFolder, tmp_path: Path) -> None:
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


@pytest.mark.parametrize("format", FORMATS)
def test_what_has_not_begun_is_one_line(tmp_path: Path, format: str) -> None:
    waiting = make_run(tmp_path / "runs")
    with pytest.raises(ExportError) as caught:
        export_run(waiting, format, out=tmp_path / "out" / "x")
    assert "begun" in str(caught.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_page_needs_a_map_and_says_how_to_make_one(tmp_path: Path) -> None:
    run = record(tmp_path / "runs", layouts=False)
    with pytest.raises(ExportError, match=f"lamplighter project {run.id}"):
        export_run(run, "html", out=tmp_path / "x.html")
    assert export_run(run, "safetensors", out=tmp_path / "x.safetensors").exists()
    assert pq.read_table(export_run(run, "parquet", out=tmp_path / "x.parquet"))["x"].null_count == len(
        HOSTILE
    )


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_can_be_cancelled_and_exports_a_live_run(tmp_path: Path, format: str) -> None:
    run = record(tmp_path / "runs", phase="running")

    def cancel(share: float, what: str) -> None:
        raise Cancelled

    with StepsWriter(run.steps_path):
        with pytest.raises(Cancelled):
            export_run(run, format, out=tmp_path / "out" / "x", progress=cancel)
        assert list((tmp_path / "out").iterdir()) == []
        assert export_run(run, format, out=tmp_path / "out" / "x").exists()


def test_a_step_that_is_not_there_is_one_line(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="its last is 30"):
        export_run(run, "npy", 31, tmp_path / "x.npy")
