"""The time that a server may take is the time waited for it, by its rate and in all."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest
from obstore.store import MemoryStore

import lamplighter.runfolder.published.object_store as object_store
from lamplighter.runfolder.published.object_store import ObjectStore, UnavailableStoreError
from lamplighter.runfolder.published.patience import Patience


@pytest.mark.parametrize(
    ("answers", "ends"),
    [
        ([(0.3, 64)] * 50, False),
        ([(0.3, 1)] * 50, True),
        ([(0.9, 100), (0.9, 0), (0.05, 100), (0.9, 0)], False),
        ([(0.5, 100), (0.5, 99), (0.5, 0), (0.0, 0)], True),
        ([(0.5, 1_000)] * 32, True),
    ],
    ids=["fast", "a drip", "pauses", "a byte too few", "too long in all"],
)
def test_an_answer_ends_by_its_rate_or_in_all(answers: list[tuple[float, int]], ends: bool) -> None:
    patience = Patience(1.0, 100, 15.5)
    why = ""
    for waited, count in answers:
        try:
            assert 0 < patience.next_wait() <= 0.5
        except TimeoutError as error:
            why = str(error)
            break
        patience.count(waited, count)
    assert ("too slow" in why) == ends


def test_a_reader_that_stopped_waits_no_more() -> None:
    stopped = threading.Event()
    patience = Patience(1.0, 1, stopped=stopped)
    assert patience.next_wait() > 0
    stopped.set()
    with pytest.raises(TimeoutError, match="stopped"):
        patience.next_wait()


def test_an_object_store_that_is_silent_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    left: list[str] = []

    async def get_range_async(*_: Any, **__: Any) -> bytes:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            left.append("cancelled")
            raise
        return b""

    monkeypatch.setattr(object_store, "_obstore", lambda: SimpleNamespace(get_range_async=get_range_async))
    with pytest.raises(UnavailableStoreError, match="too slow"):
        ObjectStore(MemoryStore(), "memory").read_part("a", 0, 4, Patience(0.05, 1, 0.05))
    assert left == ["cancelled"]
