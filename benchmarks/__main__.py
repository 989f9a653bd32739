"""Command line: `python -m benchmarks` runs all benchmarks but those of `ON_REQUEST`, `python -m benchmarks NAME ...` some.

With `--quiet`, each waits for a load below 1, and a fixed loop is timed before and after it: where both times differ by more than a
tenth, its figures are printed and no goal is judged by them.
"""

from __future__ import annotations

import importlib
import itertools
import sys

from benchmarks.support.report import measure_in_quiet

NAMES = (
    "observation", "recording", "watch", "sharded", "push", "load", "cold_start", "first_map",
    "latency", "viewers", "purity", "town", "storage", "history", "histories", "map", "city",
    "city_time", "first_visit", "hostile", "packed", "classroom", "examiner", "claims",
    "claims_controls", "course", "forks", "sets", "layers", "fanout", "broadcast", "store",
)  # fmt: skip
ON_REQUEST = ("essay", "histories_large", "map_table")
"""Benchmarks that take minutes each and gigabytes on the disk, or read what is not ours."""


def main() -> int:
    """Run the named benchmarks, or all.

    Returns 1 if a goal was missed, 2 for an unknown name, 3 if the machine was disturbed while a goal was to be judged.
    """
    if quiet := "--quiet" in sys.argv:
        sys.argv.remove("--quiet")
    # What follows the names are options of the benchmark, which reads them itself.
    names = list(itertools.takewhile(lambda one: not one.startswith("-"), sys.argv[1:])) or NAMES
    known = (*NAMES, *ON_REQUEST)
    if unknown := [name for name in names if name not in known]:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    met: list[bool | None] = []
    for name in names:
        measure = importlib.import_module(f"benchmarks.{name}").main
        met.append(measure_in_quiet(measure) if quiet else measure())
    return 1 if False in met else 3 if None in met else 0


if __name__ == "__main__":
    sys.exit(main())
