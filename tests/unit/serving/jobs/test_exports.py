"""Export jobs: their processes, their results, and the limits on their number and size."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.jobs.exports import (
    ExportCommand,
    ExportJob,
    ExportJobs,
    ExportLimits,
    export_worker_command,
)
from lamplighter.web.http.problems import RefusedError
from tests.support.folders import finished_run
from tests.support.waiting import wait_until

ENDLESS = "print('{\"share\": 0.25, \"what\": \"lamps\"}', flush=True); open(out + '.part', 'wb').write(b'x' * 900); time.sleep(60)"
TALKS = """
open(out + '.part', 'wb').write(b'x' * 900)
while True:
    print('{"share": 0.25, "what": "lamps"}', flush=True)
    time.sleep(0.02)
"""
PROMPT = "open(out, 'wb').write(b'x' * 1000)"
FAILS = 'print(\'{"problem": "the lamp oil is out"}\', flush=True); sys.exit(4)'
CRASHES = "sys.exit('Traceback: secret/path')"
BABBLES = """
for line in ('no json', '[1]', '3', '{"share": "much"}', '{"other": 1}', 'x' * 200_000, '{"left_out": "the vectors"}'):
    print(line, flush=True)
open(out, 'wb').write(b'x')
"""
EMPTY_HANDED = "pass"


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return finished_run(tmp_path / "runs")


def doing(code: str) -> ExportCommand:
    """Return a command that runs this code instead of an export."""

    def command(run: RunFolder, format: str, step: int | None, out: Path) -> list[str]:
        return [sys.executable, "-c", f"import sys, time\nout = sys.argv[1]\n{code}", str(out)]

    return command


@contextmanager
def exporting(
    folder: Path, code: str | None = None, bounds: ExportLimits | None = None, server: str = "here"
) -> Iterator[ExportJobs]:
    exporter = ExportJobs(folder, server, bounds, export_worker_command if code is None else doing(code))
    exporter.start()
    try:
        yield exporter
    finally:
        exporter.stop()


@pytest.fixture
def at_work(children: Callable[[], list[psutil.Process]]) -> Callable[[], list[psutil.Process]]:
    return lambda: [child for child in children() if child.status() != psutil.STATUS_ZOMBIE]


def over(job: ExportJob) -> ExportJob:
    wait_until(lambda: job.state != "running")
    return job


def test_a_file_appears_whole_for_its_user_alone(
    run: RunFolder, tmp_path: Path, at_work: Callable[[], list[psutil.Process]]
) -> None:
    with exporting(tmp_path / "exports") as exporter:
        job = over(exporter.submit(run, "zip", None))
        assert (job.state, job.progress, job.problem) == ("done", 1.0, None)
        assert job.bytes == job.file.stat().st_size > 1_000
        assert [path.name for path in job.folder.iterdir()] == [f"{run.id}.zip"]
        assert job.file.stat().st_mode & 0o777 == 0o600
        for folder in (job.folder, job.folder.parent, tmp_path / "exports"):
            assert folder.stat().st_mode & 0o777 == 0o700
        # The file's path contains nothing that a client sees.
        assert job.id not in str(job.file)
        wait_until(lambda: at_work() == [])
    assert not job.folder.parent.exists()


def test_it_says_how_far_it_is_until_it_is_cancelled(
    run: RunFolder, tmp_path: Path, at_work: Callable[[], list[psutil.Process]]
) -> None:
    with exporting(tmp_path / "exports", ENDLESS) as exporter:
        job = exporter.submit(run, "zip", None)
        wait_until(lambda: job.progress == 0.25)
        assert (job.state, job.activity) == ("running", "lamps")
        assert os.getsid(at_work()[0].pid) == at_work()[0].pid
        exporter.delete(job)
        assert (job.state, job.problem, job.bytes) == ("cancelled", None, 0)
        assert at_work() == []
        assert not job.folder.exists()
        assert exporter.for_run(run) == [job]
        exporter.delete(job)
        assert exporter.for_run(run) == []


def test_a_killed_process_is_a_failure_with_a_sentence(
    run: RunFolder, tmp_path: Path, at_work: Callable[[], list[psutil.Process]]
) -> None:
    with exporting(tmp_path / "exports", ENDLESS) as exporter:
        job = exporter.submit(run, "zip", None)
        wait_until(lambda: job.progress)
        at_work()[0].kill()
        over(job)
        assert job.state == "failed"
        assert (
            job.problem == "the process of this export was killed (SIGKILL) before it was done; make it again"
        )
        wait_until(lambda: not job.folder.exists())
        # The queue accepts further jobs again.
        exporter.submit(run, "zip", None)
        exporter.submit(run, "zip", None)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (FAILS, "the lamp oil is out"),
        (CRASHES, "ended with code 1 before it was done"),
        (EMPTY_HANDED, "ended with code 0 before it was done"),
    ],
)
def test_a_failure_has_a_reason(run: RunFolder, tmp_path: Path, code: str, problem: str) -> None:
    with exporting(tmp_path / "exports", code) as exporter:
        job = over(exporter.submit(run, "zip", None))
        assert job.state == "failed"
        assert problem in (job.problem or "")
        assert "secret" not in (job.problem or "")
        wait_until(lambda: not job.folder.exists())


def test_garbage_output_of_a_process_is_harmless(run: RunFolder, tmp_path: Path) -> None:
    with exporting(tmp_path / "exports", BABBLES) as exporter:
        job = over(exporter.submit(run, "html", None))
        assert (job.state, job.left_out, job.bytes) == ("done", ["the vectors"], 1)


def test_the_last_disk_space_is_reserved_for_training(run: RunFolder, tmp_path: Path) -> None:
    with exporting(tmp_path / "exports", TALKS) as exporter:
        job = exporter.submit(run, "zip", None)
        wait_until(lambda: job.progress)
        # No file system has as much free space as these bounds keep in reserve.
        exporter._limits = ExportLimits(reserved_bytes=1 << 62, max_reserved_share=1.0)
        over(job)
        assert job.state == "failed"
        assert "nearly full" in (job.problem or "")
        wait_until(lambda: not job.folder.exists())
        with pytest.raises(RefusedError, match="make room") as refused:
            exporter.submit(run, "zip", None)
        assert refused.value.status == 507


def test_files_that_change_during_measuring_are_harmless(run: RunFolder, tmp_path: Path) -> None:
    job = ExportJob(run, "zip", None, tmp_path / "job")
    over = threading.Event()

    def churn() -> None:
        while not over.is_set():
            folder = job.folder / "scratch" / "inner"
            folder.mkdir(parents=True)
            (folder / "part").write_bytes(b"x" * 10)
            shutil.rmtree(job.folder / "scratch")

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        assert {job.bytes_on_disk() for _ in range(5_000)} <= {0, 10}
    finally:
        over.set()
        thread.join()


def test_few_at_once(run: RunFolder, tmp_path: Path) -> None:
    with exporting(tmp_path / "exports", ENDLESS, ExportLimits(max_running=2)) as exporter:
        first = exporter.submit(run, "zip", None)
        exporter.submit(run, "csv", None)
        with pytest.raises(RefusedError, match="2 exports are being made") as refused:
            exporter.submit(run, "html", None)
        assert refused.value.status == 409
        exporter.delete(first)
        exporter.submit(run, "html", None)


def test_few_are_kept_the_newest(run: RunFolder, tmp_path: Path) -> None:
    with exporting(tmp_path / "exports", PROMPT, ExportLimits(max_finished=2)) as exporter:
        jobs = [over(exporter.submit(run, "zip", None)) for _ in range(4)]
        wait_until(lambda: len(exporter.for_run(run)) == 2)
        assert exporter.for_run(run) == [jobs[3], jobs[2]]
        assert [job.file.exists() for job in jobs] == [False, False, True, True]


def test_their_bytes_are_bounded(run: RunFolder, tmp_path: Path) -> None:
    with exporting(tmp_path / "exports", PROMPT, ExportLimits(bytes=2_500)) as exporter:
        jobs = [over(exporter.submit(run, "zip", None)) for _ in range(3)]
        wait_until(lambda: exporter.for_run(run) == [jobs[2], jobs[1]])
        assert not jobs[0].folder.exists()


def test_one_that_is_too_large_is_stopped(run: RunFolder, tmp_path: Path) -> None:
    with exporting(tmp_path / "exports", TALKS, ExportLimits(bytes=500)) as exporter:
        job = over(exporter.submit(run, "zip", None))
        assert job.state == "failed"
        assert f"use: lamplighter export {run.id} --to zip" in (job.problem or "")
        wait_until(lambda: not job.folder.exists())


def test_exports_of_a_run_that_is_gone_go_too(run: RunFolder, tmp_path: Path) -> None:
    other = finished_run(tmp_path / "runs")
    with exporting(tmp_path / "exports", PROMPT) as exporter:
        gone = over(exporter.submit(run, "zip", None))
        run.path.rename(tmp_path / "trash")
        over(exporter.submit(other, "zip", None))
        wait_until(lambda: not gone.folder.exists())


def test_an_export_is_of_one_run(run: RunFolder, tmp_path: Path) -> None:
    other = finished_run(tmp_path / "runs")
    with exporting(tmp_path / "exports", PROMPT) as exporter:
        job = exporter.submit(run, "zip", None)
        assert exporter.find_job(run, job.id) is job
        assert exporter.for_run(other) == []
        for asked, job_id in ((other, job.id), (run, "../x"), (run, "")):
            with pytest.raises(RefusedError, match="does not exist") as refused:
                exporter.find_job(asked, job_id)
            assert refused.value.status == 404


def test_stopping_ends_what_is_being_made(
    run: RunFolder, tmp_path: Path, at_work: Callable[[], list[psutil.Process]]
) -> None:
    exporter = ExportJobs(tmp_path / "exports", "here", None, doing(ENDLESS))
    job = exporter.submit(run, "zip", None)
    wait_until(lambda: job.progress)
    exporter.stop()
    assert at_work() == []
    assert not job.folder.parent.exists()
    with pytest.raises(RefusedError, match="stopping"):
        exporter.submit(run, "zip", None)
    exporter.stop()


def test_where_there_is_no_room_it_is_said(run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "exports").write_text("not a folder")
    exporter = ExportJobs(tmp_path / "exports", "here")
    exporter.start()
    with pytest.raises(RefusedError, match="the disk has room") as refused:
        exporter.submit(run, "zip", None)
    assert refused.value.status == 507
    exporter.stop()


SERVER = """
import sys, time
from pathlib import Path
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.jobs.exports import ExportJobs
SLOW = '''
import sys, time
from lamplighter.exports import worker
from lamplighter.processes.worker import send_message
def endless(format, step, lessons, out, run, progress):
    out.with_suffix(".part").write_bytes(b"half")
    send_message(share=0.5, what="half")
    time.sleep(600)
worker._export = endless
sys.exit(worker.main(sys.argv[1:]))
'''
def command(run, format, step, out):
    return [sys.executable, "-c", SLOW, str(run.path), format, str(out)]
