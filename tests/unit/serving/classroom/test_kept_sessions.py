"""Class sessions that outlive their server: what a restart keeps, what a file holds, and clock changes.

Requests for a withheld text: the disk access of each uses the viewer's turns, like all its requests.
"""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from threading import Thread

import pytest

from lamplighter.platform.steady_clock import SteadyClock
from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.classroom import classroom as classroom_module
from lamplighter.serving.classroom.class_file import CLASS_FILE, StoredClass, read_class, write_class
from lamplighter.serving.classroom.classroom import Classroom
from lamplighter.serving.classroom.viewer_sessions import ViewerSessions
from lamplighter.web.capacity.caller import Caller
from lamplighter.web.capacity.thread_pools import Pool
from tests.support.classroom.class_apps import CLASS_HOST, PHONE, PUPIL, Clock, begin_session, make_class_apps
from tests.support.folders import FakeTrainer, make_run


def restore(folder: Path) -> Classroom:
    """Return a class restored from a previous server's."""
    classroom = Classroom(folder, 500)
    classroom.restore()
    return classroom


def test_a_class_survives_a_restart_and_its_file_holds_no_secret(tmp_path: Path) -> None:
    classroom = Classroom(tmp_path, 500)
    secret = classroom.code_and_secret()[1]
    found = [classroom.join(secret, PUPIL, PHONE) for _ in range(3)]
    classroom.set_role(found[0][0].id, "assistant")
    classroom.end_session(found[1][0].id)
    classroom.save()
    path = tmp_path / CLASS_FILE
    assert path.stat().st_mode & 0o077 == 0
    text = path.read_text()
    assert not any(cookie in text for _, cookie in found)
    assert secret not in text
    assert PUPIL not in text
    again = restore(tmp_path)
    assert [(m.number, m.role, m.browser) for m in again.members()] == [
        (1, "assistant", "Safari on iPhone"),
        (3, "viewer", "Safari on iPhone"),
    ]
    assert again.find_by_cookie(found[0][1]) == again.members()[0]
    assert again.find_by_cookie(found[1][1]) is None
    again.end_class()
    again.save()
    assert restore(tmp_path).members() == []


def test_requests_do_not_wait_while_the_sessions_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classroom = Classroom(tmp_path, 500)
    session, _ = classroom.join(classroom.code_and_secret()[1], PUPIL, PHONE)
    ended: list[bool] = []

    def write(folder: Path, stored: StoredClass, clock: SteadyClock) -> None:
        request = Thread(target=lambda: classroom.end_session(session.id), daemon=True)
        request.start()
        request.join(10)
        ended.append(not request.is_alive())
        write_class(folder, stored, clock)

    monkeypatch.setattr(classroom_module, "write_class", write)
    classroom.save()
    assert ended == [True]
    # A change during the call is written by the next one.
    classroom.save()
    assert json.loads((tmp_path / CLASS_FILE).read_text())["sessions"] == []


def test_sessions_that_could_not_be_written_are_written_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    classroom = Classroom(tmp_path, 500)
    session, _ = classroom.join(classroom.code_and_secret()[1], PUPIL, PHONE)
    path = tmp_path / CLASS_FILE
    path.mkdir()
    for _ in range(3):
        classroom.save()
    assert len(caplog.records) == 1
    path.rmdir()
    classroom.save()
    assert json.loads(path.read_text())["sessions"][0]["id"] == session.id
    assert list(tmp_path.iterdir()) == [path]


def test_unsaved_sessions_take_precedence_over_the_file(tmp_path: Path) -> None:
    classroom = Classroom(tmp_path, 500)
    session, cookie = classroom.join(classroom.code_and_secret()[1], PUPIL, PHONE)
    classroom.save()
    classroom.end_session(session.id)
    classroom.restore()
    assert classroom.find_by_cookie(cookie) is None


HOUR = 3600.0


