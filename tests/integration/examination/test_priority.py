"""A person's question interrupts a prepared one in the examiner's own process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lamplighter.contract.questions import parse_question
from lamplighter.processes.asked_question import (
    AskedQuestion,
    ask_question,
    ask_to_cancel,
    check_question,
    read_examination,
)
from lamplighter.processes.examiner_pool import ExaminerPool
from lamplighter.training.worker import train
from tests.support.runs import make_run
from tests.support.waiting import wait_until


def test_a_long_prepared_question_waits_for_a_persons(tmp_path: Path) -> None:
    run = make_run(tmp_path, steps=20)
    train(run)

    def ask(**fields: Any) -> AskedQuestion:
        asked = check_question(run, parse_question({"step": 20} | fields))
        ask_question(run, "test", asked)
        return asked

    def state(asked: AskedQuestion) -> str | None:
        entry = read_examination(run, asked.id)
        return entry.state if entry is not None else None

    pool = ExaminerPool()
    try:
        # Thousands of steps: far more work than the person's question.
        prepared = ask(kind="environment", steps=2_000, back=500, background=True)
        pool.keep([run])
        wait_until(lambda: state(prepared) == "running", "the prepared question is begun")
        persons = ask(kind="speak", prompt=run.vocabulary.tokens[5])
        wait_until(lambda: state(persons) == "done", "the person has an answer")
        assert state(prepared) in ("waiting", "running")
        wait_until(lambda: state(prepared) == "running", "the prepared question is begun again")
        ask_to_cancel(run, "test", prepared.id)
        wait_until(lambda: state(prepared) == "cancelled", "the prepared question is cancelled")
    finally:
        pool.stop()
