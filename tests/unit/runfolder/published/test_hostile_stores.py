"""Stores that lie: whatever is not what was published, or what no run has, is refused in words, and nothing is made of it."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from lamplighter.exports.publishing import prepare_publication, publish
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.published.manifest import BLOCK, MAX_MANIFEST
from lamplighter.runfolder.published.object_store import StoreError, open_object_store
from lamplighter.runfolder.published.shadow_folder import PublishedRuns
from lamplighter.runfolder.reading.step_figures import FIGURES_FILE, read_step_figures
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from tests.support.synthetic_runs.recorded import record

Facts = dict[str, Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Return a run that is published in the folder `store` beside its own."""
    made = record(tmp_path_factory.mktemp("published") / "runs")
    store = open_object_store(f"file://{made.path.parent.parent / 'store'}", writing=True)
    with prepare_publication(made, store, lambda *_: None) as publication:
        publish(publication, store, lambda *_: None)
    return made


@pytest.fixture
def place(run: RunFolder, tmp_path: Path) -> Path:
    """Return the folder of the run in a store of the test's own."""
    return shutil.copytree(run.path.parent.parent / "store", tmp_path / "store") / run.id


def open_shadow(place: Path, tmp_path: Path) -> tuple[PublishedRuns, Path]:
    folder = tmp_path / "shadow"
    folder.mkdir()
    return PublishedRuns(open_object_store(f"file://{place.parent}", writing=False), folder), folder


def refusal(place: Path, tmp_path: Path) -> str:
    """Return why the only run of a store is refused."""
    opened, folder = open_shadow(place, tmp_path)
    opened.close()
    assert opened.runs == []
    assert not any(path.name[:1] != "." for path in folder.iterdir())
    (why,) = opened.refused.values()
    assert "\n" not in why
    return why


def sign(place: Path, change: Callable[[Facts], object]) -> None:
    """Change the manifest as a person who may write to the store can: with its digest in `current`."""
    manifest = json.loads((place / "manifest-1.json").read_bytes())
    change(manifest)
    data = json.dumps(manifest).encode()
    (place / "manifest-2.json").write_bytes(data)
    current = {"format": "lamplighter-current-1", "manifest": "manifest-2.json"}
    current |= {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    (place / "current").write_text(json.dumps(current))


def put(place: Path, manifest: Facts, name: str, data: bytes) -> None:
    """Put other content in place of a file, and sign it."""
    digest = hashlib.sha256(data).hexdigest()
    (place / "objects" / digest).write_bytes(data)
    (file,) = [one for one in manifest["files"] if one["path"] == name]
    file |= {"sha256": digest, "size": len(data)}
    blocks = b""
    for one in manifest["files"]:
        if one["path"].endswith(".sqlite"):
            whole = (place / "objects" / one["sha256"]).read_bytes()
            for at in range(0, len(whole), BLOCK):
                blocks += hashlib.sha256(whole[at : at + BLOCK]).digest()
    manifest["blocks"] = {"sha256": hashlib.sha256(blocks).hexdigest(), "size": len(blocks)}
    (place / "objects" / manifest["blocks"]["sha256"]).write_bytes(blocks)


def object_of(place: Path, name: str) -> Path:
    manifest = json.loads((place / "manifest-1.json").read_bytes())
    return place / "objects" / next(one["sha256"] for one in manifest["files"] if one["path"] == name)


def add(**facts: Any) -> Callable[[Facts], object]:
    return lambda manifest: manifest["files"].append({"sha256": "0" * 64, "size": 1} | facts)


def edit(name: str, **facts: Any) -> Callable[[Facts], object]:
    return lambda manifest: next(one for one in manifest["files"] if one["path"] == name).update(facts)


IMPOSSIBLE: dict[str, tuple[Callable[[Facts], object], str]] = {
    "a path out of the folder": (add(path="../../outside.sqlite"), "is not a file of a run"),
    "an absolute path": (add(path="/etc/passwd"), "is not a file of a run"),
    "a path that looks like a checkpoint's": (
        add(path="checkpoints/../../x.safetensors"),
        "is not a file of a run",
    ),
    "a program": (add(path="evil.py"), "is not a file of a run"),
    "requests": (add(path="requests-cli.sqlite"), "is not a file of a run"),
    "a file twice": (add(path="steps.sqlite"), "there twice"),
    "a file that is too large": (edit("vocabulary.json", size=64_000_001), "at most"),
    "a terabyte": (edit("steps.sqlite", size=1 << 40), "files"),
    "a negative size": (edit("steps.sqlite", size=-1), "files"),
    "blocks without digests": (edit("steps.sqlite", size=1 << 22), "no digests"),
    "a path for a digest": (edit("steps.sqlite", sha256="../../etc/passwd"), "files"),
    "no record": (lambda manifest: manifest.update(files=manifest["files"][:2]), "there is no recipe.json"),
    "a path for an id": (lambda manifest: manifest.update(run="../run"), "run"),
    "another run": (lambda manifest: manifest.update(run="another-run"), "is of another run"),
    "an impossible time": (lambda manifest: manifest.update(created=1e300), "created"),
    "a field that is unknown": (lambda manifest: manifest.update(command="rm"), "command"),
    "a newer format": (lambda manifest: manifest.update(format="lamplighter-run-2"), "newer version"),
    "too few digests": (
        lambda manifest: manifest.update(blocks={"sha256": "0" * 64, "size": 32}),
        "no digests",
    ),
    "twenty thousand files": (lambda manifest: manifest.update(files=[{}] * 20_000), "files"),
}


@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_a_manifest_that_names_what_no_run_has(kind: str, place: Path, tmp_path: Path) -> None:
    change, said = IMPOSSIBLE[kind]
    sign(place, change)
    assert said in refusal(place, tmp_path)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        pytest.param("vocabulary.json", b"[" * 600_000, "more lists or values", id="a bomb of lists"),
        ("vocabulary.json", b'{"tokens": 3}', "vocabulary.json"),
        ("recipe.json", b'{"steps": -1}', "recipe.json"),
        ("recipe.json", b"{" * 100, "recipe.json"),
        ("tokeniser.json", b"[]", "not a JSON object"),
        ("corpus.json", b"[[[", "corpus.json"),
    ],
)
def test_a_signed_file_is_checked_as_an_imported_one(
    name: str, data: bytes, said: str, place: Path, tmp_path: Path
) -> None:
    sign(place, lambda manifest: put(place, manifest, name, data))
    assert said in refusal(place, tmp_path)