exporter = ExportJobs(Path(sys.argv[2]), "killed", None, command)
job = exporter.submit(RunFolder(Path(sys.argv[1])), "zip", None)
while job.state == "running" and not job.progress:
    time.sleep(0.02)
print(exporter._running[job.id].pid, flush=True)
time.sleep(600)
"""


def test_a_killed_server_takes_its_exports_along_and_the_next_clears_up(
    run: RunFolder, tmp_path: Path
) -> None:
    folder = tmp_path / "exports"
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(run.path), str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        worker = psutil.Process(int(server.stdout.readline()))
        assert worker.nice() > psutil.Process().nice()
        with exporting(folder, PROMPT, server="second") as second:
            # A second server leaves files in use alone.
            over(second.submit(run, "zip", None))
            assert list((folder / "killed").glob("*/*.part"))
        server.send_signal(signal.SIGKILL)
        server.wait()
        wait_until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
        assert list((folder / "killed").glob("*/*.part"))
        with exporting(folder, PROMPT, server="third"):
            assert not (folder / "killed").exists()
    finally:
        server.kill()
        server.communicate()


def worker(run: RunFolder, *words: str) -> tuple[int, list[dict[str, object]]]:
    command = [sys.executable, "-m", "lamplighter.exports.worker", str(run.path), *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [json.loads(line) for line in process.stdout]
        return process.wait(), said


def test_the_process_says_in_a_sentence_what_it_cannot_do(run: RunFolder, tmp_path: Path) -> None:
    code, said = worker(run, "npy", str(tmp_path / "x.npy"), "--step", "999")
    assert code == 4
    assert "its last is 35" in str(said[-1]["problem"])
    code, said = worker(run, "sphere", str(tmp_path / "x"))
    assert code == 4
    assert "there is no format" in str(said[-1]["problem"])
    run.steps_path.write_bytes(b"SQLite format 3\0" + bytes(5_000))
    code, said = worker(run, "npy", str(tmp_path / "x.npy"))
    assert code == 4
    assert "cannot be read" in str(said[-1]["problem"])
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
