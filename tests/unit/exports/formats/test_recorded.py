"""Exports of a run recorded from a client's loop: only recorded data is exported."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import lamplighter
from lamplighter.exports.export import export_run
from lamplighter.exports.output import ExportError

TOKENS = ["Ġof", "of", "Ċ", "Ġ,", ","]


@pytest.fixture
def run(tmp_path: Path) -> lamplighter.Run:
    weights = np.ones((len(TOKENS), 3), np.float32)
    with lamplighter.record(tmp_path / "mine", TOKENS, embedding=weights) as recorder:
        recorder.step(weights * 2, [0, 1], 2.0)
        recorder.step(weights * 3, [], None)
    return lamplighter.open(tmp_path / "mine")


def test_exports_the_known_data_of_an_opened_run(run: lamplighter.Run, tmp_path: Path) -> None:
    table = pq.read_table(export_run(run, "parquet", out=tmp_path / "run.parquet"))
    assert table["token"].to_pylist() == TOKENS
    assert table["text"].to_pylist() == ["of", "-of", "\n", "␣,", ","]
    assert table["count"].to_pylist() == [None] * len(TOKENS)
    assert table["vector"].to_pylist() == [[3, 3, 3]] * len(TOKENS)


def test_cells_without_a_record_are_empty(run: lamplighter.Run, tmp_path: Path) -> None:
    with export_run(run, "csv", out=tmp_path / "run.csv").open(encoding="utf-8") as file:
        first, second = list(csv.DictReader(file))
    columns = ("batch_rows", "gradient_rows", "moved_rows")
    assert [first[name] for name in columns] == ["2", "", "5"]
    assert [second[name] for name in (*columns, "tokens_per_second")] == ["", "", "5", ""]


def test_a_recorded_loop_has_no_model_to_give_back(run: lamplighter.Run, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"only its embedding is here.*--to safetensors"):
        export_run(run, "hf", out=tmp_path / "model")
