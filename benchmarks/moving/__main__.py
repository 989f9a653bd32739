"""Command line: `python -m benchmarks.moving record NAME` records a history, `compare FILE` draws it with every method.

The methods' packages are not needed by the project. Those that are missing are skipped with a line that says how to install
them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.moving.compare import compare, print_one
from benchmarks.moving.histories import FRAMES, HISTORIES, HistoryError, write_history
from benchmarks.moving.methods import METHODS


def main(arguments: list[str] | None = None) -> int:
    """Run a command. Returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.moving", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    record = commands.add_parser("record", help="record a history into a file")
    record.add_argument("name", choices=HISTORIES)
    record.add_argument("--out", type=Path, help="the file (NAME.npz)")
    record.add_argument(
        "--seed", type=_whole(0, 2**32 - 1), default=0, help="the seed of the training or of the clusters (0)"
    )
    record.add_argument("--frames", type=_whole(2, 10_000), help="its frames (town 61, text 31, large 9)")
    comparing = commands.add_parser("compare", help="draw a history with every method")
    comparing.add_argument("file", type=Path)
    comparing.add_argument(
        "--methods", type=_methods, default=list(METHODS), help=f"some of {','.join(METHODS)}"
    )
    one = commands.add_parser("one", help="draw a history with one method, in this process")
    one.add_argument("file", type=Path)
    one.add_argument("method", choices=METHODS)
    for drawing in (comparing, one):
        drawing.add_argument("--frames", type=_whole(2, 10_000), help="the first frames only")
        drawing.add_argument(
            "--minutes",
            type=_whole(1, 1_440),
            default=10,
            help="processor time after which a method is stopped (10)",
        )
    given = parser.parse_args(arguments)
    try:
        match given.command:
            case "record":
                history = HISTORIES[given.name](given.frames or FRAMES[given.name], given.seed)
                path = given.out or Path(f"{given.name}.npz")
                write_history(path, history)
                moved = history.moved[1:].mean()
                print(
                    f"{path}: {history.about}; {history.vectors.shape}, {moved:.1%} of the rows move in a frame"
                )
                return 0
            case "compare":
                return compare(given.file, given.methods, given.frames, given.minutes)
            case _:
                return print_one(given.file, given.method, given.frames, given.minutes)
    except (HistoryError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _whole(least: int, most: int) -> Callable[[str], int]:
    """Return what reads a number between two bounds."""

    def read(text: str) -> int:
        number = int(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"a number from {least} to {most}, not {number}")
        return number

    read.__name__ = "number"
    return read


def _methods(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in METHODS]:
        raise argparse.ArgumentTypeError(f"no such method: {unknown[0]}; there are {', '.join(METHODS)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
