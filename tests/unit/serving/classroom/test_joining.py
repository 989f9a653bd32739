"""Joining: codes and links, limits on wrong ones, the end of sessions, and what a restart keeps."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest

from lamplighter.platform.steady_clock import SteadyClock
from lamplighter.serving.classroom import class_door, viewer_sessions
from lamplighter.serving.classroom.class_door import JoinCode, JoinLimiter, JoinRefusedError
from lamplighter.serving.classroom.classroom import Classroom
from lamplighter.serving.classroom.viewer_sessions import UnopenedError, ViewerSession, ViewerSessions
from tests.support.asgi import Answer, call
from tests.support.classroom.class_apps import (
    CLASS_HOST,
    CLASS_ORIGIN,
    PHONE,
    PUPIL,
    Clock,
    begin_session,
    make_class_apps,
)


def test_a_code_may_be_typed_in_any_form_and_changes_with_time() -> None:
    clock = Clock()
    code = JoinCode(clock)
    typed, secret = code.typed, code.secret
    plain = typed.replace(" ", "")
    assert all(code.is_code(way) for way in (typed, plain, plain.lower(), f" {plain[:2]}-{plain[2:]} "))
    assert not any(code.is_code(way) for way in ("", plain[:-1], plain + plain, secret, "ü" * 6))
    assert code.is_secret(secret)
    assert not code.is_secret(typed)
    clock.now = class_door.LIFETIME
    assert code.typed != typed
    # It was on the wall a moment ago.
    assert code.is_code(typed)
    assert code.is_secret(secret)
    clock.now += class_door.GRACE
    assert not code.is_code(typed)
    assert not code.is_secret(secret)
    shown = code.typed
    code.renew()
    assert not code.is_code(shown)


def test_wrong_codes_are_limited_by_address_and_in_total() -> None:
    clock = Clock()
    limiter = JoinLimiter(clock)
    for _ in range(class_door.ADDRESS_TRIES):
        assert limiter.seconds_to_wait("school") == 0
        limiter.note_wrong("school")
    assert 0 < limiter.seconds_to_wait("school") <= 1
    assert limiter.seconds_to_wait("home") == 0
    clock.now = 2.0
    assert limiter.seconds_to_wait("school") == 0
    for number in range(class_door.ALL_TRIES):
        limiter.note_wrong(f"address {number}")
    assert limiter.seconds_to_wait("another") > 0


def test_a_class_behind_one_address_can_join_by_link_while_a_pupil_guesses(tmp_path: Path) -> None:
    classroom = Classroom(tmp_path, 500)
    typed, secret = classroom.code_and_secret()
    for _ in range(class_door.ADDRESS_TRIES):
        with pytest.raises(JoinRefusedError) as wrong:
            classroom.join("AAAAAA", PUPIL, "")
        assert wrong.value.status == 401
    with pytest.raises(JoinRefusedError) as late:
        classroom.join(typed, PUPIL, "")
    assert (late.value.status, late.value.wait) == (429, 1)
    assert "QR" in str(late.value)
    for number in range(1, 301):
        session, _ = classroom.join(secret, PUPIL, "")
        assert classroom.open_socket(session.id)
        assert session.number == number
    assert classroom.join(typed, "10.0.0.9", "")[0].number == 301


def test_the_closed_door_and_the_size_of_the_class(tmp_path: Path) -> None:
    classroom = Classroom(tmp_path, 2)
    secret = classroom.code_and_secret()[1]
    classroom.door = False
    with pytest.raises(JoinRefusedError, match="door is closed"):
        classroom.join(secret, PUPIL, "")
    with pytest.raises(JoinRefusedError, match="not the code"):
        # A stranger cannot find out whether the door is open.
        classroom.join("guess", PUPIL, "")
    classroom.door = True
    first, second = (classroom.join(secret, PUPIL, "")[0] for _ in range(2))
    late, _ = classroom.join(secret, PUPIL, "")
    # Open pages fill a class, not sessions that have only joined.
    assert all(classroom.open_socket(one.id) for one in (first, second))
    with pytest.raises(JoinRefusedError, match="full") as full:
        classroom.join(secret, PUPIL, "")
    assert full.value.status == 409
    assert not classroom.open_socket(late.id)
    assert classroom.session(late.id) is None
    assert classroom.end_session(first.id)
    assert classroom.join(secret, PUPIL, "")[0].number == 4


class Class:
    """The sessions of a class, with a test clock."""

    def __init__(self, folder: Path, most: int) -> None:
        self.clock = Clock()
        self.sessions = ViewerSessions(most, SteadyClock(lambda: 0.0, self.clock))

    def join(self, address: str = PUPIL) -> ViewerSession:
        return begin_session(self.sessions, "", address)[0]

    def watch(self, seconds: float, address: str = PUPIL) -> ViewerSession:
        """Join, and keep the page open for a while."""
        session = self.join(address)
        assert self.sessions.open_socket(session)
        self.clock.now += seconds
        self.sessions.close_socket(session)
        return session

    def has(self, *sessions: ViewerSession) -> list[bool]:
        return [self.sessions.find(session.id) is not None for session in sessions]


def test_repeated_joins_without_a_page_take_no_place(tmp_path: Path) -> None:
    school = Class(tmp_path, 12)
    locked = [school.watch(60) for _ in range(3)]
    school.sessions.set_role(locked[0], "assistant")
    for second in range(120):
        # Eight joins a second; the admitted ones do not affect other sessions.
        for _ in range(8):
            with suppress(UnopenedError):
                school.join()
        school.clock.now = 1_000.0 + second
    assert school.has(*locked) == [True] * 3
    assert len(school.sessions) <= 3 + viewer_sessions.ADDRESS_SILENT
    pupils = [school.join("10.0.0.9") for _ in range(9)]
    assert all(school.sessions.open_socket(pupil) for pupil in pupils)


def test_an_address_joins_thirty_times_without_a_page_and_the_newest_give_way(tmp_path: Path) -> None:
    school = Class(tmp_path, 500)
    early = school.join("10.0.0.9")
    flood = [school.join() for _ in range(viewer_sessions.ADDRESS_SILENT)]
    with pytest.raises(UnopenedError):
        school.join()
    # An open page behind the same router does not count, nor does one that polls while there is no run.
    assert school.sessions.open_socket(flood[0])
    late, cookie = begin_session(school.sessions, "", PUPIL)
    assert school.sessions.find_by_cookie(cookie) == late
    another = school.join()
    with pytest.raises(UnopenedError):
        school.join()
    school.clock.now += viewer_sessions.SILENT_SECONDS
    assert school.sessions.find_by_cookie(cookie) == late
    school.join()
    assert school.has(early, flood[0], flood[1], late, another) == [True, True, True, True, False]


def test_sessions_without_a_page_of_the_newest_address_end_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer_sessions, "ALL_UNOPENED", 6)
    school = Class(tmp_path, 500)
    old, new = ([school.join(address) for _ in range(2)] for address in ("10.0.0.8", "10.0.0.9"))
    old.append(school.join("10.0.0.8"))
    school.join("10.0.0.7")
    school.clock.now += viewer_sessions.OPENING_SECONDS
    for _ in range(3):
        school.join("10.0.0.6")
    assert (school.has(*old), school.has(*new)) == ([True] * 3, [False] * 2)


def test_polling_sessions_without_a_page_keep_no_other_address_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer_sessions, "ADDRESS_UNOPENED", 4)
    monkeypatch.setattr(viewer_sessions, "ALL_UNOPENED", 6)
    school = Class(tmp_path, 500)
    first, own = begin_session(school.sessions, "", "10.0.0.8")
    cookies = [own]
    for address in ("10.0.0.9", "10.0.0.7"):
        for _ in range(9):
            with suppress(UnopenedError):
                cookies.append(begin_session(school.sessions, "", address)[1])
            for cookie in cookies:
                school.sessions.find_by_cookie(cookie)
        # One address has four, polling or not.
        assert len(school.sessions) == (5 if address == "10.0.0.9" else 6)
    school.clock.now += viewer_sessions.OPENING_SECONDS
    for cookie in cookies:
        school.sessions.find_by_cookie(cookie)
    for _ in range(5):
        pupil = school.join("10.0.0.6")
        with suppress(UnopenedError):
            school.join("10.0.0.9")
        assert school.sessions.open_socket(pupil)
    assert school.has(first) == [True]


def test_in_a_full_class_the_longest_absent_gives_way_and_assistants_last(
    tmp_path: Path,
) -> None:
    school = Class(tmp_path, 4)
    assistant, locked, here = school.watch(120), school.watch(120), school.join()
    school.sessions.set_role(assistant, "assistant")
    assert school.sessions.open_socket(here)
    glimpse = school.watch(0.5)
    with pytest.raises(OverflowError):
        school.join()
    # A page that was open for a moment keeps its place for a moment.
    school.clock.now += 20
    next_one = school.join()
    assert school.sessions.open_socket(next_one)
    assert school.has(assistant, locked, here, glimpse) == [True, True, True, False]
    school.clock.now += 400
    with pytest.raises(OverflowError):
        school.join()
    school.clock.now += 200
    later = [school.join() for _ in range(3)]
    assert school.sessions.open_socket(later[0])
    assert school.has(assistant, locked) == [True, False]
    assert school.sessions.open_socket(later[1])
    assert school.has(assistant) == [False]
    assert not school.sessions.open_socket(later[2])
    assert school.has(here, next_one, *later) == [True, True, True, True, False]


def test_an_assistant_does_five_things_a_second(tmp_path: Path) -> None:
    school = Class(tmp_path, 4)
    one, other = school.join(), school.join()
    assert [school.sessions.may_assist(one) for _ in range(6)] == [True] * 5 + [False]
    assert school.sessions.may_assist(other)
    school.clock.now += 1
    assert school.sessions.may_assist(one)


async def test_an_assistant_who_does_more_is_told_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer_sessions, "ASSISTS_A_SECOND", 0)
    apps = make_class_apps(tmp_path)
    session, cookie = apps.join()
    apps.classroom.set_role(session, "assistant")
    headers = {
        "host": CLASS_HOST,
        "origin": CLASS_ORIGIN,
        "cookie": cookie,
        "content-type": "application/json",
    }
    body = json.dumps({"run": "2026-11-29-a-run-ffffff", "kind": "pause"}).encode()
    answer = await call(apps.watching, "POST", "/api/class/assist", headers, body, peer=PUPIL)
    assert (answer.status, answer.headers["retry-after"]) == (429, "1")


async def test_a_phone_joins_over_http_and_is_told_what_is_wrong(tmp_path: Path) -> None:
    apps = make_class_apps(tmp_path)
    own = {
        "host": CLASS_HOST,
        "origin": CLASS_ORIGIN,
        "content-type": "application/json",
        "user-agent": PHONE,
    }

    async def join(code: str) -> tuple[int, str]:
        answer = await call(
            apps.watching, "POST", "/api/class/join", own, json.dumps({"code": code}).encode(), peer=PUPIL
        )
        return answer.status, answer.cookies[0] if answer.cookies else answer.body.decode()

    status, problem = await join("wrong")
    assert (status, "presenter's screen" in problem) == (401, True)
    assert (await join("x" * 1_000))[0] == 422
    assert (await join("x" * 5_000))[0] == 413
    status, cookie = await join(apps.classroom.code_and_secret()[0])
    assert status == 204
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    with_cookie = {"host": CLASS_HOST, "cookie": cookie.partition(";")[0]}
    session = (await call(apps.watching, "GET", "/api/session", with_cookie, peer=PUPIL)).json
    assert (session["role"], session["classroom"], session["presenter"]) == ("viewer", True, False)
    apps.classroom.end_class()
    session = (await call(apps.watching, "GET", "/api/session", with_cookie, peer=PUPIL)).json
    assert session["role"] == "nobody"


async def test_joins_without_a_page_must_wait(tmp_path: Path) -> None:
    apps = make_class_apps(tmp_path)
    own = {"host": CLASS_HOST, "origin": CLASS_ORIGIN, "content-type": "application/json"}
    body = json.dumps({"code": apps.classroom.code_and_secret()[1]}).encode()

    async def join(peer: str) -> Answer:
        return await call(apps.watching, "POST", "/api/class/join", own, body, peer=peer)

    answers = [await join(PUPIL) for _ in range(viewer_sessions.ADDRESS_SILENT)]
    assert {answer.status for answer in answers} == {204}
    late = await join(PUPIL)
    assert (late.status, late.headers["retry-after"]) == (429, "10")
    assert (await join("192.168.1.78")).status == 204
    # An admitted page polls by itself, and then another may join.
    cookie = answers[0].cookies[0].partition(";")[0]
    assert (await call(apps.watching, "GET", "/", {"host": CLASS_HOST, "cookie": cookie}, peer=PUPIL)).status
    assert [(await join(PUPIL)).status for _ in range(2)] == [204, 429]


async def test_forwarded_headers_count_from_the_named_proxy_only(tmp_path: Path) -> None:
    import ipaddress

    from lamplighter.web.hosts import Origin

    apps = make_class_apps(
        tmp_path, origin=Origin("https", "class.example", 443), trusted=ipaddress.ip_network("172.30.0.2/32")
    )
    forwarded = {
        "host": "class.example",
        "x-forwarded-for": "1.2.3.4, 10.0.0.8",
        "x-forwarded-proto": "https",
    }
    for peer, headers, status in (
        ("172.30.0.2", forwarded, 200),
        ("172.30.0.3", forwarded, 403),
        ("10.0.0.8", {"host": "class.example"}, 403),
        ("172.30.0.2", {**forwarded, "host": "evil.example"}, 403),
    ):
        assert (await call(apps.watching, "GET", "/healthz", headers, peer=peer)).status == status
    # Wrong codes count for the address that the proxy saw, not for a claimed one.
    body = json.dumps({"code": "wrong"}).encode()
    own = {**forwarded, "origin": "https://class.example", "content-type": "application/json"}
    for _ in range(class_door.ADDRESS_TRIES):
        await call(apps.watching, "POST", "/api/class/join", own, body, peer="172.30.0.2")
    other = {**own, "x-forwarded-for": "1.2.3.4, 10.0.0.9"}
    statuses = [
        (await call(apps.watching, "POST", "/api/class/join", headers, body, peer="172.30.0.2")).status
        for headers in (own, {**own, "x-forwarded-for": "9.9.9.9, 10.0.0.8"}, other)
    ]
    assert statuses == [429, 429, 401]
    direct = make_class_apps(tmp_path)
    given = {"host": CLASS_HOST, "x-forwarded-for": "10.0.0.8"}
    assert (await call(direct.watching, "GET", "/healthz", given, peer=PUPIL)).status == 403
