"""Jobs in child processes: how their output is read, and that they always end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from lamplighter.processes.child_job import MAX_LINE_BYTES, MAX_TEXT, ChildJob, ChildMessage, read_message
from tests.support.waiting import wait_until

HEAD = "import os, sys, time\ndef say(line): print(line, flush=True)\n"
PATIENT = HEAD + "say('{\"share\": 0.5}'); time.sleep(60)"
# It cleans up when its standard input closes, as the reprojection does.
POLITE = HEAD + (
    "path = sys.argv[1]; say('{\"share\": 0.5}'); open(path, 'w').close()\n"
    "sys.stdin.read(); os.unlink(path); say('{\"share\": 0.9}'); sys.exit(5)"
)
FLOODS = "import sys\nwhile True: sys.stdout.write('{\"share\": 0.5}\\n' * 100)"
# Without a line's end, so that nothing of it is a line.
FLOODS_WITHOUT_LINES = "import sys\nwhile True: sys.stdout.write('x' * 100_000)"


class Job:
    """A job that records its messages and its end."""

    def __init__(self, code: str, *arguments: object) -> None:
        self.messages: list[ChildMessage] = []
        self.codes: list[int] = []
        command = [sys.executable, "-c", code, *map(str, arguments)]
        self.child = ChildJob(command, on_message=self.messages.append, on_end=self.codes.append)

    def until_message(self) -> None:
        wait_until(lambda: self.messages)

    def over(self) -> int:
        """Wait for the end. Returns the exit code, which has been told once."""
        assert self.child.join(30)
        (code,) = self.codes
        return code


def test_messages_come_in_order_and_nothing_is_left(
    children: Callable[[], list[psutil.Process]],
) -> None:
    code = HEAD + 'say(\'{"share": 0.1, "what": "lamps"}\'); say(\'{"left_out": "vectors"}\'); sys.exit(4)'
    job = Job(code)
    assert job.over() == 4
    assert job.messages == [ChildMessage(share=0.1, activity="lamps"), ChildMessage(left_out="vectors")]
    assert children() == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"no json", None),
        (b"\xff\xfe\x00", None),
        (b"", None),
        (b"3", None),
        (b'["share"]', None),
        (b"[" * 50_000, None),
        (b'{"other": 1}', None),
        (b'{"share": "much"}', None),
        (b'{"share": true}', None),
        (b'{"share": NaN}', None),
        (b'{"share": 1' + b"0" * 5_000 + b"}", None),
        (b'{"share": null, "what": ["x"], "problem": {}}', None),
        (b'{"share": Infinity}', ChildMessage(share=1.0)),
        (b'{"share": 1' + b"0" * 400 + b"}", ChildMessage(share=1.0)),
        (b'{"share": -3}', ChildMessage(share=0.0)),
        (b'{"share": 0.25, "what": 7}', ChildMessage(share=0.25)),
        (b'{"problem": "' + b"x" * 2_000 + b'"}', ChildMessage(problem="x" * MAX_TEXT)),
        (b'{"problem": ""}', ChildMessage(problem="")),
        # Half a surrogate pair cannot be encoded in an answer.
        (b'{"problem": "a\\ud800b"}', ChildMessage(problem="a?b")),
    ],
)
def test_only_fields_of_the_expected_shape_are_taken(line: bytes, message: ChildMessage | None) -> None:
    found = read_message(line)
    assert found == message
    if found is not None:
        json.dumps(vars(found), allow_nan=False, ensure_ascii=False).encode()


def test_garbage_does_no_harm(children: Callable[[], list[psutil.Process]]) -> None:
    code = (
        HEAD
        + "for _ in range(300): sys.stdout.buffer.write(os.urandom(700)); sys.stdout.flush()\n"
        + "say(''); say('{\"share\": 0.5}'); say('[' * 60_000); say('{\"share\": 0.6}')"
    )
    job = Job(code)
    assert job.over() == 0
    assert [message.share for message in job.messages][-2:] == [0.5, 0.6]
    assert children() == []


def test_a_line_that_is_too_long_is_skipped_whole() -> None:
    # What follows the longest piece that is read at once would be a message by itself.
    code = HEAD + f"say('x' * {MAX_LINE_BYTES} + '{{\"problem\": \"no\"}}'); say('{{\"share\": 0.5}}')"
    job = Job(code)
    assert job.over() == 0
    assert job.messages == [ChildMessage(share=0.5)]


@pytest.mark.parametrize("code", [FLOODS, FLOODS_WITHOUT_LINES])
def test_a_flood_waits_until_it_is_read_and_can_be_ended(
    code: str, children: Callable[[], list[psutil.Process]]
) -> None:
    started = time.monotonic()
    job = Job(code)
    time.sleep(1.5)
    # At most a thousand lines a second, and a thousand more to begin with.
    assert len(job.messages) <= 1_000 * (1 + time.monotonic() - started) + 1
    before = sum(children()[0].cpu_times()[:2])
    time.sleep(0.5)
    # It waits for its reader rather than using the processor.
    assert sum(children()[0].cpu_times()[:2]) - before < 0.25
    job.child.kill()
    assert job.over() == -signal.SIGKILL
    assert children() == []


def test_a_flood_that_does_not_listen_is_killed_in_the_end() -> None:
    job = Job(FLOODS)
    job.until_message()
    job.child.cancel(0.3)
    assert job.over() == -signal.SIGKILL


def test_killed_from_outside_it_is_reported(children: Callable[[], list[psutil.Process]]) -> None:
    job = Job(PATIENT)
    job.until_message()
    os.kill(job.child.pid, signal.SIGKILL)
    assert job.over() == -signal.SIGKILL
    assert children() == []
    # Its number may be another's by now.
    job.child.kill()


def test_cancelled_it_may_clean_up_and_says_no_more(tmp_path: Path) -> None:
    job = Job(POLITE, tmp_path / "part")
    job.until_message()
    wait_until((tmp_path / "part").exists)
    job.child.cancel(30)
    assert job.over() == 5
    assert [message.share for message in job.messages] == [0.5]
    assert not (tmp_path / "part").exists()


def test_its_children_are_killed_with_it() -> None:
    code = HEAD + (
        "import json, subprocess\n"
        "inner = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "say(json.dumps({'what': str(inner.pid)})); time.sleep(60)"
    )
    job = Job(code)
    job.until_message()
    inner = psutil.Process(int(job.messages[0].activity or ""))
    job.child.kill()
    assert job.over() == -signal.SIGKILL
    wait_until(lambda: not inner.is_running() or inner.status() == psutil.STATUS_ZOMBIE)


def test_a_child_that_closes_its_output_is_awaited() -> None:
    job = Job(HEAD + "say('{\"share\": 0.5}'); os.close(1); time.sleep(60)")
    job.until_message()
    assert not job.child.join(0.3)
    assert job.codes == []
    job.child.kill()
    assert job.over() == -signal.SIGKILL


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_message_that_cannot_be_handled_ends_the_job(children: Callable[[], list[psutil.Process]]) -> None:
    codes: list[int] = []

    def fail(_message: ChildMessage) -> None:
        raise RuntimeError("no")

    child = ChildJob([sys.executable, "-c", PATIENT], on_message=fail, on_end=codes.append)
    assert child.join(30)
    assert codes == [-signal.SIGKILL]
    assert children() == []
    # Its error is told of a moment after its end, which must not be in another test.
    wait_until(lambda: all(thread.name != "job" for thread in threading.enumerate()))


def test_a_failed_start_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, children: Callable[[], list[psutil.Process]]
) -> None:
    def ignore(_told: object) -> None:
        """Ignore what is told: nothing is."""

    with pytest.raises(FileNotFoundError):
        ChildJob([str(tmp_path / "none")], on_message=ignore, on_end=ignore)

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(OSError, match="new thread"):
            ChildJob([sys.executable, "-c", PATIENT], on_message=ignore, on_end=ignore)
    assert children() == []


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    parent = (
        "import sys, time\nfrom lamplighter.processes.child_job import ChildJob\n"
        "child = ChildJob([sys.executable, '-c', *sys.argv[1:]], on_message=id, on_end=id)\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", parent, POLITE, str(tmp_path / "part")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        # A session of its own: Ctrl-C in the terminal goes to the parent alone.
        assert os.getsid(child.pid) == child.pid
        wait_until((tmp_path / "part").exists)
        process.send_signal(signal.SIGKILL)
        process.wait()
    wait_until(lambda: not (tmp_path / "part").exists())


def test_its_errors_go_to_the_log(tmp_path: Path) -> None:
    codes: list[int] = []
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "-c", "import sys; sys.exit('the lamp oil is out')"]
        child = ChildJob(command, on_message=print, on_end=codes.append, log=log)
    assert child.join(30)
    assert codes == [1]
    assert (tmp_path / "log").read_text().strip() == "the lamp oil is out"
