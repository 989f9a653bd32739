"""A process that trains with others: `python -m lamplighter.training.processes.follower FOLDER RANK SIZE`.

Process 0 starts it and tells it what to do. It ends at once when process 0 does.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from lamplighter.processes.worker import ExitCode, watch_parent
from lamplighter.training.processes.crew import follow_here, join_group


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lamplighter.training.processes.follower")
    parser.add_argument("folder", type=Path)
    parser.add_argument("rank", type=int)
    parser.add_argument("size", type=int)
    chosen = parser.parse_args()

    def clear() -> None:
        # Process 0 deletes the folder, unless it was killed.
        shutil.rmtree(chosen.folder, ignore_errors=True)

    def end() -> None:
        clear()
        os._exit(ExitCode.CANCELLED)

    watch_parent(end)
    code = follow_here(lambda: join_group(chosen.folder, chosen.rank, chosen.size))
    # The group may tell of the end of process 0 before its pipe does.
    if code == ExitCode.CANCELLED:
        clear()
    return code


if __name__ == "__main__":
    sys.exit(main())
