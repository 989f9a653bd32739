"""Import jobs: one at a time, bounded, cancelled in each state, and nothing is left of one that fails.

Uploaded texts: the newest few are kept, independently of the clock, and none that is too large.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.jobs import imports
from lamplighter.serving.jobs.imports import ImportJobs
from lamplighter.serving.jobs.uploads import MAX_UPLOADS, Uploads
from lamplighter.web.http.problems import RefusedError
from tests.support.uploads import store_text
from tests.support.waiting import wait_until

ZIP = b"PK\3\4" + bytes(96)
ID, OTHER = "0" * 8 + "-0000-0000-0000-" + "0" * 12, "1" * 8 + "-0000-0000-0000-" + "0" * 12
ENDLESS = "print('{\"share\": 0.25}', flush=True); time.sleep(60)"
LIES = 'print(\'{"share": 1, "what": "../../etc"}\', flush=True)'
FAILS = 'print(\'{"problem": "the lamp oil is out"}\', flush=True); sys.exit(4)'


def jobs_doing(folder: Path, code: str) -> ImportJobs:
    """Return jobs that run this code instead of an import."""
    return ImportJobs(
        RunStore(folder), lambda runs, zip_path: [sys.executable, "-c", f"import sys, time\n{code}"]
    )


async def pieces(*parts: bytes | Callable[[], object]) -> AsyncIterator[bytes]:
    for part in parts:
        if callable(part):
            await asyncio.to_thread(part)
        else:
            yield part


def receive(jobs: ImportJobs, *parts: bytes | Callable[[], object], size: int | None = None):
    return asyncio.run(jobs.receive(ID, pieces(*parts), size))


def refusal(
    jobs: ImportJobs, *parts: bytes | Callable[[], object], size: int | None = None
) -> tuple[int, str]:
    with pytest.raises(RefusedError) as refused:
        receive(jobs, *parts, size=size)
    return refused.value.status, refused.value.detail


@pytest.mark.parametrize(
    ("parts", "size", "status", "says"),
    [
        ((b"PK\5\6", bytes(100)), None, 422, "lamplighter export RUN --to zip"),
        ((b"P", b"K\1\2"), None, 422, "not a zip"),
        ((), None, 422, "not a zip"),
        ((ZIP,), 17_000_000_000, 413, "at most 16 GB"),
        ((ZIP, ZIP), None, 413, "at most"),
    ],
)
def test_a_file_that_cannot_be_a_run_is_refused_at_once(
    tmp_path: Path,
    parts: tuple[bytes, ...],
    size: int | None,
    status: int,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if status == 413 and size is None:
        monkeypatch.setattr(imports, "MAX_ZIP_BYTES", 150)
    jobs = jobs_doing(tmp_path, ENDLESS)
    got, detail = refusal(jobs, *parts, size=size)
    assert got == status
    assert says in detail
    assert (jobs.find_job(ID).state, jobs.find_job(ID).problem) == ("failed", detail)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_is_said_before_and_while_a_zip_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def spare(_: Path) -> int:
        return 150

    monkeypatch.setattr(imports, "spare_bytes", spare)
    assert refusal(jobs_doing(tmp_path, ENDLESS), ZIP, ZIP, size=200)[0] == 507
    assert refusal(jobs_doing(tmp_path, ENDLESS), ZIP, ZIP)[0] == 507
    assert list(tmp_path.iterdir()) == []


def test_a_second_import_waits_for_the_first_whatever_its_state(tmp_path: Path) -> None:
    jobs = jobs_doing(tmp_path, ENDLESS)

    def second() -> None:
        with pytest.raises(RefusedError) as refused:
            asyncio.run(jobs.receive(OTHER, pieces(ZIP), None))
        assert (refused.value.status, "cancel it" in refused.value.detail) == (409, True)

    job = receive(jobs, ZIP, second)
    second()
    wait_until(lambda: job.share == 0.25)
    assert jobs.importing
    jobs.stop()
    assert (job.state, list(tmp_path.iterdir()), jobs.importing) == ("cancelled", [], False)
    assert refusal(jobs, ZIP)[0] == 503


def test_a_zip_that_is_cancelled_or_broken_off_leaves_nothing(tmp_path: Path) -> None:
    jobs = jobs_doing(tmp_path, ENDLESS)
    cancelled = refusal(jobs, ZIP, lambda: jobs.cancel_import(jobs.find_job(ID)), ZIP)
    assert cancelled == (409, "this import was cancelled")
    assert jobs.find_job(ID).state == "cancelled"
    assert refusal(jobs, ZIP) == (409, "an import has had this id: send the file under another")

    def break_off() -> None:
        raise ConnectionError

    gone = jobs_doing(tmp_path, ENDLESS)
    with pytest.raises(ConnectionError):
        receive(gone, ZIP, break_off)
    assert "send it again" in str(gone.find_job(ID).problem)
    unable = ImportJobs(RunStore(tmp_path), lambda runs, zip_path: [str(runs / "absent")])
    with pytest.raises(FileNotFoundError):
        receive(unable, ZIP)
    assert unable.find_job(ID).problem == "the file cannot be imported: No such file or directory"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "says"), [(FAILS, "oil is out"), ("sys.exit(3)", "code 3"), (LIES, "code 0")]
)
def test_a_process_that_fails_or_lies_is_told_in_one_sentence(tmp_path: Path, code: str, says: str) -> None:
    jobs = jobs_doing(tmp_path, code)
    job = receive(jobs, ZIP)
    wait_until(lambda: job.over)
    assert (job.state, job.run, says in str(job.problem)) == ("failed", None, True)
    assert list(tmp_path.iterdir()) == []


def test_only_the_newest_are_remembered(tmp_path: Path) -> None:
    jobs = jobs_doing(tmp_path, ENDLESS)
    ids = [f"{number:08}-0000-0000-0000-000000000000" for number in range(9)]
    for job_id in ids:
        with pytest.raises(RefusedError):
            asyncio.run(jobs.receive(job_id, pieces(b"text"), None))
    assert jobs.find_job(ids[-1]).problem is not None
    with pytest.raises(RefusedError) as refused:
        jobs.find_job(ids[0])
    assert refused.value.status == 404


def test_a_clock_that_was_set_back_drops_no_text_just_sent(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    earlier = [store_text(uploads, f"text {number}") for number in range(MAX_UPLOADS)]
    tomorrow = time.time() + 86_400
    for upload in earlier:
        os.utime(tmp_path / f"{upload}.txt", (tomorrow, tomorrow))
    later = [
        store_text(Uploads(tmp_path), f"text {number}") for number in range(MAX_UPLOADS, MAX_UPLOADS + 3)
    ]
    assert [uploads.read_text(upload)[0] for upload in later] == ["text 20", "text 21", "text 22"]
    assert len(list(tmp_path.glob("*.txt"))) == MAX_UPLOADS
    # From now on the order is that in which they were sent.
    rest = [store_text(uploads, f"text {number}") for number in range(MAX_UPLOADS - 1)]
    assert {path.stem for path in tmp_path.glob("*.txt")} == {later[-1], *rest}


@pytest.mark.parametrize(("beyond", "status"), [(1, 413), (0, 422)])
def test_a_text_of_more_than_64_mib_is_refused_while_it_comes_in(
    tmp_path: Path, beyond: int, status: int
) -> None:
    """Without a declared length only what has come in is known. Bytes that are no text are refused as such, at the limit."""

    async def chunks() -> AsyncIterator[bytes]:
        for size in (*[1 << 20] * 64, beyond):
            yield b"\xff" * size

    with pytest.raises(RefusedError) as refused:
        asyncio.run(Uploads(tmp_path).store(chunks(), "a.txt"))
    assert refused.value.status == status
    assert ("at most 64 MiB" in str(refused.value.detail)) == (status == 413)
    assert list(tmp_path.iterdir()) == []
