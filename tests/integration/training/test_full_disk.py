"""A full disk that gets room again: on a real file system of a few MB, and by the kernel's limit on file size."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.trainer import Progress
from lamplighter.training.worker import train
from tests.support.machine.small_disk import small_disk
from tests.support.runs import make_run, wait_for_step
from tests.support.waiting import wait_until


def on_a_small_disk(module: str, folder: Path, size: str) -> str:
    """Run a module as a program with a file system of that size, in separate namespaces, without root.

    Returns:
        Its standard output.
    """
    disk = folder / "disk"
    disk.mkdir()
    mount = f'mount -t tmpfs -o size={size} small "$1" && exec "$2" -m {module} "$1"'
    done = subprocess.run(
        [
            "unshare",
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            mount,
            "sh",
            str(disk),
            sys.executable,
        ],
        env=os.environ | {"SMALL_DISK_LOG": str(folder / "trainer.log")},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, (
        f"(where namespaces are forbidden there is no small disk to test on)\n{done.stdout}\n{done.stderr}"
    )
    return done.stdout


@pytest.mark.tour
def test_a_full_disk_pauses_snapshots_keeps_scalars_and_recovers(tmp_path: Path):
    said = on_a_small_disk("tests.integration.training.small_disk", tmp_path, "48m")
    assert "whole again at" in said


@pytest.mark.tour
def test_a_full_disk_can_be_served_paused_and_stopped(tmp_path: Path):
    said = on_a_small_disk("tests.integration.training.small_disk_server", tmp_path, "48m")
    assert "stopped at" in said


@contextmanager
def worker(
    run: RunFolder, room: str, log: Path, limit: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker, optionally with a limit on file size; end it with SIGTERM at last."""
    command = [sys.executable, "-m", f"lamplighter.{room}.worker", str(run.path)]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
        try:
            if limit is not None:
                allow(process, limit)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(60)
    assert code == 0, log.read_text()


def allow(process: subprocess.Popen[bytes], size: int) -> None:
    """Limit the size of files a process may write, in bytes; beyond it writing fails, as on a full disk."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_training_waits_on_a_full_disk_and_loses_no_step(tmp_path: Path):
    run, log = make_run(tmp_path / "runs", steps=1_000_000), tmp_path / "trainer.log"
    with worker(run, "training", log) as process:
        wait_for_step(run, 30)
        allow(process, 2_000)
        wait_until(lambda: "training waits for room" in log.read_text(), "training to wait")
        wait_until(lambda: read_status(run).crowded, "training to say so")
        resting = read_status(run)
        assert resting.alive
        allow(process, resource.RLIM_INFINITY)
        wait_for_step(run, resting.step + 30)
        wait_until(lambda: read_status(run).snapshots == "all", "snapshots to go on")
        assert not read_status(run).crowded
    assert "training goes on" in log.read_text()
    with StepsReader(run.steps_path) as reader:
        last = reader.newest_step()[1]
        assert [step for step, _ in reader.pulses(1, last, limit=last)] == list(range(1, last + 1))
        assert len(reader.lineage().ranges) == 1
        said = [event.message for event in reader.events() if event.kind in ("full", "room")]
    assert "nearly full" in said[0]
    assert any("training waited" in message for message in said)


def test_a_run_starts_once_the_disk_has_room(tmp_path: Path):
    run, log = make_run(tmp_path / "runs", steps=1_000_000), tmp_path / "trainer.log"
    with worker(run, "training", log, limit=2_000) as process:
        wait_until(lambda: "training waits for room" in log.read_text(), "training to wait")
        wait_until(lambda: read_status(run).crowded, "training to say so")
        allow(process, resource.RLIM_INFINITY)
        wait_for_step(run, 20)
    with StepsReader(run.steps_path) as reader:
        assert reader.keyframe_steps()[0] == (1, 0)
        assert [step for step, _ in reader.pulses(1, 20)] == list(range(1, 21))


def test_a_trainer_waiting_for_room_can_be_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run = make_run(tmp_path / "runs", steps=1_000_000)
    steps: list[int] = []
    with small_disk(monkeypatch) as disk:

        def watch(progress: Progress) -> None:
            if progress.step == 30:
                disk.free = 0
            if progress.waiting:
                disk.free = 1 << 20
                RequestsWriter(run.path, "s1").add("stop", {})
                disk.free = 0
                steps.append(progress.step)

        assert train(run, on_progress=watch) == Phase.INTERRUPTED
    with StepsReader(run.steps_path) as reader:
        assert reader.phase() == Phase.INTERRUPTED
        assert reader.newest_step()[1] == steps[0] - 1, "the step that waited is not in the record"
        assert [(applied.kind, applied.step) for applied in reader.applied()] == [("stop", steps[0])]


def measured(run: RunFolder) -> bool:
    with MeasuresReader(run.measures_path) as reader:
        return reader.last_step() == 60


def laid_out(run: RunFolder) -> bool:
    with LayoutsReader(run.layouts_path) as reader:
        return bool(reader.layout_entries())


@pytest.mark.parametrize(("room", "done"), [("analysis", measured), ("projection", laid_out)])
def test_workers_that_follow_a_run_wait_for_room(
    tmp_path: Path, room: str, done: Callable[[RunFolder], bool]
):
    run, log = make_run(tmp_path / "runs", steps=60), tmp_path / "worker.log"
    assert train(run) == "finished"
    with worker(run, room, log, limit=2_000) as process:
        wait_until(lambda: "waits for room on the disk" in log.read_text(), f"{room} to wait")
        assert process.poll() is None
        allow(process, resource.RLIM_INFINITY)

        def there() -> bool:
            try:
                return done(run)
            except FileNotFoundError:
                return False

        wait_until(there, f"what {room} makes")
        # The run has ended, so the worker exits by itself. SIGTERM would kill it during Python's shutdown.
        process.wait(60)
