"""The audit log: what is in it, what never is, and how little a flood of refusals makes of it."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from lamplighter.serving.metrics import audit_log
from lamplighter.serving.metrics.audit_log import AUDIT_FILE, AuditLog
from lamplighter.serving.metrics.refusal_tally import RefusalTally, shorten_address


def lines_of(folder: Path, name: str = AUDIT_FILE) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]


def test_each_change_is_a_line(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path)
    audit.start()
    audit.record_change("token", "send_request", 202, run="a-run", kind="pause")
    audit.record_change("0123456789abcdef", "delete_run", 204, run="a-run", kind=None)
    audit.stop()
    first, second = lines_of(tmp_path)
    assert first.pop("time").endswith("Z")
    assert first == {"by": "token", "what": "send_request", "run": "a-run", "kind": "pause", "result": 202}
    assert second["by"] == "0123456789abcdef"
    assert "kind" not in second
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / AUDIT_FILE).stat().st_mode) == 0o600
    assert (audit.written, audit.lost) == (2, 0)


def test_a_change_made_again_and_again_is_told_once_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [f"2026-11-29T10:00:0{number}Z" for number in range(2)]
    audit = AuditLog(tmp_path)
    audit.start()
    for second in seconds:
        monkeypatch.setattr(audit_log, "_now", lambda second=second: second)
        for _ in range(300):
            audit.record_change("0123456789abcdef", "assist", 202, run="a-run", kind="pause")
        audit.record_change("0123456789abcdef", "assist", 202, run="a-run", kind="resume")
    audit.stop()
    lines = lines_of(tmp_path)
    told = {(line["time"], line["kind"], line.get("times", 0)) for line in lines}
    assert told == {
        (second, *what) for second in seconds for what in (("pause", 0), ("pause", 299), ("resume", 0))
    }
    assert len(lines) == 6


def test_what_was_made_again_is_written_though_nothing_else_happens(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path)
    audit.start()
    for _ in range(3):
        audit.record_change("token", "send_request", 202)
    deadline = time.monotonic() + 10
    while audit.written < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    # Three, in one second or about its end.
    assert sum(line.get("times", 1) for line in lines_of(tmp_path)) == 3
    audit.stop()


def test_ten_thousand_refusals_make_less_than_a_kilobyte(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path)
    audit.start()
    for number in range(10_000):
        audit.count_refusal(
            ("401", "403", "4403")[number % 3], f"10.{number % 200}.{number // 200}.{number % 7}"
        )
    audit.stop()
    assert (tmp_path / AUDIT_FILE).stat().st_size < 1_000
    (line,) = lines_of(tmp_path)
    assert line["refused"] == {"401": 3_334, "403": 3_333, "4403": 3_333}
    assert sum(line["from"].values()) == 10_000
    assert all(network == "others" or network.endswith(".0/24") for network in line["from"])


def test_a_line_about_refusals_comes_by_itself(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path, tally=RefusalTally(first=0.02, longest=0.02))
    audit.start()
    audit.count_refusal("401", "127.0.0.1")
    deadline = time.monotonic() + 10
    while not audit.written and time.monotonic() < deadline:
        time.sleep(0.005)
    audit.stop()
    assert [line["refused"] for line in lines_of(tmp_path)] == [{"401": 1}]


def test_while_refusals_go_on_lines_become_rarer() -> None:
    tally = RefusalTally()
    now, at = 0.0, list[float]()
    while now < 86_400:
        tally.add("401", "192.0.2.9", now)
        if tally.is_due(now):
            at.append(now)
            tally.report(now)
        now += 1.0
    assert at[:3] == [60.0, 181.0, 422.0]
    assert len(at) < 32
    quiet = RefusalTally()
    quiet.add("401", None, 0.0)
    quiet.report(60.0)
    quiet.add("401", None, 500.0)
    assert quiet.seconds_left(500.0) == 60.0


def test_the_log_is_bounded(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path, max_bytes=2_000)
    for _ in range(20):
        audit = AuditLog(tmp_path, max_bytes=2_000)
        audit.start()
        for number in range(10):
            audit.record_change("token", "create_run", 201, run=f"run-{number}")
        audit.stop()
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert set(sizes) == {AUDIT_FILE, f"{AUDIT_FILE}.1"}
    assert all(0 < size <= 2_000 for size in sizes.values())
    assert len(lines_of(tmp_path, f"{AUDIT_FILE}.1")) > 5


def test_a_disk_that_takes_nothing_fails_nobody_and_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / AUDIT_FILE).mkdir()
    audit = AuditLog(tmp_path)
    audit.start()
    for number in range(3):
        audit.record_change("token", "create_run", 201, run=f"run {number}")
    audit.stop()
    assert (audit.written, audit.lost) == (0, 3)
    assert str(tmp_path) not in caplog.text


def test_a_thread_that_hangs_holds_up_nobody(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path)
    for number in range(5_000):
        audit.record_change("token", "create_run", 201, run=f"run {number}")
    assert audit.lost == 4_000


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="this system cannot refuse a link")
def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / AUDIT_FILE).symlink_to(elsewhere)
    audit = AuditLog(tmp_path / "runs")
    audit.start()
    audit.record_change("token", "create_run", 201)
    audit.stop()
    assert (elsewhere.read_text(), audit.lost) == ("", 1)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("no address", "unknown"),
        (None, "unknown"),
    ],
)
def test_addresses_are_shortened(address: str | None, network: str) -> None:
    assert shorten_address(address) == network
