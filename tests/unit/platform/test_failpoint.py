"""A process dies at its armed failpoint, at the chosen hit, and nowhere else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from lamplighter.platform import failpoint

PROGRAM = """
import time
from lamplighter.platform import failpoint
for turn in (1, 2, 3):
    print("before", turn, flush=True)
    with failpoint.trigger_within("stretch"):
        time.sleep(float({inside}))
    failpoint.trigger("place")
    print("after", turn, flush=True)
"""


def run(armed: str, inside: float = 0.0) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(inside=inside)
    environment = os.environ | {failpoint.VARIABLE: armed}
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)


def test_dies_at_the_armed_hit_and_logs_it():
    ended = run("elsewhere:1,place:2")
    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout.split("\n")[-2] == "before 2"
    assert ended.stderr == f"{failpoint.LOG_PREFIX}place\n"


def test_dies_within_a_block_or_at_its_end():
    # During a sleep of a minute only the other thread can kill it.
    inside = run("stretch:1:0.01", inside=60)
    assert inside.returncode == -signal.SIGKILL
    ended = run("stretch:3:3600")
    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout.split("\n")[-2] == "before 3"
    assert ended.stderr.startswith(f"{failpoint.LOG_PREFIX}stretch\n")


@pytest.mark.parametrize("text", ["x", "x:0", "x:-1", ":1", "x:1:0", "x:1:nan", "x:one"])
def test_rejects_invalid_failpoints(text: str):
    with pytest.raises(ValueError, match="is not NAME:TIMES"):
        failpoint.parse_failpoints(text)
