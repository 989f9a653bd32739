"""A supervisor whose workers are one line of Python each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lamplighter.processes.supervisor import Supervisor, SupervisorLimits
from lamplighter.runfolder.run_store import RunStore
from tests.support.waiting import wait_until

QUICK = SupervisorLimits(poll_seconds=0.02, first_restart_delay=0.02, stop_seconds=1.0)
SLEEP = "import time; time.sleep(60)"
FAIL = "import sys; print('the text is too short', file=sys.stderr); sys.exit(4)"


# A supervisor recognises a real worker by the role it holds.
HOLD = (
    "import sys, time; from pathlib import Path; from lamplighter.runfolder.role_lock import RoleLock\n"
    "lock = RoleLock(Path(sys.argv[2]), sys.argv[1]); time.sleep(60)"
)


class Started(list[tuple[str, str]]):
    """The (role, run) of every started worker, and the code that each role runs."""

    def __init__(self, **codes: str) -> None:
        super().__init__()
        self.codes = codes

    def command(self, role: str, run: Path) -> list[str]:
        self.append((role, run.name))
        return [sys.executable, "-c", self.codes[role], role, str(run)]


class CountedSupervisor(Supervisor):
    """A supervisor that counts its rounds over all runs."""

    polls = 0

    def poll(self) -> None:
        super().poll()
        self.polls += 1


@contextmanager
def supervising(
    folder: Path,
    started: Started,
    limits: SupervisorLimits = QUICK,
    roles: tuple[str, ...] = ("trainer", "projector", "analyst"),
) -> Iterator[CountedSupervisor]:
    supervisor = CountedSupervisor(RunStore(folder), roles, limits, started.command)
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()


def let_it_look(supervisor: CountedSupervisor) -> None:
    """Wait for three more rounds over all runs: a worker that should start does so in the first."""
    enough = supervisor.polls + 4
    wait_until(lambda: supervisor.polls >= enough)
