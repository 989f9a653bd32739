"""A file whose writer was killed with a rollback journal: every reader sees the state before it."""

from __future__ import annotations

import shutil
from pathlib import Path

import apsw
import pytest

from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """Return a finished record with an unfinished transaction, half in the file and all in the journal."""
    path = tmp_path / "steps.sqlite"
    with StepsWriter(path) as writer:
        writer.start_attempt(0)
        for step in range(1, 51):
            writer.commit(StepRecord(step, b"pulse" * 2_000, b"digest"))
        writer.set_facts({"phase": "finished"})
        assert writer.close(sealed=True)
    (tmp_path / "left").mkdir()
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA cache_size=1")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE pulses SET record=?, digest=?", (b"x" * 10_000, b"half"))
    for name in ("steps.sqlite", "steps.sqlite-journal"):
        shutil.copy(tmp_path / name, tmp_path / "left" / name)
    connection.close()
    return tmp_path / "left" / "steps.sqlite"


def test_the_first_reader_rolls_back_an_unfinished_transaction(left: Path) -> None:
    assert left.with_name("steps.sqlite-journal").stat().st_size > 0
    for _ in range(2):
        with StepsReader(left) as reader:
            assert reader.facts() == {"phase": "finished"}
            assert reader.digests(1, 50) == dict.fromkeys(range(1, 51), b"digest")
    assert not left.with_name("steps.sqlite-journal").exists()
