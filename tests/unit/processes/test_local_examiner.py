"""Asking without a server: whose examiner answers, and what is said when none does."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from lamplighter.contract.questions import parse_question
from lamplighter.processes import examiner_pool
from lamplighter.processes.asked_question import AskedQuestion, check_question
from lamplighter.processes.examiner_watch import ExaminerWatch, has_open_questions
from lamplighter.processes.local_examiner import ExaminationFailedError, LocalExaminer
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.examinations import (
    ExaminationEntry,
    ExaminationsReader,
    ExaminationsWriter,
)
from lamplighter.runfolder.tables.requests import RequestsReader, RequestsWriter
from tests.support.folders import finished_run
from tests.support.waiting import wait_until

# An examiner without a model: it takes up what is asked, and answers, fails or cancels it as it is told.
ANSWERS = """
import sys
from pathlib import Path
from lamplighter.runfolder.tables.examinations import ExaminationsWriter
from lamplighter.runfolder.tables.requests import RequestsReader
folder, what = Path(sys.argv[1]), sys.argv[2]
with ExaminationsWriter(folder / "examinations.sqlite") as writer:
    for request in RequestsReader(folder).read_new():
        writer.add_question("QUESTION", attempt=1, step=1, kind="rotation", question="{}")
        writer.add_applied(request, 1, 1)
    writer.begin("QUESTION")
    writer.finish("QUESTION", '{"turned":1}') if what == "done" else writer.fail("QUESTION", "it is too late")
sys.stdin.read()
sys.exit(5)
"""


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return finished_run(tmp_path)


@pytest.fixture
def asked(run: RunFolder) -> AskedQuestion:
    return check_question(run, parse_question({"kind": "rotation", "step": 1}))


def ends(code: str) -> Callable[[RunFolder], list[str]]:
    return lambda _run: [sys.executable, "-c", code]


def answers(asked: AskedQuestion, what: str) -> Callable[[RunFolder], list[str]]:
    code = ANSWERS.replace("QUESTION", asked.id)
    return lambda run: [sys.executable, "-c", code, str(run.path), what]


def test_an_examiner_is_started_tells_how_far_it_is_and_stays(
    run: RunFolder, asked: AskedQuestion, children: Callable[[], list[psutil.Process]]
) -> None:
    examiner, told = LocalExaminer(run, "test", answers(asked, "done")), list[ExaminationEntry]()
    assert examiner.examine(asked, told.append) == {"turned": 1}
    assert told[-1].state == "done"
    assert len(children()) == 1
    requests = len(RequestsReader(run.path).read_new())
    assert examiner.examine(asked) == {"turned": 1}
    assert len(RequestsReader(run.path).read_new()) == requests
    examiner.close()
    assert children() == []


def test_a_failure_has_a_reason(run: RunFolder, asked: AskedQuestion) -> None:
    examiner = LocalExaminer(run, "test", answers(asked, "failed"))
    with pytest.raises(ExaminationFailedError, match="it is too late"):
        examiner.examine(asked)
    examiner.close()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import sys; sys.exit(1)", "ended with code 1"),
        ('import sys; print(\'{"problem": "it is damaged"}\', flush=True); sys.exit(4)', "it is damaged"),
    ],
)
def test_an_examiner_that_ends_without_an_answer(
    run: RunFolder, asked: AskedQuestion, monkeypatch: pytest.MonkeyPatch, code: str, said: str
) -> None:
    monkeypatch.setattr(examiner_pool, "_RETRY_SECONDS", 0.01)
    with pytest.raises(ExaminationFailedError, match=said):
        LocalExaminer(run, "test", ends(code)).examine(asked)


def test_where_the_role_is_taken_another_answers(
    run: RunFolder, asked: AskedQuestion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examiner_pool, "_RETRY_SECONDS", 0.01)
    tries: list[int] = []

    def taken(_run: RunFolder) -> list[str]:
        tries.append(1)
        if len(tries) == 3:
            with ExaminationsWriter(run.examinations_path) as writer:
                for request in RequestsReader(run.path).read_new():
                    writer.add_question(asked.id, **asked.as_fields())
                    writer.add_applied(request, 1, 1)
                writer.finish(asked.id, '{"turned":2}')
        return [sys.executable, "-c", "import sys; sys.exit(3)"]

    assert LocalExaminer(run, "test", taken).examine(asked) == {"turned": 2}


def test_an_interruption_cancels(run: RunFolder, asked: AskedQuestion) -> None:
    def interrupt(_run: RunFolder) -> list[str]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LocalExaminer(run, "test", interrupt).examine(asked)
    requests = RequestsReader(run.path).read_new()
    assert [request.kind for request in requests] == ["examine", "cancel_examination"]
    assert requests[1].body == {"id": asked.id}


def test_a_run_that_is_trashed_meanwhile(run: RunFolder, asked: AskedQuestion) -> None:
    def trash(_run: RunFolder) -> list[str]:
        RunStore(run.path.parent).trash(run)
        return [sys.executable, "-c", "import sys; sys.exit(0)"]

    with pytest.raises(ExaminationFailedError, match="was moved to the trash"):
        LocalExaminer(run, "test", trash).examine(asked)


def test_a_question_being_taken_up_is_open(
    run: RunFolder, asked: AskedQuestion, monkeypatch: pytest.MonkeyPatch
) -> None:
    RequestsWriter(run.path, "server").add("examine", asked.question.model_dump(mode="json"))
    (request,) = RequestsReader(run.path).read_new()
    last_applied = ExaminationsReader.last_applied
    with ExaminationsWriter(run.examinations_path) as writer:

        def take_up(reader: ExaminationsReader) -> dict[str, int]:
            writer.add_question(asked.id, **asked.as_fields())
            writer.add_applied(request, 1, 1)
            return last_applied(reader)

        monkeypatch.setattr(ExaminationsReader, "last_applied", take_up)
        assert has_open_questions(run)


def test_a_watch_keeps_an_examiner_where_something_is_asked(
    run: RunFolder, asked: AskedQuestion, children: Callable[[], list[psutil.Process]]
) -> None:
    other = finished_run(run.path.parent)
    RequestsWriter(other.path, "server").add("pause", {})
    started: list[str] = []
    looked = threading.Event()

    def start(run: RunFolder) -> list[str]:
        started.append(run.id)
        looked.wait(60)
        return answers(asked, "done")(run)

    assert not has_open_questions(run)
    watch = ExaminerWatch(RunStore(run.path.parent), start)
    watch.start()
    try:
        RequestsWriter(run.path, "server").add("examine", asked.question.model_dump(mode="json"))
        assert has_open_questions(run)
        looked.set()
        wait_until(lambda: not has_open_questions(run), "the answer")
        assert not has_open_questions(other)
    finally:
        looked.set()
        watch.stop()
    assert (started, children()) == ([run.id], [])
