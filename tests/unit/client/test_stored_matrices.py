"""Tables that lie in files of their own: in the precision in which they came, read by rows, copied, checked, refused."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

import lamplighter
from lamplighter.analysis.measures import measure
from lamplighter.client.recording import state_recording
from lamplighter.contract.recipe import Recipe
from lamplighter.exports.archive.import_run import import_zip
from lamplighter.exports.archive.run_zip import write_zip
from lamplighter.exports.output import ExportError
from lamplighter.geometry.neighbours import nearest_rows
from lamplighter.runfolder.errors import FormatError, MatrixTooLargeError, NoSnapshotError
from lamplighter.runfolder.matrices import stored_matrix
from lamplighter.runfolder.reading.disk_usage import bytes_by_part
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.wire import row_source

V, D = 70, 5
WORDS = tuple(f"w{at}" for at in range(V))


def half(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(V, D)).astype(np.float16)


def bfloat16(path: Path, seed: int = 0) -> np.ndarray:
    """Write a table of bfloat16, and return its numbers as float32."""
    numbers = np.random.default_rng(seed).normal(size=(V, D)).astype(np.float32)
    bits = (numbers.view(np.uint32) >> 16).astype("<u2")
    header = json.dumps(
        {"wte": {"dtype": "BF16", "shape": [V, D], "data_offsets": [0, bits.nbytes]}}
    ).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bits.tobytes())
    return (bits.astype(np.uint32) << 16).view(np.float32)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a block hold three rows."""
    monkeypatch.setattr(row_source.row_blocks, "__defaults__", (3 * 4 * D,))


@pytest.fixture
def run(tmp_path: Path, small_blocks: None) -> lamplighter.Run:
    """Return a series of two tables in half precision, of whose rows four moved."""
    later = half()
    later[[2, 3, 40, 69]] += 1
    return lamplighter.series(tmp_path / "runs" / "halves", [half(), later], WORDS, maps=False)


def test_half_precision_stays_half_precision_on_the_disk(run: lamplighter.Run) -> None:
    files = RunFolder(run.folder).matrix_paths()
    assert [file.name for file in files] == ["0000000000-0001.safetensors", "0000000001-0001.safetensors"]
    with safe_open(files[0], framework="np") as file:
        np.testing.assert_array_equal(file.get_tensor("embedding"), half())
    assert bytes_by_part(RunFolder(run.folder))["steps"] > 2 * half().nbytes
    np.testing.assert_array_equal(run.snapshot(0), half().astype(np.float32))
    pulse = next(iter(run.steps()))
    assert pulse.moved_ids.tolist() == [2, 3, 40, 69]
    np.testing.assert_allclose(pulse.moved_distances, np.sqrt(D), rtol=1e-3)
    steps, vectors = run.path("w40")
    assert steps.tolist() == [0, 1]
    np.testing.assert_array_equal(vectors, np.stack([run.snapshot(step)[40] for step in (0, 1)]))


def test_bfloat16_stays_bfloat16(tmp_path: Path, small_blocks: None) -> None:
    numbers = bfloat16(tmp_path / "e.safetensors")
    run = lamplighter.still(tmp_path / "runs" / "b", tmp_path / "e.safetensors", WORDS)
    (file,) = RunFolder(run.folder).matrix_paths()
    with safe_open(file, framework="np") as opened:
        assert opened.get_slice("embedding").get_dtype() == "BF16"
    np.testing.assert_array_equal(run.snapshot(), numbers)


def test_a_tensor_in_memory_in_half_precision_is_kept_so(tmp_path: Path) -> None:
    import torch

    tensor = torch.from_numpy(half().astype(np.float32)).to(torch.bfloat16)
    run = lamplighter.still(tmp_path / "runs" / "t", tensor, WORDS)
    np.testing.assert_array_equal(run.snapshot(), tensor.float().numpy())
    assert RunFolder(run.folder).matrix_paths()[0].stat().st_size < 3 * V * D + 200


