"""The program, reporting its disk accesses on an event loop: `python -m
tests.support.watched_application`.
"""

from __future__ import annotations

import sys

from lamplighter.cli import main
from tests.support.machine.disk_accesses import FOUND, LoopGuard


class _SayingGuard(LoopGuard):
    def _report(self, access: str) -> None:
        print(FOUND + access.replace("\n", " <"), file=sys.stderr, flush=True)


if __name__ == "__main__":
    with _SayingGuard().process():
        main()
