"""Command line: `python -m benchmarks` runs all benchmarks but those of `ON_REQUEST`, `python -m benchmarks NAME ...` some."""

from __future__ import annotations

import importlib
import itertools
import sys

NAMES = (
    "observation",
    "recording",
    "watch",
    "sharded",
    "push",
    "load",
    "cold_start",
    "first_map",
    "latency",
    "viewers",
    "purity",
    "town",
    "storage",
    "history",
    "histories",
    "map",
    "city",
    "city_time",
    "first_visit",
    "hostile",
    "packed",
    "classroom",
    "examiner",
    "claims",
    "claims_controls",
    "course",
    "forks",
    "sets",
    "layers",
    "fanout",
    "broadcast",
    "store",
)
ON_REQUEST = ("essay", "histories_large", "map_table")
"""Benchmarks that take minutes each and gigabytes on the disk, or read what is not ours."""


def main() -> int:
    """Run the named benchmarks, or all. Returns 1 if a goal was missed, 2 for an unknown name."""
    # What follows the names are options of the benchmark, which reads them itself.
    names = list(itertools.takewhile(lambda one: not one.startswith("-"), sys.argv[1:])) or NAMES
    known = (*NAMES, *ON_REQUEST)
    if unknown := [name for name in names if name not in known]:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    met = [importlib.import_module(f"benchmarks.{name}").main() for name in names]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
