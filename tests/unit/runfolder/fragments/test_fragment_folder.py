"""The folder of fragments: whole files or none, wherever its writer is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import anyio
import pytest

import lamplighter
from lamplighter.platform import failpoint
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.fragments.fragment import FOLDER, Position, parse_fragment_name
from lamplighter.runfolder.fragments.fragment_folder import (
    FragmentWriter,
    list_fragments,
    read_fragment,
    unread_fragments,
    wants_fragments,
    write_fragment,
)
from lamplighter.runfolder.fragments.fragment_source import FragmentSource, has_ended
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.jobs import received_runs
from lamplighter.serving.jobs.received_runs import ReceivedRuns
from tests.support.synthetic_runs.growing_run import GrowingRun
from tests.support.synthetic_runs.received import require_equal_records
from tests.support.waiting import wait_until

LOOP = """
import sys, time, numpy as np, lamplighter
from lamplighter.runfolder.fragments import fragment_folder
fragment_folder.EVERY_SECONDS = 0.1
random = np.random.default_rng(1)
matrix = random.normal(size=(30, 4)).astype(np.float32)
with lamplighter.record(sys.argv[1], [f"w{i}" for i in range(30)], embedding=matrix) as recorder:
    for step in range(1_000):
        ids = random.integers(0, 30, 6)
        matrix[ids] += 0.01
        recorder.step(matrix, ids, 5 - step / 1_000)
        time.sleep(0.005)
