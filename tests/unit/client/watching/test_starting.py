"""Starting never fails: not for the program that listens, nor for the disk, nor for other processes that begin at once."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

import lamplighter
from lamplighter.client.watching import watch as watch_module
from lamplighter.client.watching.serving_address import find_server
from tests.support.machine.small_disk import small_disk
from tests.unit.client.watching.small_model import TOKENS, SmallModel, train

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DEEP = b"[" * 60_000


@contextmanager
def listening(
    patch: pytest.MonkeyPatch, answer: Callable[[socket.socket, threading.Event], None]
) -> Iterator[Any]:
    """Answer at the usual address in the place of a server. Yields an event, set once the answer is no longer wanted."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        patch.setattr("lamplighter.client.watching.serving_address.LOCAL_ADDRESS", f"http://127.0.0.1:{port}")
        done = threading.Event()

        def serve() -> None:
            connection, _ = server.accept()
            with closing(connection):
                try:
                    answer(connection, done)
                except OSError:
                    done.set()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield done
        done.set()
        thread.join()


def drip(connection: socket.socket, done: threading.Event) -> None:
    connection.sendall(HEAD + b"\r\n")
    while not done.wait(0.02):
        connection.sendall(b"  ")


@pytest.mark.parametrize(
    "answer",
    [
        lambda connection, _: connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n"),
        lambda connection, _: connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}"),
        lambda connection, _: connection.sendall(HEAD + b"\r\n" + DEEP),
        lambda connection, _: connection.sendall(HEAD + b"Content-Length: 99\r\n\r\n{}"),
        lambda connection, _: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{}"),
        lambda connection, _: connection.sendall(HEAD + b"\r\n[]"),
        lambda connection, _: None,
        lambda connection, done: done.wait(30),
        drip,
    ],
    ids=["banner", "chunk", "deep", "short", "page", "list", "closes", "silent", "drips"],
)
def test_a_stranger_on_the_usual_port_is_no_server_of_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Any
):
    with listening(monkeypatch, answer):
        assert find_server(tmp_path / "mine") is None


def test_a_child_that_never_ends_is_not_awaited(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    model = SmallModel()
    with listening(monkeypatch, drip) as done:
        watcher = lamplighter.watch(model, TOKENS, tmp_path / "mine")
        # It would have gone on.
        assert not done.is_set()
    with watcher:
        train(model, 2)
    assert lamplighter.open(tmp_path / "mine").status.step == 2


def test_as_many_as_begin_at_once_have_a_folder_each(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    together = threading.Barrier(4)
    begun: set[int] = set()
    record = watch_module.record

    def begin(*arguments: Any, **options: Any) -> Any:
        if threading.get_ident() not in begun:
            # By now all have found the same folder free.
            begun.add(threading.get_ident())
            together.wait()
        return record(*arguments, **options)

    monkeypatch.setattr(watch_module, "record", begin)
    watchers: list[Any] = []

    def start() -> None:
        model = SmallModel()
        watchers.append((model, lamplighter.watch(model, TOKENS, tmp_path / "same", on_error="raise")))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for model, watcher in watchers:
        with watcher:
            train(model, 1)
    names = sorted(watcher.folder.name for _, watcher in watchers)
    assert names == ["same", "same-2", "same-3", "same-4"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert {lamplighter.open(watcher.folder).status.step for _, watcher in watchers} == {1}


@pytest.mark.parametrize("variable", ["RANK", "LOCAL_RANK", "SLURM_PROCID"])
def test_a_process_of_several_is_watched_once_they_have_a_group_or_alone(
    variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv(variable, "1")
    model = SmallModel()
    with pytest.raises(lamplighter.InputError, match=f"{variable} says .* after .*init_process_group"):
        lamplighter.watch(model, TOKENS, tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []
    with lamplighter.watch(model, TOKENS, tmp_path / "mine", alone=True):
        train(model, 1)
    assert lamplighter.open(tmp_path / "mine").status.step == 1
    monkeypatch.setenv(variable, "0")
    with lamplighter.watch(model, TOKENS, tmp_path / "other"):
        train(model, 1)
    assert lamplighter.open(tmp_path / "other").status.step == 1


def test_where_no_folder_can_be_made_the_training_goes_on_unrecorded(tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    model = SmallModel()
    with pytest.raises(lamplighter.InputError, match="cannot be created"):
        lamplighter.watch(model, TOKENS, tmp_path / "file" / "mine", on_error="raise")
    with pytest.warns(
        lamplighter.RecordWarning, match="continues without being recorded: .*cannot be created"
    ) as said:
        watcher = lamplighter.watch(model, TOKENS, tmp_path / "file" / "mine")
    assert said[0].filename == __file__
    train(model, 1)
    watcher.close()


def test_on_a_full_disk_the_training_goes_on_unrecorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    model = SmallModel()
    with small_disk(monkeypatch) as disk:
        disk.free = 0
        with pytest.warns(lamplighter.RecordWarning, match="continues without being recorded: .*full"):
            watcher = lamplighter.watch(model, TOKENS, tmp_path / "mine")
        train(model, 1)
        watcher.close()
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_watched_again_has_one_record_at_a_time(tmp_path: Path):
    model = SmallModel()
    first = lamplighter.watch(model, TOKENS, tmp_path / "cell")
    train(model, 2)
    with lamplighter.watch(model, TOKENS, tmp_path / "cell") as second:
        assert first.closed
        train(model, 3)
    status = [lamplighter.open(watcher.folder or "").status for watcher in (first, second)]
    assert [(one.step, one.phase) for one in status] == [(2, "finished"), (3, "finished")]


def test_the_record_of_a_model_that_is_freed_ends(tmp_path: Path):
    model = SmallModel()
    watcher = lamplighter.watch(model, TOKENS, tmp_path / "cell")
    train(model, 2)
    assert repr(watcher).startswith("<Lamplighter watches ")
    assert str(tmp_path / "cell") in repr(watcher)
    del model
    gc.collect()
    assert watcher.closed
    status = lamplighter.open(tmp_path / "cell").status
    assert (status.step, status.phase) == (2, "finished")
    assert not torch.nn.modules.module._global_forward_hooks
