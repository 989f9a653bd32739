"""Processes of a benchmark: starting one, talking to it, and the time that one or a call takes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

import psutil

Result = TypeVar("Result")


@contextmanager
def running(module: str, *words: object, stderr: int | None = None) -> Generator[subprocess.Popen[str]]:
    """Run a module in a process of its own, to which lines can be written and whose lines can be read; it is killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def say(process: subprocess.Popen[str], line: str) -> None:
    """Write a line to a process."""
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> str:
    """Return the next line of a process."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"it has ended: {process.args}"
    return line


def processor_seconds(process: psutil.Process) -> float:
    """Return the processor time that a process has used."""
    return sum(process.cpu_times()[:2])


def timed(call: Callable[[], Result]) -> tuple[Result, float]:
    """Call it. Returns its result, and the seconds by the clock."""
    begun = time.perf_counter()
    result = call()
    return result, time.perf_counter() - begun
