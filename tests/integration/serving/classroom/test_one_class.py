"""One class on a folder of runs: a second server with a class is refused, and nothing of the first is lost."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info

from lamplighter.serving.apps.app import create_app
from lamplighter.serving.servers import class_server
from lamplighter.serving.servers.class_server import ClassServer, class_limits
from lamplighter.web.connections.limits import ConnectionLimits
from lamplighter.web.connections.listening_socket import ListeningSocket, open_listener
from lamplighter.web.settings import ClassSettings, ServerSettings, SettingsError

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def make_class(runs: Path) -> ClassServer:
    settings = ClassSettings(host="127.0.0.1", port=0)
    services = create_app(ServerSettings(runs, port=8600, roles=(), classroom=settings)).state.services
    return ClassServer(services, settings, class_limits(ConnectionLimits())[1], open_listener)


async def test_a_second_class_on_a_folder_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    first, second = make_class(tmp_path), make_class(tmp_path)
    await first.start()
    with pytest.raises(SettingsError, match="another server has a class on"):
        await second.start()
    await first.stop()
    await second.start()
    await second.stop()


async def test_a_session_that_another_server_ended_stays_ended(tmp_path: Path) -> None:
    first = make_class(tmp_path)
    of_first = first._services.classroom
    await first.start()
    (ended, ended_cookie), (_, cookie) = (
        of_first.join(of_first.code_and_secret()[1], "10.0.0.8", "") for _ in range(2)
    )
    of_first.save()
    # It was there before the session ended, and takes the class later.
    second = make_class(tmp_path)
    of_second = second._services.classroom
    of_first.end_session(ended.id)
    await first.stop()
    await second.start()
    assert of_second.find_by_cookie(ended_cookie) is None
    left = of_second.find_by_cookie(cookie)
    assert left is not None
    of_second.end_session(left.id)
    await second.stop()
    await first.start()
    assert of_first.members() == []
    await first.stop()


async def test_a_class_that_is_asked_to_start_and_stop_at_once_does_one_after_the_other(
    tmp_path: Path,
) -> None:
    first, second = make_class(tmp_path), make_class(tmp_path)
    listening = first._services.class_listening
    switch_seconds, threads = sys.getswitchinterval(), threadpool_info()
    await asyncio.gather(first.start(), first.start())
    assert listening.listening
    await asyncio.gather(first.stop(), first.start(), first.stop())
    assert not listening.listening
    assert (sys.getswitchinterval(), threadpool_info()) == (switch_seconds, threads)
    await second.start()
    await second.stop()


async def test_a_class_that_fails_as_it_starts_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_class(tmp_path), make_class(tmp_path)
    opened: list[ListeningSocket] = []

    def open_and_keep(host: str, port: int) -> ListeningSocket:
        opened.append(open_listener(host, port))
        return opened[0]

    first._open_listener = open_and_keep
    with monkeypatch.context() as broken:
        broken.setattr(class_server, "create_class_app", None)
        with pytest.raises(TypeError):
            await first.start()
    assert opened[0].fileno() == -1
    await second.start()
    await second.stop()
    monkeypatch.setattr(first, "_open_listener", open_listener)
    await first.start()
    await first.stop()


async def test_a_class_that_finds_no_port_leaves_the_folder_free(tmp_path: Path) -> None:
    first, second = make_class(tmp_path), make_class(tmp_path)

    def none_free(host: str, port: int):
        raise SettingsError("port: none is free")

    first._open_listener = none_free
    with pytest.raises(SettingsError, match="port"):
        await first.start()
    await second.start()
    await second.stop()
