"""Joining: codes and links, how many wrong ones there may be, sessions that end, and what a restart keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lamplighter.serving.classroom import join_code, join_limiter, viewer_sessions
from lamplighter.serving.classroom.classroom import Classroom, JoinRefusedError
from lamplighter.serving.classroom.join_code import JoinCode
from lamplighter.serving.classroom.join_limiter import JoinLimiter
from lamplighter.serving.classroom.viewer_sessions import SESSIONS_FILE
from tests.unit.serving.asgi import call
from tests.unit.serving.classroom.class_apps import CLASS_HOST, CLASS_ORIGIN, PUPIL, make_class_apps

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"
)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_code_is_typed_in_any_way_and_changes_with_the_time() -> None:
    clock = Clock()
    code = JoinCode(clock)
    typed, secret = code.typed, code.secret
    plain = typed.replace(" ", "")
    assert all(code.is_code(way) for way in (typed, plain, plain.lower(), f" {plain[:2]}-{plain[2:]} "))
    assert not any(code.is_code(way) for way in ("", plain[:-1], plain + plain, secret, "ü" * 6))
    assert code.is_secret(secret)
    assert not code.is_secret(typed)
    clock.now = join_code.LIFETIME
    assert code.typed != typed
    # It was on the wall a moment ago.
    assert code.is_code(typed)
    assert code.is_secret(secret)
    clock.now += join_code.GRACE
    assert not code.is_code(typed)
    assert not code.is_secret(secret)
    shown = code.typed
    code.renew()
    assert not code.is_code(shown)


def test_wrong_codes_are_limited_by_address_and_in_all() -> None:
    clock = Clock()
    limiter = JoinLimiter(clock)
    for _ in range(join_limiter.ADDRESS_TRIES):
        assert limiter.seconds_to_wait("school") == 0
        limiter.note_wrong("school")
    assert 0 < limiter.seconds_to_wait("school") <= 1
    assert limiter.seconds_to_wait("home") == 0
    clock.now = 2.0
    assert limiter.seconds_to_wait("school") == 0
    for number in range(join_limiter.ALL_TRIES):
        limiter.note_wrong(f"address {number}")
    assert limiter.seconds_to_wait("another") > 0


def test_a_class_behind_one_address_joins_by_the_link_while_a_pupil_guesses(tmp_path: Path) -> None:
    classroom = Classroom(tmp_path, 500)
    typed, secret = classroom.code_and_secret()
    for _ in range(join_limiter.ADDRESS_TRIES):
        with pytest.raises(JoinRefusedError) as wrong:
            classroom.join("AAAAAA", PUPIL, "")
        assert wrong.value.status == 401
    with pytest.raises(JoinRefusedError) as late:
        classroom.join(typed, PUPIL, "")
    assert (late.value.status, late.value.wait) == (429, 1)
    assert "QR" in str(late.value)
    assert [classroom.join(secret, PUPIL, "")[0].number for _ in range(300)] == list(range(1, 301))
    assert classroom.join(typed, "10.0.0.9", "")[0].number == 301


def test_the_door_and_the_size_of_the_class(tmp_path: Path) -> None:
    classroom = Classroom(tmp_path, 2)
    secret = classroom.code_and_secret()[1]
    classroom.door = False
    with pytest.raises(JoinRefusedError, match="door is closed"):
        classroom.join(secret, PUPIL, "")
    with pytest.raises(JoinRefusedError, match="not the code"):
        # A stranger does not learn whether the door is open.
        classroom.join("guess", PUPIL, "")
    classroom.door = True
    first, _ = classroom.join(secret, PUPIL, "")
    classroom.join(secret, PUPIL, "")
    with pytest.raises(JoinRefusedError, match="full"):
        classroom.join(secret, PUPIL, "")
    assert classroom.end_session(first.id)
    assert classroom.join(secret, PUPIL, "")[0].number == 3


def test_in_a_full_class_the_place_of_somebody_who_has_gone_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classroom = Classroom(tmp_path, 3)
    secret = classroom.code_and_secret()[1]
    here, gone, late = (classroom.join(secret, PUPIL, "")[0] for _ in range(3))
    # All three may still be opening their page.
    with pytest.raises(JoinRefusedError, match="full"):
        classroom.join(secret, PUPIL, "", {here.id})
    now = viewer_sessions.time.time()
    monkeypatch.setattr(viewer_sessions.time, "time", lambda: now + 61)
    new, _ = classroom.join(secret, PUPIL, "", {here.id, late.id})
    assert [member.id for member in classroom.members()] == [here.id, late.id, new.id]
    assert classroom.session(gone.id) is None
    with pytest.raises(JoinRefusedError, match="full"):
        classroom.join(secret, PUPIL, "", {here.id, late.id, new.id})


def test_a_class_survives_a_restart_and_its_file_holds_no_secret(tmp_path: Path) -> None:
    classroom = Classroom(tmp_path, 500)
    secret = classroom.code_and_secret()[1]
    found = [classroom.join(secret, PUPIL, PHONE) for _ in range(3)]
    classroom.set_role(found[0][0].id, "assistant")
    classroom.end_session(found[1][0].id)
    classroom.save()
    path = tmp_path / SESSIONS_FILE
    assert path.stat().st_mode & 0o077 == 0
    text = path.read_text()
    assert not any(cookie in text for _, cookie in found)
    assert secret not in text
    assert PUPIL not in text
    again = Classroom(tmp_path, 500)
    assert [(m.number, m.role, m.browser) for m in again.members()] == [
        (1, "assistant", "Safari on iPhone"),
        (3, "viewer", "Safari on iPhone"),
    ]
    assert again.find_by_cookie(found[0][1]) == again.members()[0]
    assert again.find_by_cookie(found[1][1]) is None
    again.end_class()
    again.save()
    assert Classroom(tmp_path, 500).members() == []


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "[{}]", '[{"id": 1}]', "null", json.dumps([{"id": "x"}] * 3), "[" * 100_000]
)
def test_a_damaged_file_begins_a_new_class(tmp_path: Path, text: str) -> None:
    (tmp_path / SESSIONS_FILE).write_text(text)
    assert Classroom(tmp_path, 500).members() == []


@pytest.mark.anyio
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


@pytest.mark.anyio
async def test_forwarded_headers_count_from_the_named_proxy_only(tmp_path: Path) -> None:
    import ipaddress

    from lamplighter.serving.hosts import Origin

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
    # Wrong codes count for the address that the proxy saw, not for the one that somebody claims.
    body = json.dumps({"code": "wrong"}).encode()
    own = {**forwarded, "origin": "https://class.example", "content-type": "application/json"}
    for _ in range(join_limiter.ADDRESS_TRIES):
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
