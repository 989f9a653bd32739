"""A record holds the code and the values of what it tells, and each reader makes its own sentence of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import apsw
import numpy as np
import pytest

import lamplighter
from lamplighter.contract.reason import Reason, ReasonCode
from lamplighter.contract.recognition import recognise
from lamplighter.contract.sentences import SENTENCES, decode_message, encode_message, read_message, say
from lamplighter.runfolder.fragments.fragment_source import FragmentSource
from lamplighter.runfolder.importing.run_checks import shorten_text
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.schemas.runs import Status
from lamplighter.serving.schemas.steps import Event
from lamplighter.training.worker import train
from tests.support.runs import make_run
from tests.support.synthetic_runs.growing_run import GrowingRun
from tests.support.synthetic_runs.received import deliver, open_received

GERMAN_STOP = "Bei Schritt 5 beendet; es lässt sich fortsetzen."


def stored_messages(run: RunFolder) -> list[Any]:
    """Return the messages of a record as they lie there: of its events, and of the run."""
    file = apsw.Connection(str(run.steps_path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        found = file.execute("SELECT message FROM events ORDER BY id").fetchall()
        found += file.execute("SELECT value FROM facts WHERE name='message'").fetchall()
    finally:
        file.close()
    return [json.loads(str(text)) for (text,) in found]


def record_loop(folder: Path) -> RunFolder:
    with lamplighter.record(folder, ["a", "b", "c"], embedding=np.zeros((3, 2), np.float32)) as recorder:
        recorder.step(np.ones((3, 2), np.float32), [1], 1.0)
    return RunFolder(folder)


def train_with_requests(folder: Path) -> RunFolder:
    run = make_run(folder, steps=6)
    requests = RequestsWriter(run.path, "tests")
    requests.add("learning_rate", {"value": 0.01})
    train(run)
    requests.add("continue", {"steps": 3})
    train(run)
    return run


@pytest.mark.parametrize("record", [record_loop, train_with_requests])
def test_a_record_holds_codes_and_no_english(record: Any, tmp_path: Path):
    run = record(tmp_path / "here")
    stored = [one for one in stored_messages(run) if one]
    assert len(stored) >= 3
    assert {one["code"] for one in stored} <= set(get_args(ReasonCode.__value__))
    with StepsReader(run.steps_path) as reader:
        told = [event for event in reader.events() if event.message]
    events = [Event(**vars(event)) for event in told]
    assert [{"code": event.code, "values": event.values} for event in events] == stored[:-1]
    assert [event.message for event in told] == [say(one["code"], **one["values"]) for one in stored[:-1]]
    status = Status(**read_status(run).model_dump(exclude={"state"}))
    assert {"code": status.code, "values": status.values} == stored[-1]
    assert status.code is not None
    assert SENTENCES.tell(status.code, status.values, "de") != status.message
    assert json.loads(status.model_dump_json())["message"] == say(status.code, **status.values)


def test_a_message_is_stored_as_a_code_or_as_its_own_text():
    stop = say("stopped", step=5)
    assert json.loads(encode_message(stop)) == {"code": "stopped", "values": {"step": 5}}
    assert recognise(decode_message(encode_message(stop))) == Reason("stopped", {"step": 5})
    assert decode_message(encode_message(stop)) == stop
    for text in ("", "the loop's own words", '{"code": "stopped", "values": {"step": 5}}', '"quoted"', "5"):
        assert decode_message(encode_message(text)) == text
        assert recognise(decode_message(encode_message(text))) is None
    told = say("loop_stopped", step=5, error="\udcff" + "x" * 10_000)
    assert len(encode_message(told).encode()) < 1_000


def test_the_text_of_an_error_keeps_the_code_of_its_sentence():
    assert recognise(str(ValueError(say("start_lost")))) == Reason("start_lost")


def test_english_of_an_earlier_version_is_recognised():
    for text in ("stopped at step 5; it can be continued", '"quoted"', '{"loss": 2}', "5", "[" * 100_000):
        assert decode_message(text) in (text, "quoted", text[:10_000])
    reason = recognise(decode_message("stopped at step 5; it can be continued"))
    assert reason == Reason("stopped", {"step": 5})
    assert SENTENCES.tell("stopped", {"step": 5}, "de") == GERMAN_STOP


HOSTILE: dict[str, tuple[Any, str]] = {
    "an unknown code": ({"code": "exploded", "values": {"step": 5, "at": "noon"}}, "exploded 5 noon"),
    "a part of a code": ({"code": "unknown_words__similar_none", "values": {}}, "unknown_words__similar_none"),
    "a missing value": ({"code": "stopped", "values": {}}, "stopped"),
    "a value that is a list": ({"code": "stopped", "values": {"step": [5]}}, "stopped"),
    "a value that is nothing": ({"code": "stopped", "values": {"step": None}}, "stopped"),
    "no values": ({"code": "stopped"}, ""),
    "a code that is no text": ({"code": ["stopped"], "values": {}}, ""),
    "a list": ([1, 2], ""),
    "a number": (5, ""),
    "half a character": ({"code": "\ud800", "values": {"a": "\ud800"}}, "? ?"),
    "a long text": ("x" * 100_000, "x" * 10_000),
    "a long code": ({"code": "x" * 100_000, "values": {}}, "x" * 500),
    "a number that is not finite": (
        {"code": "stopped", "values": {"step": float("inf")}}, "stopped at step inf; it can be continued"),
    "a long number": (
        {"code": "stopped", "values": {"step": 10**600}}, f"stopped at step 1{'0' * 499}; it can be continued"),
    "a long word": (
        {"code": "stopped", "values": {"step": "5" * 9_000}}, f"stopped at step {'5' * 500}; it can be continued"),
}  # fmt: skip


@pytest.mark.parametrize(("stored", "shown"), HOSTILE.values(), ids=HOSTILE)
def test_what_anyone_may_have_stored_is_shown_and_bounded(stored: Any, shown: str):
    message = read_message(stored)
    assert message == shown
    reason = recognise(message)
    assert reason is None or all(len(str(value)) <= 500 for value in reason.values.values())
    assert len(message.encode()) <= 10_000


def test_values_that_the_sentence_does_not_have_are_dropped():
    stored = {"code": "stopped", "values": {"step": 5} | dict.fromkeys("abcdefghi", 1)}
    assert recognise(read_message(stored)) == Reason("stopped", {"step": 5})


@pytest.mark.parametrize("stored", [stored for stored, _ in HOSTILE.values()], ids=HOSTILE)
def test_a_pushed_run_with_such_messages_is_read(stored: Any, tmp_path: Path):
    run = GrowingRun(tmp_path / "there")
    run.grow(1)
    text = json.dumps(stored)[:9_000]
    insert = "INSERT INTO events(time,attempt,step,kind,message) VALUES(1,1,1,'end',?)"
    run.writer._connection.execute(insert, (text,))  # pyright: ignore[reportPrivateUsage]
    stop = say("stopped", step=1)
    run.writer.add_event(1, "end", stop, {"message": stop})
    received = open_received(run.folder, tmp_path / "here")
    deliver(FragmentSource(run.folder), received)
    received.close()
    run.end()
    with StepsReader(received.run.steps_path) as reader:
        *_, hostile, own = reader.events()
    assert hostile.message == shorten_text(decode_message(text), 500)
    assert own.message == read_status(received.run).message == stop
    assert stored_messages(received.run)[-2:] == [{"code": "stopped", "values": {"step": 1}}] * 2
