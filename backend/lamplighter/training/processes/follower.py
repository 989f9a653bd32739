"""A process that trains with others: `python -m lamplighter.training.processes.follower FOLDER RANK SIZE`.

Process 0 starts it and tells it what to do. It ends at once when process 0 does.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from pathlib import Path

from lamplighter.platform.worker_limits import limit_worker_files
from lamplighter.processes.worker import ExitCode, watch_parent
from lamplighter.training.processes.group import ProcessLostError, join_group, leave_group


def follow_here(folder: Path | None, rank: int, size: int) -> ExitCode:
    """Join the group (`join_group`) and train until process 0 says that it is over. SIGINT and SIGTERM are left
    to process 0, which ends all. Returns the exit code: `CANCELLED` if another process has ended.
    """
    from lamplighter.training.processes.shared_model import follow

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    limit_worker_files()
    try:
        join_group(folder, rank, size)
        follow()
    except ProcessLostError:
        return ExitCode.CANCELLED
    except (MemoryError, RuntimeError, ValueError) as error:
        print(f"a process of the training: {str(error).partition(chr(10))[0]}", file=sys.stderr)
        return ExitCode.FAILED
    leave_group()
    return ExitCode.DONE


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
    code = follow_here(chosen.folder, chosen.rank, chosen.size)
    # The group may tell of the end of process 0 before its pipe does.
    if code == ExitCode.CANCELLED:
        clear()
    return code


if __name__ == "__main__":
    sys.exit(main())
