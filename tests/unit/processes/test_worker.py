"""The kit of all workers, in real processes that are one line of Python each."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from lamplighter.processes.worker import ExitCode, argument_parser, handle_stop_signals
from lamplighter.runfolder.role_lock import RoleState, role_state
from tests.support.waiting import wait_until

KIT = (
    "import os, sys, threading, time\nfrom pathlib import Path\nfrom lamplighter.processes.worker import *\n"
)
# A worker that works until it is told to stop, and then takes a while to close its files.
WORKER = f"""{KIT}
stopped = threading.Event()
def run():
    print("up", flush=True)
    while not stopped.wait(0.02):
        pass
    time.sleep(0.3)
    print("closed", flush=True)
sys.exit(run_in_role(Path(sys.argv[1]), "analyst", run, stopped.set))
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_the_numbers_that_processes_know_each_other_by() -> None:
    assert [(code.name, int(code)) for code in ExitCode] == [
        ("DONE", 0),
        ("ROLE_TAKEN", 3),
        ("FAILED", 4),
        ("CANCELLED", 5),
        ("DISK_FULL", 6),
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_work_and_a_second_one_does_no_harm(tmp_path: Path, number: int) -> None:
    with start(WORKER, tmp_path) as process:
        assert next_line(process) == "up"
        assert role_state(tmp_path, "analyst") is RoleState.HELD
        process.send_signal(number)
        time.sleep(0.1)
        process.send_signal(number)
        assert process.communicate(timeout=20) == ("closed\n", "")
    assert process.returncode == ExitCode.DONE
    assert role_state(tmp_path, "analyst") is RoleState.FREE


def test_a_signal_that_comes_while_the_main_thread_holds_a_lock_waits_for_it() -> None:
    body = """
lock, received = threading.Lock(), []
def stop(number):
    with lock:
        received.append(number)
handle_stop_signals(stop)
with lock:
    os.kill(os.getpid(), 15)
    time.sleep(0.1)
    print(received)
while not received:
    time.sleep(0.01)
print(received)
"""
    with start(f"{KIT}{body}") as process:
        try:
            assert process.communicate(timeout=20) == ("[]\n[15]\n", "")
        finally:
            process.kill()


def test_killed_it_leaves_the_role_to_the_next(tmp_path: Path) -> None:
    with start(WORKER, tmp_path) as first:
        assert next_line(first) == "up"
        with start(WORKER, tmp_path) as second:
            _, errors = second.communicate(timeout=20)
        assert second.returncode == ExitCode.ROLE_TAKEN
        assert errors == f"another process is already the analyst of {tmp_path.name}\n"
        first.kill()
        assert first.wait(20) == -signal.SIGKILL
    with start(WORKER, tmp_path) as third:
        assert next_line(third) == "up"
        third.terminate()


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        ("from lamplighter.runfolder.errors import FormatError as Error", ExitCode.FAILED, "too new"),
        # A crash: the supervisor starts it again, and Python's last line says why.
        ("Error = KeyError", 1, "KeyError: 'too new'"),
    ],
)
def test_a_read_error_is_the_last_line_and_an_unexpected_error_a_crash(
    tmp_path: Path, raised: str, code: int, said: str
) -> None:
    body = f"{raised}\ndef run(): raise Error('too new')\n"
    with start(
        f"{KIT}{body}sys.exit(run_in_role(Path(sys.argv[1]), 'analyst', run, run))", tmp_path
    ) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == code
    assert errors.splitlines()[-1] == said


def test_no_folder_is_made(tmp_path: Path) -> None:
    with start(WORKER, tmp_path / "none") as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == ExitCode.FAILED
    assert errors == f"{tmp_path / 'none'}: there is no such folder\n"
    assert list(tmp_path.iterdir()) == []


def test_handlers_are_restored_for_a_process_that_continues() -> None:
    before = signal.getsignal(signal.SIGTERM)
    received: list[int] = []
    restore = handle_stop_signals(received.append)
    os.kill(os.getpid(), signal.SIGTERM)
    wait_until(lambda: received)
    restore()
    assert received == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is before


def test_no_worker_imports_numpy_before_its_threads_are_limited() -> None:
    modules = (
        "analysis.worker",
        "examination.model_worker",
        "examination.worker",
        "exports.worker",
        "projection.worker",
        "projection.reprojection_worker",
    )
    imports = "".join(f"import lamplighter.{module}\n" for module in modules)
    limited = (
        "limit_threads('NUMBA'); print([os.environ[f'{n}_NUM_THREADS'] for n in ('OMP', 'MKL', 'NUMBA')])"
    )
    with start(f"{KIT}{imports}assert 'numpy' not in sys.modules\n{limited}") as process:
        told, errors = process.communicate(timeout=20)
    assert (told, errors) == ("['1', '1', '1']\n", "")


def test_it_gives_way_to_the_trainer() -> None:
    with start(
        f"{KIT}from lamplighter.platform.child_process import yield_processor; yield_processor(); print(os.nice(0))"
    ) as process:
        told, _ = process.communicate(timeout=20)
    assert int(told) > psutil.Process().nice()


def test_the_first_argument_is_the_folder(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argument_parser("analysis.worker")
    assert parser.parse_args(["here"]).run == Path("here")
    with pytest.raises(SystemExit) as ended:
        parser.parse_args([])
    assert ended.value.code == 2
    assert "usage: python -m lamplighter.analysis.worker" in capsys.readouterr().err


def test_it_notices_the_death_of_its_parent(tmp_path: Path) -> None:
    child = f"{KIT}watch_parent(lambda: (Path(sys.argv[1]).touch(), os._exit(5)))\ntime.sleep(60)"
    parent = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', sys.argv[1], sys.argv[2]], stdin=subprocess.PIPE)\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    with start(parent, child, tmp_path / "noticed") as process:
        pid = int(next_line(process))
        assert psutil.pid_exists(pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_until((tmp_path / "noticed").exists)


def test_a_reader_that_is_gone_changes_no_exit_code() -> None:
    code = (
        f"{KIT}gone = threading.Event(); watch_parent(gone.set)\n"
        "while not gone.is_set():\n    send_message(share=0.5, what='lamps')\n"
        "send_message(share=1)\nsys.exit(ExitCode.CANCELLED)"
    )
    process = start(code)
    assert json.loads(next_line(process)) == {"share": 0.5, "what": "lamps"}
    for end in (process.stdout, process.stdin):
        assert end is not None
        end.close()
    assert process.stderr is not None
    with process.stderr:
        assert process.stderr.read() == ""
    assert process.wait(20) == ExitCode.CANCELLED
