"""The lines feed: lines since the last read, none that no longer count, none that REST has served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.lines import SpokenLine, encode_lines
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.live import feeds
from lamplighter.serving.live.feeds import LinesFeed
from lamplighter.serving.schemas.messages import LinesMessage
from tests.support.folders import make_run

TEXT = encode_lines([SpokenLine((1, 2), (3, 5), (0.25, 0.5), True)])


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(RunStore(tmp_path))


@pytest.fixture
def writer(run: RunFolder) -> Iterator[StepsWriter]:
    with StepsWriter(run.steps_path) as made:
        made.start_attempt(0)
        yield made


@pytest.fixture
def reader(run: RunFolder, writer: StepsWriter) -> Iterator[StepsReader]:
    with StepsReader(run.steps_path) as made:
        yield made


def commit(writer: StepsWriter, *steps: int) -> None:
    for step in steps:
        writer.commit(StepRecord(step, b"pulse", b"digest", lines=TEXT))


def read(
    feed: LinesFeed, reader: StepsReader, newest: int, lineage: Lineage | None = None
) -> list[LinesMessage]:
    messages = feed.read_lines(reader, lineage or reader.lineage(), newest)
    return [LinesMessage.model_validate_json(message.data) for message in messages]


def test_viewers_that_waited_for_the_run_get_its_lines_from_the_first(
    run: RunFolder, writer: StepsWriter, reader: StepsReader
) -> None:
    feed = LinesFeed(run)
    assert read(feed, reader, -1) == []
    writer.add_lines(0, TEXT)
    [first] = read(feed, reader, 0)
    assert (first.type, first.step, first.attempt) == ("lines", 0, 1)
    assert first.lines == [SpokenLine((1, 2), (3, 5), (0.25, 0.5), sampled=True)]
    commit(writer, 1, 2, 3)
    # Only of steps that viewers have.
    assert [message.step for message in read(feed, reader, 2)] == [1, 2]
    assert [message.step for message in read(feed, reader, 3)] == [3]
    assert read(feed, reader, 3) == []


def test_old_messages_are_not_repeated(
    run: RunFolder, writer: StepsWriter, reader: StepsReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "_NEW_RUN", 3)
    commit(writer, 1, 2, 3)
    feed = LinesFeed(run)
    assert read(feed, reader, 3) == []
    commit(writer, 4)
    assert [message.step for message in read(feed, reader, 4)] == [4]


def test_damaged_lines_are_left_out(run: RunFolder, writer: StepsWriter, reader: StepsReader) -> None:
    feed = LinesFeed(run)
    commit(writer, 1)
    writer.commit(StepRecord(2, b"pulse", b"digest", lines="[{"))
    commit(writer, 3)
    assert [message.step for message in read(feed, reader, 3)] == [1, 3]


def test_a_new_attempt_repeats_its_lines(run: RunFolder, writer: StepsWriter, reader: StepsReader) -> None:
    feed = LinesFeed(run)
    commit(writer, 1, 2, 3)
    assert len(read(feed, reader, 3)) == 3
    older = reader.lineage()
    writer.start_attempt(2)
    commit(writer, 2)
    assert read(feed, reader, 3, older) == [], "viewers have no new start yet"
    feed.go_back(1)
    assert [(message.step, message.attempt) for message in read(feed, reader, 2)] == [(2, 2)]
