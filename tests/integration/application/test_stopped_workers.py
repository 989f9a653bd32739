"""Commands that wait for a worker: a signal to the command ends the worker at once, even one that hears nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.support.synthetic_runs.growing_run import GrowingRun
from tests.support.waiting import wait_until


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize(
    ("words", "number"),
    [
        (("project", "--again"), signal.SIGTERM),
        (("project", "--again"), signal.SIGINT),
        (("project",), signal.SIGTERM),
        (("analyse",), signal.SIGTERM),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else value.name,
)
def test_a_signal_to_a_command_ends_its_worker_and_leaves_no_file(
    tmp_path: Path, words: tuple[str, ...], number: signal.Signals
) -> None:
    run = GrowingRun(tmp_path, size=20)
    run.grow(3)
    run.end()
    command = [sys.executable, "-m", "lamplighter", "--runs", str(tmp_path), *words, run.folder.id]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        here = psutil.Process(process.pid)
        wait_until(lambda: any("worker" in " ".join(child.cmdline()) for child in here.children()), "it")
        (worker,) = here.children()
        # The command has taken note of a worker that is this far.
        wait_until(lambda: worker.num_threads() > 1, "the worker to watch its parent")
        try:
            # As deaf as one within a long computation.
            worker.suspend()
            (run.folder.path / "relayouts.part").write_bytes(b"half of it")
            process.send_signal(number)
            assert process.wait(60) in (1, 130)
            assert not worker.is_running()
        finally:
            with suppress(psutil.NoSuchProcess):
                worker.kill()
    assert (run.folder.path / "relayouts.part").exists() == ("--again" not in words)
