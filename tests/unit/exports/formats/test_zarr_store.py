"""The embedding over time, read by zarr itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamplighter
from lamplighter.exports.export import export_run
from lamplighter.exports.formats import zarr_store
from lamplighter.exports.output import ExportError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from tests.support.synthetic_runs.recorded import DIM, HOSTILE, record


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
