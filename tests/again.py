"""Run the tests that failed in the last run once more, one after the other, and keep account of them.

    python -m tests.again STATUS    the exit status of pytest

`make test` does this. At most `MOST` failed tests are run again: thousands of tests with real sockets, browsers and clocks
share two cores; a test that fails beside others and passes alone is a fault of the test, and is named, but does not hold
up a change. A test that fails twice fails. Each run leaves a line in `REPEATED`, and a test that had to be repeated in two
of the last `RUNS` fails the run: it has to be mended. See docs/decisions/0043.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

MOST = 3
"""Maximum number of failed tests that are run again: more of them are no accident."""
RUNS = 5
"""Runs that the account covers."""
FAILED = Path(".pytest_cache/v/cache/lastfailed")
REPEATED = Path(".make/repeated.jsonl")


def main() -> int:
    """Return the exit status: 0 if every test passes now and none had to be repeated too often."""
    status = int(sys.argv[1])
    # 1: tests failed. Any other is an error of the run itself, which another run does not explain.
    failed = sorted(json.loads(FAILED.read_text())) if status == 1 and FAILED.exists() else []
    if status and not 0 < len(failed) <= MOST:
        print(f"{len(failed)} tests failed: none is run again (1 to {MOST} would be)")
        return status
    if failed:
        status = subprocess.run(
            [sys.executable, "-m", "pytest", "--maxfail=1", *failed], check=False
        ).returncode
        if status:
            return status
        print("Passed only when run alone, and therefore to be mended:", *failed, sep="\n  ")
        if "GITHUB_ACTIONS" in os.environ:
            print(*(f"::warning title=Passed only when run alone::{test}" for test in failed), sep="\n")
    often = keep_account(REPEATED, failed)
    if often:
        print(f"Repeated in two of the last {RUNS} runs ({REPEATED}):", *often, sep="\n  ")
    return 1 if often else 0


def keep_account(account: Path, repeated: list[str]) -> list[str]:
    """Add the tests that a run repeated, and return those that were repeated in two of the last `RUNS` runs."""
    lines = account.read_text("utf-8").splitlines() if account.exists() else []
    lines = [*lines, json.dumps(repeated)][-RUNS:]
    account.parent.mkdir(exist_ok=True)
    account.write_text("\n".join(lines) + "\n", "utf-8")
    counts = Counter(test for line in lines for test in set(json.loads(line)))
    return [test for test in repeated if counts[test] > 1]


if __name__ == "__main__":
    sys.exit(main())
