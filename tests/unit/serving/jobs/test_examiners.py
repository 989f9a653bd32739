"""The examiners of a server: real processes, killed, taken, given up, and gone with their server."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from lamplighter.contract.questions import parse_question
from lamplighter.platform.failpoint import VARIABLE
from lamplighter.processes import examiner_pool
from lamplighter.processes.asked_question import AskedQuestion, ask_question, check_question, examiner_command
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.examinations import ExaminationsReader, ExaminationsWriter
from lamplighter.runfolder.tables.requests import RequestsReader
from lamplighter.serving.jobs import examiners
from lamplighter.serving.jobs.examiners import ExaminerJobs
from lamplighter.training.worker import train
from lamplighter.web.http.problems import RefusedError
from tests.support.folders import finished_run
from tests.support.runs import make_run
from tests.support.waiting import wait_until

# Stands for an examiner that ends as it is told: with a code, or at its parent's end.
ENDS = "import sys; sys.exit(int(sys.argv[1]))"
WAITS = 'import sys; print(\'{"what": "up"}\', flush=True); sys.stdin.read(); sys.exit(5)'


def rotation(run: RunFolder, seed: int = 0) -> AskedQuestion:
    return check_question(run, parse_question({"kind": "rotation", "step": 1, "seed": seed}))


def add(jobs: ExaminerJobs, run: RunFolder, asked: AskedQuestion) -> None:
    jobs.ask(run, asked, lambda: ask_question(run, "server", asked))


def command(code: str, *words: object) -> Callable[[RunFolder], list[str]]:
    return lambda _run: [sys.executable, "-c", code, *map(str, words)]


def test_killed_over_its_answer_it_is_followed_by_another_that_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, children: Callable[[], list[psutil.Process]]
) -> None:
    run = make_run(tmp_path, steps=4)
    train(run)
    word = run.vocabulary.tokens[5]
    asked = check_question(run, parse_question({"kind": "speak", "step": 3, "prompt": word, "words": 3}))
    started: list[str] = []

    def killed_first(run: RunFolder) -> list[str]:
        # The first dies as by kill -9 right after it has begun.
        os.environ.pop(VARIABLE, None)
        if not started:
            monkeypatch.setenv(VARIABLE, "examination-begun:1")
        started.append(run.id)
        return examiner_command(run, 60)

    jobs = ExaminerJobs("server", command=killed_first)
    try:
        add(jobs, run, asked)
        wait_until(lambda: not jobs.at_work, "an answer", timeout=120)
        with ExaminationsReader(run.examinations_path) as reader:
            entry, answer = reader.entry(asked.id), json.loads(reader.answer(asked.id) or "")
        assert entry is not None
        assert (entry.state, entry.tries, len(started)) == ("done", 2, 2)
        assert answer["replayed"] == {"from": 2, "steps": 1, "equal": True, "difference": 0.0}
        assert len(answer["greedy"]) == 3
        # It stays, as one question follows another; and goes with the server.
        assert len(children()) == 1
        assert children()[0].nice() == 19 or psutil.Process().nice() > 0
    finally:
        jobs.stop()
    assert children() == []
    with RoleLock(run.path, "examiner"):
        assert run.examinations_path.read_bytes()[18:20] == b"\x01\x01"


def test_a_crashing_examiner_stays_stopped_until_the_next_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examiner_pool, "_RETRY_SECONDS", 0.01)
    run = finished_run(tmp_path)
    jobs = ExaminerJobs("server", command=command(ENDS, 1))
    add(jobs, run, rotation(run))
    wait_until(lambda: jobs.problem(run) is not None, "it to be given up")
    assert "ended with code 1" in (jobs.problem(run) or "")
    add(jobs, run, rotation(run, 1))
    wait_until(lambda: jobs.problem(run) is not None, "it to be given up again")
    jobs.stop()


def test_an_unreadable_run_is_explained(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    code = 'import sys; print(\'{"problem": "no"}\', flush=True); sys.exit(4)'
    jobs = ExaminerJobs("server", command=command(code))
    add(jobs, run, rotation(run))
    wait_until(lambda: jobs.problem(run) == "no", "the reason")
    jobs.stop()


def test_while_another_is_the_examiner_it_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examiner_pool, "_RETRY_SECONDS", 0.01)
    run = finished_run(tmp_path)
    started: list[float] = []

    def count(_run: RunFolder) -> list[str]:
        started.append(time.monotonic())
        return [sys.executable, "-c", ENDS, "3"]

    jobs = ExaminerJobs("server", command=count)
    add(jobs, run, rotation(run))
    wait_until(lambda: len(started) > 2, "it to try again")
    assert jobs.problem(run) is None
    jobs.stop()


def test_two_at_a_time_and_an_idle_one_makes_way(
    tmp_path: Path, children: Callable[[], list[psutil.Process]]
) -> None:
    runs = [finished_run(tmp_path / name) for name in "abc"]
    started: list[str] = []

    def count(run: RunFolder) -> list[str]:
        started.append(run.path.parent.name)
        return [sys.executable, "-c", WAITS]

    jobs = ExaminerJobs("server", command=count)
    for run in runs:
        add(jobs, run, rotation(run))
    wait_until(lambda: len(children()) == 2, "two examiners")
    assert started == ["a", "b"]
    # The question about the first run is answered by whomever.
    with ExaminationsWriter(runs[0].examinations_path) as writer:
        for request in RequestsReader(runs[0].path).read_new():
            writer.add_applied(request, 1, 1)
    wait_until(lambda: started == ["a", "b", "c"], "the third run's examiner")
    wait_until(lambda: len(children()) == 2, "the first one's end")
    jobs.end(runs[1].id)
    jobs.stop()
    assert children() == []


def test_one_is_started_ahead_of_the_question_once(
    tmp_path: Path, children: Callable[[], list[psutil.Process]]
) -> None:
    runs = [finished_run(tmp_path / name) for name in "ab"]
    started: list[str] = []

    def count(run: RunFolder) -> list[str]:
        started.append(run.path.parent.name)
        return [sys.executable, "-c", WAITS if run is runs[0] else ENDS, "1"]

    jobs = ExaminerJobs("server", command=count)
    for _ in range(3):
        jobs.prepare(runs[0])
        wait_until(lambda: len(children()) == 1, "the examiner")
    assert not jobs.at_work
    # One that crashes is not started again before the question.
    jobs.prepare(runs[1])
    wait_until(lambda: started == ["a", "b"], "the second run's examiner")
    wait_until(lambda: len(children()) == 1, "its end")
    add(jobs, runs[0], rotation(runs[0]))
    time.sleep(0.1)
    assert started == ["a", "b"]
    jobs.stop()
    assert children() == []


def test_none_is_started_where_others_do(
    tmp_path: Path, children: Callable[[], list[psutil.Process]]
) -> None:
    run = finished_run(tmp_path)
    jobs = ExaminerJobs("server", starts=False, command=command(WAITS))
    jobs.prepare(run)
    add(jobs, run, rotation(run))
    time.sleep(0.3)
    assert children() == []
    assert (len(jobs.open_questions(run)), jobs.problem(run)) == (1, None)
    jobs.stop()


def test_open_questions_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examiners, "MAX_OPEN", 1)
    run = finished_run(tmp_path)
    jobs = ExaminerJobs("server", starts=False)
    add(jobs, run, rotation(run))
    with pytest.raises(RefusedError, match="ask again later"):
        add(jobs, run, rotation(run, 1))
    jobs.stop()
