"""`python -m benchmarks.gpu` runs all that needs a graphics card, `... NAME ...` some; JSON lines.

A new check is a function of the device that prints its lines with `benchmarks.support.report.report`, and an entry in
`CHECKS`; it returns False for a failure that no line tells. `--device cpu` tries out the code of the checks without a card; the
figures are then meaningless.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Callable

import torch

from benchmarks.gpu import checks
from benchmarks.support.report import judge

CHECKS: dict[str, Callable[[torch.device], bool | None]] = {
    "training": checks.speed,
    "observation": checks.observation,
    "essay": checks.essay,
    "neighbours": checks.compare_neighbours,
    "replay": checks.replay,
    "examiner": checks.replay_examined,
    "speak": checks.speak,
    "energy": checks.meter,
}


def main(arguments: list[str]) -> int:
    """Run the named checks. Returns the exit status: 1 if a goal was missed or a check failed."""
    parser = argparse.ArgumentParser("python -m benchmarks.gpu")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(CHECKS)}; default: all")
    parser.add_argument("--device", choices=("cuda", "mps", "cpu"), help="instead of the card that is found")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(CHECKS):
        parser.error(f"no such check: {', '.join(sorted(unknown))}")
    device = torch.device(given.device) if given.device else checks.find_card()
    if device is None:
        print("no GPU: not run")
        return 0
    passed = [_run(name, device) for name in given.names or CHECKS]
    return 0 if all(passed) else 1


def _run(name: str, device: torch.device) -> bool:
    try:
        return judge(lambda: CHECKS[name](device))
    except Exception as error:  # noqa: BLE001 - machines with a card are rare: one check that breaks stops no other
        traceback.print_exc()
        print(json.dumps({"bench": f"gpu_{name}", "error": str(error) or type(error).__name__}), flush=True)
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