def test_rows_are_read_as_an_array_gives_them(run: lamplighter.Run) -> None:
    rows, whole = run.open_snapshot(1), run.snapshot(1)
    for some in (slice(3, 9), slice(None), slice(5, 5), slice(10, 0, -3), np.array([4, 5, 6, 0, -1, 5]), 7):
        np.testing.assert_array_equal(rows[some], whole[some])
    assert rows[np.array([], np.int64)].shape == (0, D)
    with pytest.raises(IndexError):
        rows[np.array([V])]
    with pytest.raises(TypeError, match="by rows"):
        np.asarray(rows)
    with pytest.raises(NoSnapshotError):
        run.open_snapshot(2)
    for k in (3, V):
        for found, wanted in zip(
            nearest_rows(rows, np.array([3, 9]), k), nearest_rows(whole, np.array([3, 9]), k), strict=True
        ):
            np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_a_large_table_of_float32_lies_in_a_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_recording, "_MIN_STORED_BYTES", 4 * V * D)
    told: list[str] = []
    monkeypatch.setattr("lamplighter.client.checkpoint_run._TOLD_BYTES", 1)
    numbers = half().astype(np.float32) / 3
    np.save(tmp_path / "e.npy", numbers)
    run = lamplighter.still(tmp_path / "runs" / "f", tmp_path / "e.npy", WORDS, tell=told.append)
    assert run.open_snapshot()[:].tobytes() == numbers.tobytes()
    assert run.recipe.format == 3
    assert told == ["0.0 GB of matrices are written to the disk"]


def test_what_cannot_be_held_is_read_by_rows_or_refused(
    run: lamplighter.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run.snapshot(1)
    monkeypatch.setattr(stored_matrix, "MAX_WHOLE_BYTES", 4 * V * D - 1)
    with pytest.raises(MatrixTooLargeError, match="open_snapshot"):
        run.snapshot(1)
    rows = run.open_snapshot(1)
    np.testing.assert_array_equal(rows[:], whole)
    found, wanted = (measure(matrix, run.vocabulary, None) for matrix in (rows, whole))
    assert found == pytest.approx({name: wanted[name] for name in ("anisotropy", "anisotropy_chance")})


def test_a_version_that_knows_no_such_files_says_so(run: lamplighter.Run) -> None:
    recipe = json.loads((run.folder / "recipe.json").read_text())
    assert recipe["format"] == 3
    assert Recipe.model_validate(recipe).format == 3
    (run.folder / "recipe.json").write_text(json.dumps(recipe | {"format": 4}))
    with pytest.raises(FormatError, match="newer version"):
        _ = RunFolder(run.folder).recipe


@pytest.mark.parametrize("damage", ["missing", "short", "long", "other"])
def test_a_damaged_file_is_said_to_be_damaged(run: lamplighter.Run, damage: str) -> None:
    path = RunFolder(run.folder).matrix_paths()[1]
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        other = data.replace(b"F16", b"I16")
        path.write_bytes({"short": data[:-1], "long": data + b"x", "other": other}[damage])
    with MatrixHistory(RunFolder(run.folder)) as history, pytest.raises(FormatError, match="0000000001-0001"):
        history.open_snapshot(1)


def test_a_copy_and_a_zip_hold_the_files(run: lamplighter.Run, tmp_path: Path) -> None:
    copy = run.backup(tmp_path / "elsewhere" / "copy")
    np.testing.assert_array_equal(
        lamplighter.open(tmp_path / "elsewhere" / "copy").snapshot(1), run.snapshot(1)
    )
    del copy
    write_zip(RunFolder(run.folder), tmp_path / "run.zip", lambda _share, _what: None)
    found = import_zip(RunStore(tmp_path / "other"), tmp_path / "run.zip", lambda _share, _what: None)
    np.testing.assert_array_equal(lamplighter.open(found.run.path).snapshot(1), run.snapshot(1))


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        (
            "matrices/0000000001-0001.safetensors",
            lambda data: data.replace(b'"F16"', b'"F64"'),
            "safetensors",
        ),
        ("matrices/0000000001-0001.safetensors", lambda data: data + b"x", "bytes"),
        ("matrices/0000000001-0001.safetensors", None, "missing"),
        ("matrices/0000000007-0001.safetensors", lambda data: data, "does not name"),
        ("matrices/../evil.safetensors", lambda data: data, "not a file of a run"),
        ("recipe.json", lambda data: data.replace(b'"format": 3', b'"format": 2'), "format"),
    ],
)
def test_a_hostile_zip_is_refused(run: lamplighter.Run, tmp_path: Path, name: str, change, why: str) -> None:
    write_zip(RunFolder(run.folder), tmp_path / "run.zip", lambda _share, _what: None)
    with zipfile.ZipFile(tmp_path / "run.zip") as old, zipfile.ZipFile(tmp_path / "evil.zip", "w") as new:
        members = {info.filename: old.read(info) for info in old.infolist() if "digests" not in info.filename}
        whole = f"{run.id}/{name}"
        data = members.pop(whole, next(v for k, v in members.items() if "matrices/" in k))
        if change is not None:
            members[whole] = change(data)
        for member, content in members.items():
            if not member.lower().endswith("sha256sums"):
                new.writestr(member, content)
    with pytest.raises(ExportError, match=why):
        import_zip(RunStore(tmp_path / "other"), tmp_path / "evil.zip", lambda _share, _what: None)
    assert not list(RunStore(tmp_path / "other").runs())
