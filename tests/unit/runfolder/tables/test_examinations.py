"""The file of questions and answers: a bounded queue that survives its writer, read change by change."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamplighter.runfolder.tables import examinations
from lamplighter.runfolder.tables.examinations import ExaminationsReader, ExaminationsWriter
from lamplighter.runfolder.tables.requests import EXAMINE, Request


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "examinations.sqlite"


def add(writer: ExaminationsWriter, question_id: str, problem: str | None = None) -> None:
    writer.add_question(question_id, attempt=1, step=8, kind="speak", question='{"step":8}', problem=problem)


def test_a_question_passes_through_all_states(path: Path):
    with ExaminationsWriter(path) as writer, ExaminationsReader(path) as reader:
        add(writer, "a")
        (waiting,) = reader.entries()
        assert (waiting.state, waiting.is_open, waiting.tries, waiting.made) == ("waiting", True, 0, None)
        writer.begin("a")
        writer.report("a", 0.5, "computing")
        (running,) = reader.entries(after=waiting.revision)
        assert (running.state, running.share, running.activity, running.tries) == (
            "running",
            0.5,
            "computing",
            1,
        )
        writer.finish("a", '{"word":"ü"}')
        (done,) = reader.entries(after=running.revision)
        assert (done.state, done.share, done.is_open) == ("done", 1, False)
        assert reader.entries(after=done.revision) == []
        assert reader.newest_revision() == done.revision
        assert (reader.answer("a"), reader.answer_bytes("a")) == ('{"word":"ü"}', 13)
        assert (reader.answer("b"), reader.answer_bytes("b"), reader.entry("b")) == (None, 0, None)


def test_a_repeated_question_is_answered_once_unless_it_failed(path: Path):
    with ExaminationsWriter(path) as writer:
        add(writer, "a")
        add(writer, "a")
        assert len(writer.open_entries()) == 1
        writer.finish("a", "{}")
        add(writer, "a")
        assert writer.open_entries() == []
        add(writer, "b", problem="too many")
        failed = writer.entry("b")
        assert failed is not None
        assert (failed.state, failed.problem) == ("failed", "too many")
        add(writer, "b")
        assert [entry.problem for entry in writer.open_entries()] == [None]
        writer.cancel("b")
        writer.cancel("a")
        writer.cancel("none")
        assert [entry and entry.state for entry in map(writer.entry, "ab")] == ["done", "cancelled"]
        add(writer, "b")
        assert [entry.id for entry in writer.open_entries()] == ["b"]


def test_the_next_writer_continues_the_queue(path: Path):
    with ExaminationsWriter(path) as writer:
        for name in "cab":
            add(writer, name)
        writer.begin("c")
        writer.add_applied(Request("server", 7, 0.0, EXAMINE, {}), 1, 8)
        revision = writer.open_entries()[-1].revision
    with ExaminationsWriter(path) as writer:
        assert [(entry.id, entry.state, entry.tries) for entry in writer.open_entries()] == [
            ("c", "running", 1), ("a", "waiting", 0), ("b", "waiting", 0),
        ]  # fmt: skip
        assert writer.last_applied() == {"server": 7}
        writer.requeue("c")
        entry = writer.entry("c")
        assert entry is not None
        assert (entry.state, entry.tries) == ("waiting", 0)
        assert entry.revision > revision
        assert writer.close(sealed=True)


def test_drops_the_oldest_answers_but_no_open_question(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(examinations, "MAX_ANSWERS_BYTES", 100)
    with ExaminationsWriter(path) as writer, ExaminationsReader(path) as reader:
        add(writer, "waits")
        for name, size in (("a", 60), ("b", 30), ("c", 30)):
            add(writer, name)
            writer.finish(name, "1" * size)
        assert sorted(entry.id for entry in reader.entries()) == ["b", "c", "waits"]
        monkeypatch.setattr(examinations, "MAX_ANSWERS", 1)
        add(writer, "d")
        writer.finish("d", "1")
        assert sorted(entry.id for entry in reader.entries()) == ["d", "waits"]
