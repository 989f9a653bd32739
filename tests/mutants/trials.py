"""The trials: for each mutant on standard input, whether the tests named as arguments notice it.

Usage: python -m tests.mutants.trials TEST..., in a copy of the tree, which it changes.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

_SLOW_IMPORTS = ("torch", "numpy", "apsw", "pydantic", "zstandard", "torch._dynamo")
"""Packages that are imported once, for all trials. None of ours, or a mutant would not be imported; no plugin of pytest."""


def _forget_bytecode(file: Path) -> None:
    # Two mutants of the same length within a second look alike to the import system.
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
        compiled.unlink()


def _run_tests(tests: list[str]) -> None:
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    os.setsid()
    os._exit(
        int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-m", "not tour and not browser", *tests]))
    )


def _outcome(tests: list[str], seconds: float) -> str:
    child = os.fork()
    if not child:
        _run_tests(tests)
    deadline, outcome = time.monotonic() + seconds, "hangs"
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            outcome = "survived" if os.waitstatus_to_exitcode(status) == 0 else "killed"
            break
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    if outcome == "hangs":
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)
    return outcome


def main() -> None:
    """Print a JSON line for each mutant; the first is of the unchanged tree, which must survive."""
    tests = sys.argv[1:]
    for name in _SLOW_IMPORTS:
        importlib.import_module(name)
    began = time.monotonic()
    unchanged = _outcome(tests, 600.0)
    seconds = time.monotonic() - began
    print(json.dumps({"outcome": unchanged, "seconds": seconds}), flush=True)
    for line in sys.stdin:
        mutant = json.loads(line)
        file = Path(mutant["file"])
        original = file.read_bytes()
        try:
            file.write_text(mutant["source"], encoding="utf-8")
            _forget_bytecode(file)
            outcome = _outcome(tests, 30.0 + 4 * seconds)
        finally:
            file.write_bytes(original)
            _forget_bytecode(file)
        print(json.dumps({"outcome": outcome}), flush=True)


if __name__ == "__main__":
    main()
