"""Runs that are pushed: each fragment counts once, and a token writes its own runs within its limits."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import shutil
import threading
from pathlib import Path

import apsw
import pytest
from fastapi import FastAPI

from lamplighter.runfolder.fragments.fragment import (
    IDENTITY_HEADER,
    KEY_HEADER,
    Fragment,
    keep_identity,
    make_fragment,
    make_opening,
)
from lamplighter.runfolder.fragments.fragment_source import FragmentSource
from lamplighter.runfolder.fragments.received_run import ReceivedRun
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.serving.jobs import push_limits
from lamplighter.serving.routes import push
from lamplighter.serving.services import Services
from lamplighter.web.access.credentials import PusherStore
from lamplighter.web.capacity.caller import Caller
from lamplighter.web.capacity.thread_pools import Pool, ThreadPools
from lamplighter.web.http.problems import RefusedError
from tests.support.asgi import HOST, Answer, call
from tests.support.synthetic_runs.growing_run import GrowingRun
from tests.support.synthetic_runs.received import require_equal_records
from tests.support.waiting import wait_until


class Sender:
    """A pusher with a token, of a run elsewhere."""

    def __init__(self, app: FastAPI, there: Path, prefix: str = "2", **limits: int) -> None:
        self.app, self.run = app, GrowingRun(there)
        self.services: Services = app.state.services
        self.run.grow(3)
        limits = {"most_runs": 10, "bytes_a_day": 10**9} | limits
        self.store = PusherStore(app.state.services.settings.runs)
        self.pusher, token = self.store.issue_token(prefix, 60, limits["most_runs"], limits["bytes_a_day"])
        self.headers = {"host": HOST, "authorization": f"Bearer {token}"}
        self.opening = make_opening(self.run.folder)
        self.key = getattr(keep_identity(self.run.folder), "key", "")
        self.source = FragmentSource(self.run.folder)
        self.here = app.state.services.catalog.run_store.path / self.run.folder.id

    def next(self) -> Fragment:
        found = self.source.make_next()
        assert found is not None
        self.source.advance()
        return found

    async def put(
        self, fragment: Fragment, run: str = "", name: str = "", without: str = "", **headers: str
    ) -> Answer:
        digest = base64.b64encode(hashlib.sha256(fragment.data).digest()).decode()
        given = self.headers | {
            "content-digest": f"sha-256=:{digest}:",
            "content-length": str(len(fragment.data)),
            KEY_HEADER.lower(): self.key,
        }
        path = f"/api/push/{run or self.run.folder.id}/fragments/{name or fragment.file_name}"
        given = {name: value for name, value in (given | headers).items() if name != without}
        return await call(self.app, "PUT", path, given, fragment.data)

    async def position(self) -> Answer:
        return await call(self.app, "GET", f"/api/push/{self.run.folder.id}", self.headers)

    async def close(self) -> None:
        await self.app.state.services.received_runs.stop()
        self.run.end()


async def test_every_fragment_counts_once(app: FastAPI, tmp_path: Path) -> None:
    sender = Sender(app, tmp_path / "there")
    assert (await sender.position()).status == 404
    first = sender.next()
    assert (await sender.put(first)).status == 409  # Its opening is missing.
    assert (await sender.put(sender.opening)).status == 201
    assert (await sender.put(sender.opening)).status == 200
    assert (await sender.position()).json == {"attempt": 0, "step": 0, "event": 0, "applied": 0, "made": 0}
    for status in (201, 200, 200):
        answer = await sender.put(first)
        assert answer.status == status
        assert answer.json["step"] == 3
    sender.run.grow(2)
    second = sender.next()
    sender.run.grow(2)
    third = sender.next()
    gap = await sender.put(third)
    assert gap.status == 409
    assert "missing" in gap.json["detail"]
    assert (await sender.put(second)).status == (await sender.put(third)).status == 201
    assert (await sender.position()).json["step"] == 7
    sender.run.end()
    assert (await sender.put(sender.next())).status == 201
    require_equal_records(sender.run.folder, app.state.services.catalog.find_run(sender.run.folder.id))


async def test_the_audit_log_says_who_began_a_run(app: FastAPI, tmp_path: Path) -> None:
    lines: list[tuple[str, dict[str, object]]] = []
    app.state.services.audit.record_change = lambda by, what, result, **facts: lines.append((by, facts))
    sender = Sender(app, tmp_path / "there")
    for fragment in (sender.opening, sender.opening, sender.next()):
        await sender.put(fragment)
    assert lines == [(sender.pusher.id, {"run": sender.run.folder.id, "kind": "opening"})]
    await sender.close()


async def test_other_content_is_a_conflict(app: FastAPI, tmp_path: Path) -> None:
    sender, other = Sender(app, tmp_path / "there"), Sender(app, tmp_path / "elsewhere")
    await sender.put(sender.opening)
    await sender.put(sender.next())
    foreign = other.next()
    body, header = foreign.unpack(), foreign.header
    same_steps = make_fragment(
        sender.run.folder.id,
        "steps",
        body,
        (header.attempt, header.first, header.last),
        header.after,
        header.to,
    )
    answer = await sender.put(same_steps)
    assert answer.status == 409
    assert "other content" in answer.json["detail"]
    await sender.close()
    other.run.end()


async def test_damage_on_the_way_and_wrong_names_are_refused(app: FastAPI, tmp_path: Path) -> None:
    sender = Sender(app, tmp_path / "there")
    await sender.put(sender.opening)
    fragment = sender.next()
    for headers in (
        {"content-digest": "sha-256=:AAAA:"},
        {"content-digest": "md5=:x:"},
        {"content-length": ""},
        {"content-length": f"{'0' * 20}{len(fragment.data)}"},
    ):
        assert (await sender.put(fragment, **headers)).status == 422
    assert (await sender.put(fragment, name=f"1-0-3-{'0' * 16}.frag")).status == 422
    assert (await sender.put(fragment, name="..%2F..%2Fx.frag")).status in (404, 422)
    assert (
        await sender.put(Fragment(fragment.header, b"no fragment"), name=fragment.file_name)
    ).status == 422
    assert (await sender.put(fragment, run="2-another-run")).status in (409, 422)
    assert (await sender.put(fragment)).status == 201
    await sender.close()


async def test_a_token_writes_no_run_that_is_not_its_own(app: FastAPI, tmp_path: Path) -> None:
    sender = Sender(app, tmp_path / "there")
    own = GrowingRun(app.state.services.settings.runs)
    own.end()
    own.folder.path.rename(sender.here)
    before = sorted(path.stat().st_mtime_ns for path in sender.here.iterdir())
    assert (await sender.put(sender.opening)).status == 409
    assert (await sender.put(sender.next())).status == 409
    assert (await sender.position()).status == 409
    assert sorted(path.stat().st_mtime_ns for path in sender.here.iterdir()) == before
    stranger = Sender(app, tmp_path / "elsewhere", prefix="other")
    assert (await stranger.put(stranger.opening)).status == 403
    assert (await stranger.position()).status == 403
    assert not stranger.here.exists()
    # The same name space under a new token goes on.
    sender.here.rename(tmp_path / "away")
    assert (await sender.put(sender.opening)).status == 201
    sender.store.revoke(sender.pusher.id)
    assert (await sender.put(sender.opening)).status == 401
    _, token = sender.store.issue_token("2", 60, 10, 10**9)
    sender.headers["authorization"] = f"Bearer {token}"
    assert (await sender.put(sender.opening)).status == 200
    await sender.close()
    stranger.run.end()


async def test_limits(app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sender, another = Sender(app, tmp_path / "there", most_runs=1), Sender(app, tmp_path / "elsewhere")
    third, _ = sender.store.issue_token("2", 60, 10, 10**9)
    held = sender.services.push_limits.receiving
    another.headers = sender.headers
    assert (await sender.put(sender.opening)).status == 201
    too_many = await another.put(another.opening)
    assert too_many.status == 413
    assert "1 runs" in too_many.json["detail"]

    fragment = sender.next()
    with monkeypatch.context() as full:
        full.setattr(push, "spare_bytes", lambda _: 1)
        assert (await sender.put(fragment)).status == 507
    with monkeypatch.context() as small:
        small.setattr(push_limits, "MAX_FRAGMENT_REQUEST", 10)
        assert (await sender.put(fragment)).status == 413
    with monkeypatch.context() as small:
        small.setattr(push, "MAX_RUN_BYTES", 10)
        assert (await sender.put(fragment)).status == 413
    with monkeypatch.context() as taken:
        taken.setattr(push_limits, "_MAX_BODIES", 3 * fragment.header.bytes)
        with held(another.pusher, "2-x", str(fragment.header.bytes * 3 // 2)):
            with held(sender.pusher, "2-y", str(fragment.header.bytes)):
                # It has half of the room for itself, and there is no more: what counts is the unpacked body.
                assert (await sender.put(fragment)).status == 429
            with pytest.raises(RefusedError, match="at a time"), held(another.pusher, "2-z", "1"):
                pass
        taken.setattr(push_limits, "_MAX_BODIES", 2 * fragment.header.bytes)
        with held(another.pusher, "2-x", str(fragment.header.bytes - 1)), held(third, "2-y", "100"):
            busy = await sender.put(fragment)
        assert (busy.status, busy.headers["retry-after"]) == (503, "2")
    await app.state.services.received_runs.stop()
    with RoleLock(sender.here, "trainer"):
        assert (await sender.put(fragment)).status == 503
    for _ in range(200):
        answer = await sender.position()
        if answer.status == 429:
            break
    assert (answer.status, answer.headers["retry-after"]) == (429, "1")
    sender.run.end()
    another.run.end()


async def test_bytes_a_day(app: FastAPI, tmp_path: Path) -> None:
    sender = Sender(app, tmp_path / "there", bytes_a_day=4_000)
    assert len(sender.opening.data) < 4_000 < sender.opening.header.bytes
    assert (await sender.put(sender.opening)).status == 201
    answer = await sender.put(sender.next())
    assert answer.status == 429
    assert 1 < int(answer.headers["retry-after"]) <= 3_600
    await sender.close()


async def test_the_presenter_changes_things_while_fragments_are_checked(
    app: FastAPI, tmp_path: Path, bearer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sender, another = Sender(app, tmp_path / "there"), Sender(app, tmp_path / "elsewhere")
    go_on, at_work = threading.Event(), threading.Semaphore(0)
    pools: ThreadPools = app.state.services.pools

    def check_slowly(*_: object) -> bool:
        at_work.release()
        assert go_on.wait(20)
        return False

    monkeypatch.setattr(app.state.services.received_runs, "take_over", check_slowly)
    async with asyncio.timeout(20):
        sent = [asyncio.create_task(sender.put(sender.opening, run=f"2-{number}")) for number in range(6)]
        # A pusher has one thread, and another pusher the other.
        sent.append(asyncio.create_task(another.put(another.opening)))
        for _ in range(2):
            assert await asyncio.to_thread(at_work.acquire)
        caller = Caller(address=f"pusher {sender.pusher.id}")
        await asyncio.to_thread(wait_until, lambda: pools.waiting(Pool.PUSH, caller) == 5)
        assert (await call(app, "POST", "/api/launches", bearer)).status == 201
        go_on.set()
        await asyncio.gather(*sent)
    await sender.close()
    another.run.end()


async def test_a_run_whose_folder_was_moved_away_arrives_again(
    app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_over_elsewhere(*_: object) -> None:
        raise apsw.ReadOnlyError("attempt to write a readonly database")

    sender = Sender(app, tmp_path / "there")
    await sender.put(sender.opening)
    first = sender.next()
    assert (await sender.put(first)).json["step"] == 3
    sender.here.rename(tmp_path / "away")
    assert (await sender.position()).status == 404
    sender.run.grow(2)
    second = sender.next()
    assert (await sender.put(second)).status == 409
    assert (await sender.put(sender.opening)).json["step"] == 0
    assert [(await sender.put(one)).status for one in (second, first, second)] == [409, 201, 201]
    # Another folder in its place.
    sender.here.rename(tmp_path / "away-2")
    shutil.copytree(tmp_path / "away", sender.here)
    (sender.here / "trainer.lock").unlink()
    assert (await sender.position()).json["step"] == 3
    # Its record alone.
    (sender.here / "steps.sqlite").rename(tmp_path / "steps.sqlite")
    assert (await sender.position()).json["step"] == 0
    sender.run.end()
    with monkeypatch.context() as moving:
        moving.setattr(ReceivedRun, "take_over", take_over_elsewhere)
        moved = await sender.put(first)
        assert (moved.status, moved.headers["retry-after"]) == (503, "1")
    assert [(await sender.put(one)).status for one in (first, second, sender.next())] == [201, 201, 201]
    require_equal_records(sender.run.folder, app.state.services.catalog.find_run(sender.run.folder.id))


async def test_a_run_takes_the_steps_of_its_own_pusher_alone(app: FastAPI, tmp_path: Path) -> None:
    sender, other = Sender(app, tmp_path / "there"), Sender(app, tmp_path / "elsewhere")
    name = sender.run.folder.id
    assert (await sender.put(sender.opening)).status == 201
    identity = hashlib.sha256(sender.key.encode()).hexdigest()
    assert (await sender.position()).headers[IDENTITY_HEADER.lower()] == identity
    first, same_name = sender.next(), make_opening(other.run.folder, name)
    foreign = FragmentSource(other.run.folder, name=name).make_next()
    assert foreign is not None
    renamed = make_fragment(name, "opening", sender.opening.unpack().replace(b'"name": "', b'"name": "A '))
    for refused in (
        await other.put(same_name, run=name),
        await other.put(foreign, run=name),
        await other.put(first, run=name),
        await sender.put(first, **{KEY_HEADER.lower(): identity[:32]}),
        await sender.put(renamed),
    ):
        assert (refused.status, refused.json["code"]) == (409, "push_name_taken")
    assert (await sender.put(sender.opening)).status == 200
    assert (await sender.put(first)).json["step"] == 3
    assert (await sender.put(first, without=KEY_HEADER.lower())).status == 409
    assert (await sender.put(first, **{KEY_HEADER.lower(): "x"})).status == 422
    await sender.close()
    other.run.end()


async def test_a_run_of_an_earlier_version_goes_on(app: FastAPI, tmp_path: Path) -> None:
    sender = Sender(app, tmp_path / "there")
    await sender.put(sender.opening)
    first, origin = sender.next(), sender.here / "received.json"
    origin.write_text(json.dumps({"origin": json.loads(origin.read_text())["origin"]}))
    assert IDENTITY_HEADER.lower() not in (await sender.position()).headers
    assert (await sender.put(first)).status == 201
    sender.run.grow(1)
    assert (await sender.put(sender.next(), without=KEY_HEADER.lower())).status == 201
    await sender.close()


async def test_a_run_in_the_trash_does_not_come_back(
    app: FastAPI, tmp_path: Path, bearer: dict[str, str]
) -> None:
    sender, other = Sender(app, tmp_path / "there"), Sender(app, tmp_path / "elsewhere")
    await sender.put(sender.opening)
    busy = await call(app, "DELETE", f"/api/runs/{sender.run.folder.id}", bearer)
    assert (busy.status, busy.json["code"]) == (409, "run_arrives")
    await app.state.services.received_runs.stop()
    assert (await call(app, "DELETE", f"/api/runs/{sender.run.folder.id}", bearer)).status == 204
    assert (await sender.put(sender.next())).status == 409
    gone = await sender.put(sender.opening)
    assert (gone.status, sender.here.exists()) == (410, False)
    assert "trash" in gone.json["detail"]
    # Another of that name may come.
    opening = make_opening(other.run.folder, sender.run.folder.id)
    assert (await other.put(opening, run=sender.run.folder.id)).status == 201
    await sender.close()
    other.run.end()
