"""Zips made by others: each trick is refused with a one-line message and leaves no file behind."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lamplighter.exports.archive.import_run import import_zip
from lamplighter.exports.archive.unpack import unpack
from lamplighter.exports.export import export_run
from lamplighter.exports.output import ExportError, no_progress
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps import PAGE_SIZE
from lamplighter.wire.frames import encode
from lamplighter.wire.row_frames import Rows
from tests.unit.exports.recorded import record


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Export a good zip. Returns the folder of its unpacked files."""
    folder = tmp_path_factory.mktemp("good")
    run = record(folder / "runs")
    with zipfile.ZipFile(export_run(run, "zip", out=folder / "run.zip")) as archive:
        archive.extractall(folder)
    return folder / run.id


def refused(tmp_path: Path, packed: Path, **limits: Any) -> str:
    run_store = RunStore(tmp_path / "other")
    with pytest.raises(ExportError) as caught:
        import_zip(run_store, packed, no_progress, **limits)
    assert list(run_store.path.iterdir()) == []
    assert "\n" not in str(caught.value)
    return str(caught.value)


def pack(folder: Path, target: Path, more: Callable[[zipfile.ZipFile], None] | None = None) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"run/{path.relative_to(folder)}")
        if more is not None:
            more(archive)
    return target


