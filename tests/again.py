"""Run the tests that failed in the last run once more, one after the other.

`make test` does this when at most `MOST` tests failed. Thousands of tests with real sockets, browsers and clocks share
two cores; a test that fails beside others and passes alone is a fault of the test, and is named, but does not hold up
a change. A test that fails twice fails. See docs/decisions/0043.
"""

import json
import subprocess
import sys
from pathlib import Path

MOST = 3
"""Maximum number of failed tests that are run again: more of them are no accident."""
FAILED = Path(".pytest_cache/v/cache/lastfailed")


def main() -> int:
    """Return the exit status: 0 if every test that failed passes now."""
    failed = sorted(json.loads(FAILED.read_text())) if FAILED.exists() else []
    if not failed or len(failed) > MOST:
        print(f"{len(failed)} tests failed: none is run again (1 to {MOST} would be)")
        return 1
    again = subprocess.run([sys.executable, "-m", "pytest", "--maxfail=1", *failed], check=False).returncode
    if again == 0:
        print("Passed only when run alone, and therefore to be mended:", *failed, sep="\n  ")
    return again


if __name__ == "__main__":
    sys.exit(main())
