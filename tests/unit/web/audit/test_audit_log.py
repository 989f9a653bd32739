"""The audit log: what it holds, and how little a flood adds to it."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from lamplighter.web.audit.audit_log import AUDIT_FILE, MAX_LINES, MAX_WAITING, AuditLog
from tests.support.waiting import wait_until


def lines_of(folder: Path, name: str = AUDIT_FILE) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]


def written(folder: Path) -> list[dict[str, Any]]:
    return lines_of(folder) if (folder / AUDIT_FILE).exists() else []


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


def test_a_session_has_a_bounded_number_of_lines_and_the_others_keep_theirs(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path)
    for _ in range(300):
        audit.record_change("0123456789abcdef", "assist", 202, run="a-run", kind="pause")
    audit.record_change("token", "delete_run", 204, run="a-run")
    audit.start()
    audit.stop()
    *changes, last = lines_of(tmp_path)
    assert [line["by"] for line in changes] == ["0123456789abcdef"] * MAX_LINES + ["token"]
    assert last["left_out"] == 300 - MAX_LINES


def test_lines_are_written_again_in_the_next_minute(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path, minute=0.05)
    for _ in range(MAX_LINES + 5):
        audit.record_change("token", "send_request", 202)
    audit.start()
    wait_until(lambda: any("left_out" in line for line in written(tmp_path)), "the minute's line")
    audit.record_change("token", "delete_run", 204)
    audit.stop()
    lines = lines_of(tmp_path)
    assert [line["what"] for line in lines if "what" in line] == ["send_request"] * MAX_LINES + ["delete_run"]
    assert [line["left_out"] for line in lines if "left_out" in line] == [5]


def test_ten_thousand_refusals_make_one_line(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path)
    audit.start()
    for number in range(10_000):
        audit.count_refusal(("401", "403", "4403")[number % 3])
    audit.stop()
    (line,) = lines_of(tmp_path)
    assert line["refused"] == {"401": 3_334, "403": 3_333, "4403": 3_333}


def test_a_line_about_refusals_comes_by_itself(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path, minute=0.02)
    audit.start()
    audit.count_refusal("401")
    wait_until(lambda: len(written(tmp_path)) == 1, "a line")
    audit.stop()
    assert [line["refused"] for line in lines_of(tmp_path)] == [{"401": 1}]


def test_ended_connections_are_told_once(tmp_path: Path) -> None:
    ended = {"late_heads": 2, "shed": 0}
    audit = AuditLog(tmp_path, lambda: ended, minute=0.02)
    audit.start()
    wait_until(lambda: len(written(tmp_path)) == 1, "a line")
    ended["late_heads"], ended["shed"] = 2, 4
    wait_until(lambda: len(written(tmp_path)) == 2, "a second line")
    audit.stop()
    assert [line["connections_ended"] for line in lines_of(tmp_path)] == [{"late_heads": 2}, {"shed": 4}]


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


def test_lines_that_a_disk_refuses_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / AUDIT_FILE).mkdir()
    audit = AuditLog(tmp_path)
    for number in range(3):
        audit.record_change("token", "create_run", 201, run=f"run {number}")
    audit.start()
    wait_until(lambda: "cannot be written" in caplog.text, "a warning")
    (tmp_path / AUDIT_FILE).rmdir()
    audit.record_change("token", "delete_run", 204)
    audit.stop()
    assert [line.get("left_out", line.get("what")) for line in lines_of(tmp_path)] == ["delete_run", 3]
    assert str(tmp_path) not in caplog.text


def test_a_thread_that_hangs_blocks_no_request(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path)
    for number in range(5_000):
        audit.record_change(f"session {number % 100}", "create_run", 201)
    audit.start()
    audit.stop()
    *changes, last = lines_of(tmp_path)
    assert (len(changes), last["left_out"]) == (MAX_WAITING, 5_000 - MAX_WAITING)


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
    assert elsewhere.read_text() == ""