def link(archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("run/checkpoints/0000000001-0001.safetensors")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(info, "/etc/passwd")


def test_the_good_one_is_taken(tmp_path: Path, files: Path) -> None:
    run, _ = import_zip(RunStore(tmp_path / "other"), pack(files, tmp_path / "a.zip"), no_progress)
    assert run.recipe.corpus.name == "../../etc/passwd"


@pytest.mark.parametrize(
    "name",
    ["../evil.txt", "/etc/evil", "run/../../evil", "run\\..\\evil", "C:\\evil", "run/.presenter-token", "run/trainer.lock",
     "run/requests-cli.sqlite", "run/checkpoints/../x.safetensors", "run/checkpoints/0000000001-0001.pt",
     "run/recipe.json\x00.txt", "run/steps.sqlite-wal", "other/recipe.json", "run/logs/"],
)  # fmt: skip
def test_other_names_are_refused(tmp_path: Path, files: Path, name: str) -> None:
    def add(archive: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo("x")
        info.filename = info.orig_filename = name
        archive.writestr(info, "x")

    refused(tmp_path, pack(files, tmp_path / "a.zip", add))
    assert not list(tmp_path.glob("**/*evil*"))


def test_links_doubles_and_crowds_are_refused(tmp_path: Path, files: Path) -> None:
    assert "link" in refused(tmp_path, pack(files, tmp_path / "link.zip", link))

    def twice(archive: zipfile.ZipFile) -> None:
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("run/recipe.json", "{}")

    assert "twice" in refused(tmp_path, pack(files, tmp_path / "twice.zip", twice))

    def crowd(archive: zipfile.ZipFile) -> None:
        for i in range(40_000):
            archive.writestr(f"run/{i}", "")

    assert "list of files" in refused(tmp_path, pack(files, tmp_path / "crowd.zip", crowd))


def test_bombs_are_refused(tmp_path: Path, files: Path) -> None:
    def bomb(archive: zipfile.ZipFile) -> None:
        with archive.open("run/checkpoints/0000000001-0001.safetensors", "w") as member:
            for _ in range(20):
                member.write(bytes(1_000_000))

    packed = pack(files, tmp_path / "bomb.zip", bomb)
    assert packed.stat().st_size < 100_000
    assert "at most 10" in refused(tmp_path, packed, total=10_000_000)
    shutil.copytree(files, tmp_path / "large")
    (tmp_path / "large" / "recipe.json").write_text(" " * 2_000_000)
    assert "recipe.json would have" in refused(tmp_path, pack(tmp_path / "large", tmp_path / "large.zip"))


def test_a_size_that_lies_is_refused(tmp_path: Path, files: Path) -> None:
    packed = pack(files, tmp_path / "a.zip")
    with zipfile.ZipFile(packed) as archive:
        size = archive.getinfo("run/steps.sqlite").file_size
    data = packed.read_bytes()
    packed.write_bytes(data.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little")))
    refused(tmp_path, packed)


@pytest.mark.parametrize("cut", [0, 10, 1_000, 4_000])
def test_damaged_zips_are_refused(tmp_path: Path, files: Path, cut: int) -> None:
    packed = pack(files, tmp_path / "a.zip")
    data = packed.read_bytes()
    packed.write_bytes(data[:cut])
    refused(tmp_path, packed)
    packed.write_bytes(data[:cut] + bytes(64) + data[cut + 64 :])
    refused(tmp_path, packed)


def test_no_zip_at_all(tmp_path: Path) -> None:
    assert "no file" in refused(tmp_path, tmp_path / "nothing.zip")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    assert "no recipe.json" in refused(tmp_path, tmp_path / "empty.zip")
    with pytest.raises(ExportError):
        unpack(tmp_path, tmp_path, no_progress)


def _sql(script: str, name: str = "steps.sqlite") -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        connection = sqlite3.connect(folder / name)
        connection.executescript(script)
        connection.close()

    return change


def _write(name: str, text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).write_text(text, encoding="utf-8", errors="surrogatepass")

    return change


def _vocabulary(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        found = json.loads((folder / "vocabulary.json").read_text("utf-8"))
        (folder / "vocabulary.json").write_text(json.dumps(found | changes))

    return change


def _frame(folder: Path) -> None:
    """Replace a keyframe by one of another width."""
    record = encode(Rows.of_matrix(1, 10, 0.0, np.zeros((10, 3), np.float32)))
    connection = sqlite3.connect(folder / "steps.sqlite")
    connection.execute("UPDATE keyframes SET record=? WHERE id=?", (record, 1 << 32 | 10))
    connection.commit()
    connection.close()


def _pages(folder: Path) -> None:
    data = bytearray((folder / "steps.sqlite").read_bytes())
    data[PAGE_SIZE : 2 * PAGE_SIZE] = b"\xff" * PAGE_SIZE
    (folder / "steps.sqlite").write_bytes(data)


def _recipe(folder: Path) -> None:
    found = json.loads((folder / "recipe.json").read_text())
    found["model"]["dim"] = 10**9
    (folder / "recipe.json").write_text(json.dumps(found))


CHANGES: dict[str, Callable[[Path], None]] = {
    "a trigger": _sql("CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM pulses; END;"),
    "a view for a table": _sql("DROP TABLE events; CREATE VIEW events AS SELECT 1;"),
    "one more table": _sql("CREATE TABLE more(x);"),
    "one more index": _sql("CREATE INDEX i ON measures(name);", "measures.sqlite"),
    "another column": _sql("ALTER TABLE facts ADD COLUMN x;"),
    "a schema by hand": _sql("PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql='CREATE TABLE rows(' WHERE name='rows';"),
    "a newer format": _sql("PRAGMA user_version=9;"),
    "a WAL": _sql("PRAGMA journal_mode=WAL;"),
    "text for a record": _sql("UPDATE pulses SET record='abc';"),
    "no frame": _sql("UPDATE pulses SET record=x'00';"),
    "a zero blob": _sql("UPDATE pulses SET record=zeroblob(400000000) WHERE id=(SELECT min(id) FROM pulses);"),
    "frames on other rows": _sql("UPDATE pulses SET id=id+1000;"),
    "a frame of another width": _frame,
    "attempts out of order": _sql("UPDATE attempts SET attempt=7;"),
    "an attempt that begins late": _sql("UPDATE attempts SET first_step=5;"),
    "a fact that is no JSON": _sql("UPDATE facts SET value='{' WHERE name='steps';"),
    "a fact of another kind": _sql("UPDATE facts SET value='[]' WHERE name='phase';"),
    "a measure in words": _sql("UPDATE measures SET value='much';", "measures.sqlite"),
    "a method nobody knows": _sql("UPDATE layouts SET method=1.5;", "layouts.sqlite"),
    "districts that are a layout": _sql("UPDATE districts SET record=(SELECT record FROM layouts);", "layouts.sqlite"),
    "districts of another step": _sql("UPDATE districts SET step=step+1;", "layouts.sqlite"),
    "districts that are text": _sql("UPDATE districts SET record='animals';", "layouts.sqlite"),
    "what cannot become of a district": _sql("UPDATE district_events SET kind='pause';", "layouts.sqlite"),
    "an endless event": _sql("UPDATE district_events SET message=hex(zeroblob(9000));", "layouts.sqlite"),
    "no table of districts": _sql("DROP TABLE districts;", "layouts.sqlite"),
    "damaged pages": _pages,
    "no database": _write("steps.sqlite", "hello"),
    "an empty database": _write("steps.sqlite", ""),
    "no recipe": _write("recipe.json", "[]"),
    "a recipe that is too much": _recipe,
    "deep JSON": _write("recipe.json", "[" * 100_000),
    "a deep tokeniser": _write("tokeniser.json", "[" * 100_000),
    "ids out of range": _vocabulary(classes={"a": [99]}),
    "negative counts": _vocabulary(counts=[-1] * 10),
    "a number beyond counting": _vocabulary(counts=[10**30] * 10),
    "half a character": _vocabulary(tokens=["\ud800"] * 10),
    "another vocabulary": _vocabulary(tokens=["a"], counts=[1], classes={}, relations=[]),
    "no numpy": _write("corpus.npy", "\x93NUMPY"),
    "another corpus": _write("corpus.json", json.dumps({"sha256": "0", "tokens": 10})),
    "source that is no text": _write("source.txt", "\ud800"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_contents_that_are_no_run_are_refused(
    tmp_path: Path, files: Path, change: Callable[[Path], None]
) -> None:
    shutil.copytree(files, tmp_path / "run")
    change(tmp_path / "run")
    refused(tmp_path, pack(tmp_path / "run", tmp_path / "a.zip"))


def test_a_pickle_for_a_corpus_is_refused(tmp_path: Path, files: Path) -> None:
    shutil.copytree(files, tmp_path / "run")
    np.save(tmp_path / "run" / "corpus.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    refused(tmp_path, pack(tmp_path / "run", tmp_path / "a.zip"))
    (tmp_path / "run" / "checkpoints").mkdir()
    shutil.copy(files / "corpus.npy", tmp_path / "run" / "corpus.npy")
    (tmp_path / "run" / "checkpoints" / "0000000001-0001.safetensors").write_bytes(b"\x80\x04.")
    assert "checkpoint" in refused(tmp_path, pack(tmp_path / "run", tmp_path / "b.zip"))
