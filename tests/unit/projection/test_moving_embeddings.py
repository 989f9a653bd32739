"""The recorded histories of moving embeddings, and the measures of the maps that methods draw of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.moving.__main__ import main
from benchmarks.moving.compare import MapScores, measure
from benchmarks.moving.histories import (
    HistoryError,
    MovingHistory,
    find_moved,
    make_up,
    read_history,
    record_training,
    write_history,
)
from benchmarks.moving.methods import METHODS, Method
from lamplighter.contract.recipe import Recipe


@pytest.fixture(scope="module")
def tiny() -> MovingHistory:
    return make_up(120, 8, 6, 4)


def test_a_history_is_read_as_it_was_written(tiny: MovingHistory, tmp_path: Path):
    write_history(tmp_path / "tiny.npz", tiny)
    again = read_history(tmp_path / "tiny.npz")
    assert np.array_equal(again.vectors, tiny.vectors)
    assert again.vectors.dtype == np.float16
    assert tiny.moved.sum(axis=1).tolist() == [0, 6, 6, 6]
    assert np.array_equal(again.moved, tiny.moved)
    assert again.about == tiny.about
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.npz"]


def test_of_a_lazy_training_only_rows_that_were_read_move():
    recipe = Recipe.model_validate(
        {
            "corpus": {"kind": "repeats"},
            "model": {"dim": 8, "heads": 1, "layers": 1, "context": 4},
            "optimiser": {"kind": "lazy"},
            "sequences": 4,
            "device": "cpu",
        }
    )
    history = record_training(recipe, "repeats", first=2, every=1, frames=3)
    assert history.steps.tolist() == [2, 3, 4]
    assert not history.moved[0].any()
    assert ((history.moved[1:].sum(axis=1) > 0) & (history.moved[1:].sum(axis=1) <= 16)).all()


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"moved": None}, "it has no 'moved'"),
        ({"vectors": np.zeros((4, 120, 8), np.float32)}, "must be float16"),
        ({"vectors": np.full((4, 120, 8), np.nan, np.float16)}, "every number must be finite"),
        ({"moved": np.ones((4, 120), np.bool_)}, "moved does not name"),
        ({"about": np.array([{}], dtype=object)}, "is no history"),
    ],
)
def test_a_file_that_is_no_history_is_refused_in_a_line(
    tiny: MovingHistory, tmp_path: Path, arrays: dict[str, Any], told: str
):
    whole: dict[str, Any] = {
        "vectors": tiny.vectors,
        "moved": tiny.moved,
        "steps": tiny.steps,
        "about": np.array(""),
    }
    path = tmp_path / "bad.npz"
    np.savez(path, **{name: array for name, array in (whole | arrays).items() if array is not None})
    with pytest.raises(HistoryError, match=told) as caught:
        read_history(path)
    assert "\n" not in str(caught.value)


def test_what_is_no_archive_or_too_large_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "text.npz").write_text("not an archive")
    assert main(["compare", str(tmp_path / "text.npz")]) == 1
    assert main(["compare", str(tmp_path / "none.npz")]) == 1
    assert main(["record", "large", "--frames", "1000", "--out", str(tmp_path / "large.npz")]) == 1
    told = capsys.readouterr().err.splitlines()
    assert ["is no history" in told[0], "cannot be read" in told[1], "take fewer frames" in told[2]] == [
        True
    ] * 3


def test_a_map_that_is_the_space_scores_full_marks_and_a_shuffled_one_does_not():
    turns = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    frames = [turns + np.where(np.arange(60) % 7 == frame, 0.02 * (1 + turns), 0) for frame in range(4)]
    vectors = np.stack([np.cos(frames), np.sin(frames)], axis=2).astype(np.float16)
    history = MovingHistory(vectors, find_moved(vectors), np.arange(4), "a circle")
    true, shuffled = MapScores(history), MapScores(history)
    rng = np.random.default_rng(0)
    for frame in range(4):
        units = history.units(frame)
        true.add(frame, units, 3 * units)
        shuffled.add(frame, units, units[rng.permutation(60)])
    found = true.summary()
    assert found["rest"] == 0
    assert [round(found[name], 4) for name in ("pearson", "spearman", "kept", "trust")] == [1, 1, 1, 1]
    lost = shuffled.summary()
    assert lost["rest"] > 0.1
    assert lost["kept"] < 0.4
    assert lost["trust"] < 0.7
    assert abs(lost["pearson"]) < 0.4


def test_the_living_map_follows_a_history_and_lets_rows_rest(tiny: MovingHistory):
    found = measure(tiny, "living")
    assert found["kept"] > 0.5
    assert found["rest"] < 0.05
    assert found["frame_ms"] > 0


def test_a_method_whose_package_is_missing_is_skipped_with_a_line(
    tiny: MovingHistory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(METHODS, "absent", Method(METHODS["pca"].begin, None, ("no_such_module",), "no-such"))
    path = tmp_path / "tiny.npz"
    write_history(path, tiny)
    assert main(["compare", str(path), "--methods", "absent,pca", "--frames", "2"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "skipped absent: no_such_module is not installed (pip install no-such)"
    assert lines[-1].startswith("| pca | ")
    assert "2 frames" in "".join(lines)
