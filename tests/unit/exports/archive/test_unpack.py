"""Disk space, digests and limits when unpacking a zip."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lamplighter.exports.archive.import_run import import_zip
from lamplighter.exports.archive.run_zip import unpack
from lamplighter.exports.export import export_run
from lamplighter.exports.output import ExportError, no_progress
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.writing import free_space
from tests.support.synthetic_runs.recorded import record

GIGABYTE = 1_000_000_000


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    return export_run(record(folder / "runs"), "zip", out=folder / "run.zip")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[Iterator[int]], None]:
    """Return a function that sets the free bytes of a terabyte disk, one number for each query."""

    def set_free(numbers: Iterator[int]) -> None:
        monkeypatch.setattr(
            free_space.shutil, "disk_usage", lambda path: Usage(1_000 * GIGABYTE, 0, next(numbers))
        )

    return set_free


def refused(tmp_path: Path, packed: Path, **limits: Any) -> str:
    run_store = RunStore(tmp_path / "other")
    with pytest.raises(ExportError) as caught:
        import_zip(run_store, packed, no_progress, **limits)
    assert list(run_store.path.iterdir()) == []
    assert "\n" not in str(caught.value)
    return str(caught.value)


def repacked(packed: Path, target: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """Copy the members of a zip to another with changes; None omits a member."""
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            data = change(name.split("/", 1)[1], source.read(name))
            if data is not None:
                archive.writestr(name, data)
    return target


def test_rejects_a_run_larger_than_the_disk_before_unpacking(
    tmp_path: Path, packed: Path, disk: Callable[[Iterator[int]], None]
) -> None:
    seen: list[str] = []
    # Twice the 200 MB reserved for training, and less than the run needs.
    disk(iter([400_000_000 + 100_000] * 9))
    with pytest.raises(ExportError, match=r"needs \d MB, and 0 MB are free beyond the reserve"):
        import_zip(RunStore(tmp_path / "other"), packed, lambda share, what: seen.append(what))
    assert seen == []


@pytest.mark.parametrize("after", [2, 6, 12, 14])
def test_a_disk_that_fills_up_ends_the_import(
    tmp_path: Path, packed: Path, disk: Callable[[Iterator[int]], None], after: int
) -> None:
    """Another process may fill the disk while files are unpacked or rewritten."""
    disk(iter([900 * GIGABYTE] * after + [300_000_000] * 1_000))
    assert "the disk is nearly full" in refused(tmp_path, packed)


@pytest.mark.parametrize(
    "begin", [b"", b"\0" * 16, b"SQLite format 4\0"], ids=["nothing", "zeros", "another"]
)
def test_rejects_a_file_that_is_not_a_database_at_its_first_block(
    tmp_path: Path, packed: Path, begin: bytes
) -> None:
    """Gigabytes of zeros take little space in a zip, and long to write."""

    def change(name: str, data: bytes) -> bytes | None:
        if name == "SHA256SUMS":
            return None
        return begin + bytes(8 << 20) if name == "layouts.sqlite" else data

    zipped = repacked(packed, tmp_path / "zeros.zip", change)
    seen: list[str] = []
    with pytest.raises(ExportError, match=r"^layouts\.sqlite is not an SQLite database: refused$"):
        import_zip(RunStore(tmp_path / "other"), zipped, lambda share, what: seen.append(what))
    assert seen
    assert "layouts.sqlite" not in seen


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes")
def test_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "run.zip")
    assert refused(tmp_path, tmp_path / "run.zip") == "run.zip is not a regular file"


def test_rewrites_a_file_without_a_large_wal(tmp_path: Path, packed: Path) -> None:
    seen: set[str] = set()

    def watch(share: float, what: str) -> None:
        seen.update(path.suffix for path in (tmp_path / "other").rglob("*"))

    import_zip(RunStore(tmp_path / "other"), packed, watch)
    assert ".sqlite" in seen
    assert ".sqlite-wal" not in seen


def test_bounds_sqlites_memory_during_an_import(
    tmp_path: Path, packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import apsw

    from lamplighter.runfolder.importing import untrusted_sqlite

    before = apsw.hard_heap_limit(-1)
    monkeypatch.setattr(untrusted_sqlite, "_MAX_MEMORY", 4 << 20)

    def greedy(share: float, what: str) -> None:
        if what == "checking every step":
            apsw.Connection(":memory:").execute("SELECT length(hex(zeroblob(9000000)))").fetchall()

    with pytest.raises(ExportError, match="out of memory"):
        import_zip(RunStore(tmp_path / "other"), packed, greedy)
    assert apsw.hard_heap_limit(-1) == before


def test_keeps_a_reserve_for_training_on_a_small_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = Usage(100_000_000, 0, 60_000_000)
    monkeypatch.setattr(free_space.shutil, "disk_usage", lambda path: usage)
    assert free_space.spare_bytes(Path("/")) == 60_000_000 - 2 * 16_000_000


def test_digests_are_readable_by_sha256sum(packed: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    files = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    }
    assert listed == files


def test_detects_a_changed_byte_and_reports_missing_digests(packed: Path, tmp_path: Path) -> None:
    def change(name: str, data: bytes) -> bytes:
        if name == "measures.sqlite":
            # In the unused part of a page, which SQLite does not check.
            at = data.index(bytes(64), 4096)
            return data[:at] + b"\x01" + data[at + 1 :]
        return data

    changed = repacked(packed, tmp_path / "changed.zip", change)
    assert "measures.sqlite is not the file that SHA256SUMS lists" in refused(tmp_path, changed)
    unlisted = repacked(
        changed, tmp_path / "unlisted.zip", lambda name, data: None if name == "SHA256SUMS" else data
    )
    _, remarks = import_zip(RunStore(tmp_path / "other"), unlisted, no_progress)
    assert remarks == ("its files were not checked for damage: the zip has no list of digests (SHA256SUMS)",)


def test_rejects_a_run_above_the_size_limit(packed: Path, tmp_path: Path) -> None:
    assert "at most 10,000 are allowed" in refused(tmp_path, packed, total=10_000)


def test_never_follows_names_in_a_run(packed: Path, tmp_path: Path) -> None:
    run, _ = import_zip(RunStore(tmp_path / "other"), packed, no_progress)
    assert run.recipe.corpus.name == "../../etc/passwd"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other"]


def test_reports_a_missing_file(tmp_path: Path) -> None:
    assert "no file" in refused(tmp_path, tmp_path / "nothing.zip")
    with pytest.raises(ExportError):
        unpack(tmp_path, tmp_path, no_progress)


def test_rewrites_a_corpus_in_chunks(packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An untrusted corpus may be two gigabytes of zeros, from a zip of two megabytes."""
    read_bytes = Path.read_bytes

    def refuse_the_corpus(path: Path) -> bytes:
        assert not path.name.startswith("corpus.npy")
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", refuse_the_corpus)
    run, _ = import_zip(RunStore(tmp_path / "other"), packed, no_progress)
    assert json.loads((run.path / "corpus.json").read_text())["tokens"] == 10
    shutil.rmtree(run.path)
