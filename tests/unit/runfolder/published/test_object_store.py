"""One contract for every object store: reading by range, and conditional puts of which exactly one wins.

The time that a server may take is the time waited for it, by its rate and in all.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from obstore.store import MemoryStore

import lamplighter.runfolder.published.object_store as object_store
from lamplighter.runfolder.published.object_store import (
    MissingObjectError,
    ObjectStore,
    StoreError,
    UnavailableStoreError,
    open_object_store,
    read_small,
)
from lamplighter.runfolder.published.patience import Patience
from tests.support.machine.object_stores import OpenStore, open_store, s3_environment

__all__ = ["open_store", "s3_environment"]

WRITERS = 12


def race(open_store: OpenStore, write: Callable[[ObjectStore, int], bool]) -> list[int]:
    """Let several writers begin at once. Return those that won."""
    barrier = Barrier(WRITERS)

    def run(number: int) -> bool:
        store = open_store()
        barrier.wait()
        return write(store, number)

    with ThreadPoolExecutor(WRITERS) as pool:
        return [number for number, won in enumerate(pool.map(run, range(WRITERS))) if won]


def test_reads_parts_of_an_object(open_store: OpenStore) -> None:
    store = open_store()
    store.put_object("a/b", b"0123456789")
    assert store.read_part("a/b", 0, 4) == b"0123"
    assert store.read_part("a/b", 8, 50) == b"89"
    assert store.read_part("a/b", 8, 50, Patience(20, 1, 20)) == b"89"
    assert store.size_of("a/b") == 10
    assert read_small(store, "a/b", 10) == b"0123456789"
    with pytest.raises(StoreError, match="more than 9 bytes"):
        read_small(store, "a/b", 9)


def test_a_missing_object_is_said_to_be_missing(open_store: OpenStore) -> None:
    store = open_store()
    store.put_object("a/b", b"x")
    assert store.size_of("a/c") is None
    assert store.read_tagged("a/c", 10) is None
    with pytest.raises(MissingObjectError, match="there is no a/c"):
        store.read_part("a/c", 0, 1)


def test_a_large_file_appears_whole(open_store: OpenStore, tmp_path: Path) -> None:
    data = bytes(range(256)) * (48 << 10)
    (tmp_path / "large").write_bytes(data)
    open_store().put_object("large", tmp_path / "large")
    assert open_store().size_of("large") == len(data)
    assert open_store().read_part("large", 11 << 20, 512) == data[11 << 20 : (11 << 20) + 512]


def test_an_object_is_created_once(open_store: OpenStore) -> None:
    assert open_store().put_if_absent("one", b"first")
    assert not open_store().put_if_absent("one", b"second")
    assert open_store().read_part("one", 0, 9) == b"first"


def test_an_object_is_replaced_only_as_it_was_read(open_store: OpenStore) -> None:
    store = open_store()
    store.put_object("one", b"first")
    _, tag = store.read_tagged("one", 99) or (b"", "")
    assert store.replace("one", b"second", tag)
    assert not open_store().replace("one", b"third", tag)
    assert store.read_part("one", 0, 9) == b"second"
    assert not store.replace("none", b"x", tag)


def test_of_many_that_create_one_wins(open_store: OpenStore) -> None:
    (winner,) = race(open_store, lambda store, number: store.put_if_absent("current", b"%d" % number))
    assert open_store().read_part("current", 0, 9) == b"%d" % winner


def test_of_many_that_replace_one_wins(open_store: OpenStore) -> None:
    open_store().put_object("current", b"before")
    _, tag = open_store().read_tagged("current", 99) or (b"", "")
    (winner,) = race(open_store, lambda store, number: store.replace("current", b"%d" % number, tag))
    assert open_store().read_part("current", 0, 9) == b"%d" % winner


_REPLACE = """
import sys
from lamplighter.runfolder.published.object_store import open_object_store
store = open_object_store(sys.argv[1], writing=True)
_, tag = store.read_tagged("current", 99)
print("ready", flush=True)
input()
print(store.replace("current", sys.argv[2].encode(), tag))
"""


@pytest.mark.tour
def test_of_many_processes_that_replace_in_a_folder_one_wins(tmp_path: Path) -> None:
    store = open_object_store(f"file://{tmp_path}", writing=True)
    store.put_object("current", b"before")
    command = [sys.executable, "-c", _REPLACE, f"file://{tmp_path}"]
    writers = [
        subprocess.Popen([*command, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for number in range(6)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
    said = [writer.communicate(timeout=60)[0] for writer in writers]
    assert sorted(said) == ["False\n"] * 5 + ["True\n"]
    assert store.read_part("current", 0, 9) == b"%d" % said.index("True\n")


@pytest.mark.tour
@pytest.mark.parametrize(
    ("changes", "address", "said"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "another"}, "s3://runs/x", "no permission (403)"),
        ({}, "s3://no-such-bucket-anywhere/x", "there is no such bucket"),
        ({"AWS_ENDPOINT": "http://127.0.0.1:9"}, "s3://runs/x", "cannot be reached"),
        ({"AWS_ALLOW_HTTP": ""}, "s3://runs/x", "plain http is refused"),
    ],
)
def test_s3_says_what_is_wrong(
    changes: dict[str, str],
    address: str,
    said: str,
    s3_environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (s3_environment | changes).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StoreError) as caught:
        open_object_store(address, writing=False).read_part("current", 0, 1)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("address", ["ftp://host/x", "file:///no/such/folder/anywhere"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(StoreError, match=address):
        open_object_store(address, writing=False)


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