@pytest.mark.parametrize("jump", [12 * HOUR, -12 * HOUR])
def test_a_clock_change_ends_no_session(tmp_path: Path, jump: float) -> None:
    wall, uptime = Clock(), Clock()
    wall.now, uptime.now = 1.8e9, 5_000.0
    sessions = ViewerSessions(500, SteadyClock(wall, uptime, "boot"))
    _, cookie = begin_session(sessions, PHONE, PUPIL)
    wall.now += jump
    assert sessions.find_by_cookie(cookie)
    _, later = begin_session(sessions, PHONE, PUPIL)
    assert len(sessions) == 2
    write_class(tmp_path, StoredClass(sessions=list(sessions)), sessions.clock)
    # Nor does a restart of the server an hour later.
    uptime.now += HOUR
    wall.now += HOUR
    again = ViewerSessions(500, SteadyClock(wall, uptime, "boot"))
    stored = read_class(tmp_path, again.clock)
    assert stored is not None
    again.replace_sessions(stored.sessions)
    assert again.find_by_cookie(cookie)
    assert again.find_by_cookie(later)
    assert {wall.now - session.joined for session in again} == {HOUR}
    uptime.now += 11 * HOUR - 1
    assert again.find_by_cookie(cookie)
    uptime.now += 1
    assert not again.find_by_cookie(cookie)


@pytest.mark.parametrize(("hours", "kept"), [(11, True), (13, False), (-5, True)])
def test_after_a_reboot_the_clock_gives_the_age_of_a_session(
    tmp_path: Path, hours: float, kept: bool
) -> None:
    wall, uptime = Clock(), Clock()
    wall.now, uptime.now = 1.8e9, 60.0
    sessions = ViewerSessions(500, SteadyClock(wall, uptime, "first"))
    _, cookie = begin_session(sessions, PHONE, PUPIL)
    write_class(tmp_path, StoredClass(sessions=list(sessions)), sessions.clock)
    # It has been up for longer than when the file was written.
    wall.now, uptime.now = wall.now + hours * HOUR, 120.0
    again = ViewerSessions(500, SteadyClock(wall, uptime, "second"))
    stored = read_class(tmp_path, again.clock)
    again.replace_sessions([] if stored is None else stored.sessions)
    assert (again.find_by_cookie(cookie) is not None) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        "[{}]",
        '[{"id": 1}]',
        "null",
        json.dumps([{"id": "x"}] * 3),
        "[" * 100_000,
        '{"saved": 1, "uptime": 1}',
        '{"saved": 1, "uptime": null, "sessions": []}',
        '{"saved": 1, "uptime": 1, "boot": [], "sessions": [{"id": 1}]}',
        '{"saved": 1, "uptime": 1, "boot": null, "sessions": 3}',
    ],
)
def test_a_damaged_file_starts_a_new_class(tmp_path: Path, text: str) -> None:
    (tmp_path / CLASS_FILE).write_text(text)
    assert restore(tmp_path).members() == []


async def test_a_refusal_waits_only_for_its_own_viewers_turn(tmp_path: Path) -> None:
    apps = make_class_apps(tmp_path)
    run = FakeTrainer(make_run(RunStore(tmp_path))).begin().train(2).run
    apps.classroom.give_text(run, False)
    session, greedy = apps.join()
    _, other = apps.join()
    go_on = threading.Event()

    async def ask(cookie: str) -> int:
        headers = [(b"host", CLASS_HOST.encode()), (b"cookie", cookie.encode())]
        return (await apps.gate.admit("http", "GET", f"/api/runs/{run.id}/lines", headers, PUPIL)).status

    def block() -> bool:
        return go_on.wait(20)

    async with asyncio.timeout(20):
        pools, caller = apps.services.pools, Caller(session=session)
        works = [asyncio.create_task(pools.run_in(Pool.PAGE, block, caller=caller)) for _ in range(2)]
        await asyncio.sleep(0)
        asked = [asyncio.create_task(ask(greedy)) for _ in range(48)]
        while pools.waiting(Pool.PAGE, caller) < 48:  # noqa: ASYNC110  (they come in by themselves)
            await asyncio.sleep(0)
        assert await ask(greedy) == 429
        assert await ask(other) == 403
        go_on.set()
        assert set(await asyncio.gather(*asked)) == {403}
        assert all(await asyncio.gather(*works))
