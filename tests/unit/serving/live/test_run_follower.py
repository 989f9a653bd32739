"""A follower of a run whose folder disappears."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.live import status_feed
from lamplighter.serving.live.message import ViewerMessage
from lamplighter.serving.live.run_follower import RunFollower
from lamplighter.serving.reading.run_catalog import RunCatalog
from tests.support.folders import finished_run


def test_a_run_trashed_while_watched_is_gone_and_not_just_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The folder check, once a second, comes too late here.
    monkeypatch.setattr(status_feed, "STATUS_POLL_SECONDS", 1_000.0)
    run = finished_run(tmp_path)
    joined, failed = threading.Event(), threading.Event()
    heard: list[tuple[int, str]] = []

    def on_joined(_: str, __: list[ViewerMessage] | None) -> None:
        joined.set()

    def on_failed(code: int, reason: str) -> None:
        heard.append((code, reason))
        failed.set()

    store = RunStore(tmp_path)
    follower: RunFollower[str] = RunFollower(
        run, RunCatalog(store), on_messages=lambda _: None, on_joined=on_joined, on_failed=on_failed
    )
    follower.start()
    try:
        follower.join("first", frozenset({"pulse"}))
        assert joined.wait(10)
        store.trash(run)
        follower.join("second", frozenset({"pulse"}))
        assert failed.wait(10)
    finally:
        follower.stop()
        assert follower.wait_ended(10)
    assert heard == [(4404, "this run was moved to the trash")]