"""


@pytest.fixture(autouse=True)
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received_runs, "_POLL_SECONDS", 0.02)


def test_a_recorded_loop_is_followed_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    monkeypatch.setenv("LAMPLIGHTER_FRAGMENTS", "1")
    matrix = np.ones((20, 4), np.float32)
    store = RunStore(tmp_path / "here")
    received = ReceivedRuns(store, (tmp_path / "there",))
    with lamplighter.record(
        tmp_path / "there" / "loop", [f"w{i}" for i in range(20)], embedding=matrix
    ) as recorder:
        for step in range(30):
            matrix[step % 20] += 1
            recorder.step(matrix, [step % 20], 1.0)
    received.start()
    followed = RunFolder(store.path / "loop")
    wait_until(
        lambda: followed.steps_path.exists() and not (store.path / "loop" / "steps.sqlite-wal").exists()
    )
    received._stop.set()
    received._thread.join()
    require_equal_records(RunFolder(tmp_path / "there" / "loop"), followed)


def test_a_killed_writer_leaves_whole_fragments_and_goes_on(tmp_path: Path) -> None:
    run = tmp_path / "there" / "loop"
    environment = os.environ | {"LAMPLIGHTER_FRAGMENTS": "1", failpoint.VARIABLE: "fragment:3"}
    loop = subprocess.run(
        [sys.executable, "-c", LOOP, str(run)], env=environment, check=False, capture_output=True
    )
    assert loop.returncode == -signal.SIGKILL
    whole = list_fragments(run)
    assert len(whole) == 2
    assert all(read_fragment(one.path) for one in whole)
    # What it had recorded and not yet written follows from the record.
    writer = FragmentWriter(RunFolder(run))
    writer.close()
    store = RunStore(tmp_path / "here")
    received = ReceivedRuns(store, (tmp_path / "there",))
    received._follow(run)
    received._close_records(0)
    require_equal_records(RunFolder(run), RunFolder(store.path / "loop"))


def test_a_missing_fragment_is_waited_for_and_then_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = GrowingRun(tmp_path / "there")
    writer = FragmentWriter(run.folder, every=60)
    writer._try_write()
    names: list[set[str]] = []
    for _ in range(3):
        run.grow(2)
        writer._try_write()
        names.append({one.path.name for one in list_fragments(run.folder.path)})
    (missing,) = names[1] - names[0]
    lost = run.folder.path / FOLDER / missing
    lost.rename(tmp_path / "lost")
    store = RunStore(tmp_path / "here")
    received = ReceivedRuns(store, (tmp_path / "there",))
    source = run.folder.path
    received._follow(source)
    events = lamplighter.open(store.path / run.folder.id).events
    assert lamplighter.open(store.path / run.folder.id).status.step == 2
    assert [event.kind for event in events()] == []
    monkeypatch.setattr(received_runs, "_GAP_SECONDS", 0)
    received._follow(source)
    received._follow(source)
    assert [(event.kind, event.step) for event in events()] == [("gap", 2)]
    (tmp_path / "lost").rename(lost)
    run.end()
    writer.close()
    received._follow(source)
    received._close_records(0)
    require_equal_records(run.folder, RunFolder(store.path / run.folder.id))


def test_other_runs_and_removed_ones_are_left_alone(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path / "there")
    run.grow(2)
    run.end()
    FragmentWriter(run.folder, every=60).close()
    store = RunStore(tmp_path / "here")
    taken = GrowingRun(tmp_path / "here")
    taken.end()
    taken.folder.path.rename(store.path / run.folder.id)
    received = ReceivedRuns(store, (tmp_path / "there",))
    received._follow(run.folder.path)
    assert RunFolder(store.path / run.folder.id).recipe.corpus.kind == "lamptown"
    store.trash(store.find(run.folder.id))
    received._follow(run.folder.path)
    assert store.runs() == []


def test_a_fragment_with_another_content_is_refused(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path)
    run.grow(1)
    fragment = FragmentSource(run.folder).make_next()
    assert fragment is not None
    write_fragment(run.folder.path, fragment)
    (found,) = list_fragments(run.folder.path)
    assert list(unread_fragments([found], Position())) == [fragment]
    assert list(unread_fragments([found], fragment.header.to)) == []
    found.path.write_bytes(found.path.read_bytes()[:-1] + b"x")
    with pytest.raises(FormatError):
        read_fragment(found.path)
    run.end()


def test_names_and_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_fragment_name("1-0-12-0123456789abcdef.frag") == (1, 12, 0, "0123456789abcdef")
    for other in (
        "1-0-12-0123.frag",
        ".1-0-12-0123456789abcdef.frag.part",
        "1-0-12-0123456789abcdef.frag.part",
        "x",
    ):
        assert parse_fragment_name(other) is None
    monkeypatch.setenv("LAMPLIGHTER_FRAGMENTS", "1")
    assert wants_fragments(tmp_path)
    monkeypatch.setenv("LAMPLIGHTER_FRAGMENTS", "0")
    assert not wants_fragments(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_what_is_no_file_holds_up_neither_its_run_nor_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    there, run = tmp_path / "there", GrowingRun(tmp_path / "there")
    run.grow(2)
    run.end()
    FragmentWriter(run.folder, every=60).close()
    fragments = run.folder.path / FOLDER
    (elsewhere := tmp_path / "elsewhere").write_bytes(b"not for others")
    os.mkfifo(fragments / f"0-0-0-{'0' * 16}.frag")
    (fragments / f"1-0-1-{'0' * 16}.frag").symlink_to(elsewhere)
    (fragments / f"1-1-1-{'0' * 16}.frag").mkdir()
    (damaged := fragments / f"1-1-2-{'0' * 16}.frag").write_bytes(b"no fragment")
    store = RunStore(tmp_path / "here")
    received = ReceivedRuns(store, (there,))
    received.start()
    wait_until(lambda: "1-1-2-" in caplog.text)
    followed = RunFolder(store.path / run.folder.id)
    wait_until(lambda: has_ended(followed))
    assert len([one for one in caplog.messages if "is no file" in one]) == 3
    # Each was read once, and is read again when it has changed.
    del caplog.records[:]
    os.utime(damaged, ns=(0, 0))
    received._said.clear()
    wait_until(lambda: caplog.messages)
    assert "1-1-2-" in caplog.text
    anyio.run(received.stop)
    assert not received._thread.is_alive()
    require_equal_records(run.folder, followed)


def test_a_file_system_that_no_longer_answers_does_not_keep_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer = threading.Event(), threading.Event()

    def hang(_: Path) -> list[Path]:
        asked.set()
        answer.wait(60)
        return []

    monkeypatch.setattr(received_runs, "list_folders", hang)
    monkeypatch.setattr(received_runs, "_STOP_SECONDS", 0.05)
    received = ReceivedRuns(RunStore(tmp_path), (tmp_path,))
    received.start()
    assert asked.wait(60)
    anyio.run(received.stop)
    assert received._thread.is_alive()
    answer.set()
    received._thread.join()


def test_a_run_that_was_made_again_under_its_name_is_another(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    runs = [GrowingRun(tmp_path / str(number), seed=number) for number in range(2)]
    store, source = RunStore(tmp_path / "here"), tmp_path / "there" / "loop"
    source.parent.mkdir()
    received = ReceivedRuns(store, (source.parent,))
    for number, run in enumerate(runs):
        run.grow(2 + 3 * number)
        run.end()
        run.folder.path.rename(source)
        FragmentWriter(RunFolder(source), every=60).close()
        received._follow(source)
        received._close_records(0)
        source.rename(tmp_path / f"was-{number}")
    require_equal_records(RunFolder(tmp_path / "was-0"), RunFolder(store.path / "loop"))
    assert "loop is the id of another run here" in caplog.text
