"""The tokens of programs that push runs."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from lamplighter.web.access import pushers
from lamplighter.web.access.pushers import PUSHERS_FOLDER, PusherStore


def test_a_token_is_found_until_it_is_revoked(tmp_path: Path) -> None:
    store = PusherStore(tmp_path)
    pusher, token = store.issue_token("exp-", 60, 3, 10**9)
    assert store.find_pusher(token) == pusher == PusherStore(tmp_path).list_pushers()[0]
    assert pusher.covers("exp-1")
    assert not pusher.covers("other")
    assert not pusher.covers("my-exp-1")
    assert not store.revoke("0" * 16)
    assert store.revoke(pusher.id)
    assert store.find_pusher(token) is None
    assert store.list_pushers() == []


def test_an_expired_token_is_listed_and_not_found(tmp_path: Path) -> None:
    store = PusherStore(tmp_path)
    pusher, token = store.issue_token("exp", -1, 3, 10**9)
    assert store.find_pusher(token) is None
    assert store.list_pushers() == [pusher]


def test_the_file_holds_no_secret_and_is_private(tmp_path: Path) -> None:
    pusher, token = PusherStore(tmp_path).issue_token("exp", 60, 3, 10**9)
    path = tmp_path / PUSHERS_FOLDER / f"{pusher.id}.json"
    secret = token.split("_", 2)[2]
    assert len(secret) == 43  # 256 bits.
    assert secret not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_another_token_is_not_found(tmp_path: Path) -> None:
    store = PusherStore(tmp_path)
    pusher, token = store.issue_token("exp", 60, 3, 10**9)
    last = "b" if token[-1] == "a" else "a"
    secret = token.split("_", 2)[2]
    others = (
        token[:-1],
        token[:-1] + last,
        token + "a",
        f"lamp_{'0' * 16}_{secret}",
        secret,
        "",
        f"../{token}",
        token.upper(),
    )
    assert [store.find_pusher(other) for other in others] == [None] * len(others)
    assert store.find_pusher(token) == pusher


def test_files_that_are_none_of_ours_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = PusherStore(tmp_path)
    pusher, token = store.issue_token("exp", 60, 3, 10**9)
    path = tmp_path / PUSHERS_FOLDER / f"{pusher.id}.json"
    kept = path.read_text()
    for text in (
        "",
        "{}",
        "[]",
        "x" * 5_000,
        kept.replace('"prefix":"exp"', '"prefix":""'),
        kept[:-1] + ',"more":1}',
    ):
        path.write_text(text)
        assert store.find_pusher(token) is None
    (tmp_path / "elsewhere").write_text(kept)
    path.unlink()
    os.symlink(tmp_path / "elsewhere", path)
    assert store.find_pusher(token) is None
    path.unlink()
    path.write_text(kept)
    assert store.find_pusher(token) == pusher
    monkeypatch.setattr(pushers, "is_own", lambda _: False)
    assert store.find_pusher(token) is None


@pytest.mark.parametrize("prefix", ["", "-x", "A", "a/b", "..", "a" * 61, "ä"])
def test_a_prefix_begins_the_id_of_a_run(prefix: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot begin"):
        PusherStore(tmp_path).issue_token(prefix, 60, 1, 1)
