"""Hostile zips: each is rejected with a message, leaves nothing behind and takes little memory."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.exports.hostile.archives import ARCHIVES, assemble, good_members
from tests.integration.exports.hostile.databases import DATABASES
from tests.integration.exports.hostile.files import FILES
from tests.support.synthetic_runs.good_run import export_good_run

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="imports are forked, with limits of resources"
)

MAX_MEMORY = 200 << 20
"""Maximum bytes that the import of a small zip may take in addition."""
LONGEST_SENTENCE = 600
KINDS = [
    *(f"archive: {name}" for name in ARCHIVES),
    *(f"database: {name}" for name in DATABASES),
    *(f"file: {name}" for name in FILES),
]
A_DOZEN = [
    "archive: a link",
    "archive: damaged LZMA",
    "archive: a file that begins at 2**64",
    "archive: digests of another file",
    "database: a trigger",
    "database: a schema with terminal escapes",
    "database: a text that is not UTF-8",
    "database: a pulse of step 20,000,000",
    "database: a tile that unpacks to half a gigabyte",
    "file: a disk budget of 400 digits",
    "file: a vocabulary of three million lists",
    "file: a corpus of pickled objects",
]
"""Kinds that `make test` tries; `make tour` tries all."""

Importer = Callable[[Path, Path], dict[str, Any]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_good_run(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def import_in_child() -> Generator[Importer]:
    command = [sys.executable, "-W", "error", "-m", "tests.integration.exports.hostile.import_server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        asking, answers = server.stdin, server.stdout

        def ask(zip_path: Path, store: Path) -> dict[str, Any]:
            print(json.dumps({"zip_path": str(zip_path), "store": str(store)}), file=asking, flush=True)
            return json.loads(answers.readline())

        yield ask
        asking.close()


def write_hostile_zip(kind: str, files: Path, folder: Path) -> tuple[Path, str]:
    """Write the zip of a kind. Return it, and part of the expected message."""
    group, _, name = kind.partition(": ")
    target = folder / "hostile.zip"
    if group == "archive":
        archive = ARCHIVES[name]
        target.write_bytes(archive.finish(assemble(archive.change(good_members(files)))))
        return target, archive.says
    says, change = {"database": DATABASES, "file": FILES}[group][name]
    shutil.copytree(files, folder / "changed")
    change(folder / "changed")
    target.write_bytes(assemble(good_members(folder / "changed")))
    shutil.rmtree(folder / "changed")
    return target, says


def expect_a_sentence(kind: str, files: Path, folder: Path, ask: Importer) -> None:
    packed, says = write_hostile_zip(kind, files, folder)
    answer = ask(packed, folder / "runs")
    assert "refused" in answer, answer
    sentence = answer["refused"]
    assert sentence.isprintable()
    assert says in sentence
    assert len(sentence) < LONGEST_SENTENCE
    assert "Traceback" not in sentence
    assert answer["memory"] < MAX_MEMORY
    assert sorted(path.name for path in folder.rglob("*")) == ["hostile.zip", "runs"]


def test_imports_a_valid_zip(files: Path, tmp_path: Path, import_in_child: Importer) -> None:
    (tmp_path / "good.zip").write_bytes(assemble(good_members(files)))
    answer = import_in_child(tmp_path / "good.zip", tmp_path / "runs")
    assert "imported" in answer, answer
    assert "not checked" in answer["remarks"][0]
    assert answer["memory"] < MAX_MEMORY
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [answer["imported"]]


@pytest.mark.parametrize("kind", A_DOZEN)
def test_rejects_a_dozen_hostile_zips(
    kind: str, files: Path, tmp_path: Path, import_in_child: Importer
) -> None:
    expect_a_sentence(kind, files, tmp_path, import_in_child)


@pytest.mark.tour
@pytest.mark.parametrize("kind", KINDS)
def test_rejects_every_hostile_zip(kind: str, files: Path, tmp_path: Path, import_in_child: Importer) -> None:
    expect_a_sentence(kind, files, tmp_path, import_in_child)