@pytest.mark.parametrize("name", ["vocabulary.json", "recipe.json"])
def test_a_file_that_was_changed(name: str, place: Path, tmp_path: Path) -> None:
    path = object_of(place, name)
    path.write_bytes(path.read_bytes().replace(b"e", b"o"))
    assert "not what was published" in refusal(place, tmp_path)


def test_a_manifest_that_was_changed(place: Path, tmp_path: Path) -> None:
    path = place / "manifest-1.json"
    path.write_bytes(path.read_bytes().replace(b"steps.sqlite", b"tiles.sqlite"))
    assert "not what was published" in refusal(place, tmp_path)


def test_a_manifest_without_an_end(place: Path, tmp_path: Path) -> None:
    (place / "manifest-1.json").write_bytes(b" " * (MAX_MANIFEST + 1))
    assert "more than" in refusal(place, tmp_path)


@pytest.mark.parametrize("damage", ["a bit", "the end", "everything"])
def test_a_database_that_was_changed_gives_no_wrong_row(
    damage: str, run: RunFolder, place: Path, tmp_path: Path
) -> None:
    path = object_of(place, "steps.sqlite")
    data = bytearray(path.read_bytes())
    for at in range(5_000, len(data), BLOCK):
        data[at] ^= 1
    whole = path.read_bytes()
    path.write_bytes({"a bit": data, "the end": whole[: len(whole) // 2], "everything": b"x"}[damage])
    opened, folder = open_shadow(place, tmp_path)
    with opened, pytest.raises(StoreError, match=r"not what was published|nvalid"):
        read_all(folder / run.id / "steps.sqlite")


def read_all(path: Path) -> None:
    with StepsReader(path) as reader:
        reader.pulses(1, 30)
        reader.keyframe(30)
        reader.events()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE more(id)",
        "CREATE TRIGGER evil AFTER INSERT ON events BEGIN DELETE FROM pulses; END",
        "CREATE VIEW seen AS SELECT * FROM pulses",
    ],
)
def test_a_database_with_other_tables(statement: str, run: RunFolder, place: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    other.write_bytes(run.steps_path.read_bytes())
    connection = apsw.Connection(str(other))
    connection.execute(statement)
    connection.close()
    sign(place, lambda manifest: put(place, manifest, "steps.sqlite", other.read_bytes()))
    opened, folder = open_shadow(place, tmp_path)
    with opened, pytest.raises(FormatError, match="other tables"):
        StepsReader(folder / run.id / "steps.sqlite")


class _Evil:
    def __reduce__(self) -> Any:
        return (pytest.fail, ("it was unpickled",))


@pytest.mark.parametrize(
    "data", [pickle.dumps(_Evil()), b"\x93NUMPY\x01\x00", b"x"], ids=["a pickle", "a head", "a letter"]
)
def test_figures_that_are_none(data: bytes, run: RunFolder, place: Path, tmp_path: Path) -> None:
    sign(place, lambda manifest: put(place, manifest, FIGURES_FILE, data))
    opened, folder = open_shadow(place, tmp_path)
    with opened, pytest.raises(FormatError, match=FIGURES_FILE):
        read_step_figures(RunFolder(folder / run.id))


@pytest.mark.parametrize(
    "data",
    [b"[]", b"{", json.dumps({"format": "lamplighter-runs-1", "runs": ["../x"]}).encode()],
    ids=["a list", "a brace", "a path"],
)
def test_an_index_that_is_none(data: bytes, place: Path, tmp_path: Path) -> None:
    (place.parent / "runs.json").write_bytes(data)
    with pytest.raises(StoreError, match=r"runs\.json"):
        open_shadow(place, tmp_path)


def test_an_empty_place(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    with pytest.raises(StoreError, match="no run is published there"):
        open_shadow(tmp_path / "store" / "run", tmp_path)
