"""`tests/again.py`: which failed tests are run once more, and the account of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import again

ROOT = Path(__file__).parents[3]


def run_again(folder: Path, status: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.again", str(status)],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def failed_suite(tmp_path: Path) -> Path:
    """Make a suite that failed once: `test_late` passes when it is run again, `test_broken` never."""
    (tmp_path / "test_suite.py").write_text("def test_late(): pass\ndef test_broken(): assert False\n")
    (tmp_path / again.FAILED).parent.mkdir(parents=True)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")
    return tmp_path


def leave(folder: Path, *tests: str) -> None:
    (folder / again.FAILED).write_text(json.dumps(dict.fromkeys(tests, True)))


def test_a_test_that_passes_alone_is_named_and_kept(failed_suite: Path) -> None:
    leave(failed_suite, "test_suite.py::test_late")
    done = run_again(failed_suite, 1)
    assert done.returncode == 0
    assert "to be mended:\n  test_suite.py::test_late" in done.stdout
    assert json.loads((failed_suite / again.REPEATED).read_text()) == ["test_suite.py::test_late"]
    # Four runs without it, and it would be forgotten; two of five are too many.
    done = run_again(failed_suite, 1)
    assert done.returncode == 1
    assert "two of the last 5 runs" in done.stdout


def test_the_account_covers_the_last_runs(tmp_path: Path) -> None:
    account = tmp_path / "kept" / "repeated.jsonl"
    assert again.keep_account(account, ["a"]) == []
    for _ in range(again.RUNS - 1):
        assert again.keep_account(account, []) == []
    assert again.keep_account(account, ["a", "b"]) == []
    assert again.keep_account(account, ["b"]) == ["b"]
