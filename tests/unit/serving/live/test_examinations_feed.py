"""The feed of questions about the model: every change from now on, without holding the file open.

A follower of a run whose folder disappears.
"""

from __future__ import annotations

import json
import queue
import threading
from pathlib import Path

from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.examinations import ExaminationsWriter
from lamplighter.serving.live.feeds import MessageKind, ViewerMessage
from lamplighter.serving.live.run_follower import RunFollower
from lamplighter.serving.reading.run_catalog import RunCatalog
from tests.support.folders import finished_run

QUESTION = '{"kind":"rotation","seed":0,"step":5}'


def add(writer: ExaminationsWriter, name: str) -> None:
    writer.add_question(name, attempt=1, step=5, kind="rotation", question=QUESTION)


def test_viewers_receive_the_changes_of_a_question(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    with ExaminationsWriter(run.examinations_path) as writer:
        add(writer, "old")
        assert writer.close(sealed=True)
    heard: queue.Queue[dict[str, object]] = queue.Queue()
    begun = threading.Event()

    def on_messages(messages: list[ViewerMessage]) -> None:
        begun.set()
        for message in messages:
            if message.kind is MessageKind.EXAMINATION:
                heard.put(json.loads(message.data))

    follower = RunFollower(
        run,
        RunCatalog(RunStore(tmp_path)),
        on_messages=on_messages,
        on_failed=lambda _code, _reason: None,
    )
    follower.start()
    try:
        assert begun.wait(10)
        writer = ExaminationsWriter(run.examinations_path)
        add(writer, "new")
        message = heard.get(timeout=10)
        assert message["type"] == "examination"
        assert message["examination"] == {
            "id": "new", "kind": "rotation", "step": 5, "attempt": 1, "question": json.loads(QUESTION),
            "state": "waiting", "share": 0.0, "activity": "", "problem": None, "code": None, "values": {}, "made": None,
        }  # fmt: skip
        writer.finish("new", '{"turned":1}')
        done = heard.get(timeout=10)["examination"]
        assert isinstance(done, dict)
        assert (done["id"], done["state"], "answer" in done) == ("new", "done", False)
        # A follower does not keep the examiner from sealing its file.
        assert writer.close(sealed=True)
    finally:
        follower.stop()
        assert follower.wait_ended(10)
    assert heard.empty()


def test_a_run_trashed_while_watched_is_gone_and_not_just_unreadable(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    begun, failed = threading.Event(), threading.Event()
    heard: list[tuple[int, str]] = []

    def on_failed(code: int, reason: str) -> None:
        heard.append((code, reason))
        failed.set()

    store = RunStore(tmp_path)
    follower = RunFollower(run, RunCatalog(store), on_messages=lambda _: begun.set(), on_failed=on_failed)
    follower.start()
    try:
        assert begun.wait(10)
        store.trash(run)
        assert failed.wait(10)
    finally:
        follower.stop()
        assert follower.wait_ended(10)
    assert heard == [(4404, "this run was moved to the trash")]
