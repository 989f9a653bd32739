"""The worker processes on a folder's runs, started by any process; and a count of their deaths."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import psutil

from lamplighter.platform.failpoint import LOG_PREFIX
from lamplighter.runfolder.role_lock import RoleState, role_state
from lamplighter.runfolder.run_folder import RunFolder

ROLES = {"trainer": "training", "projector": "projection", "analyst": "analysis"}
PLACES = {
    "checkpoint": ("checkpoint-write", "checkpoint-unsynced", "checkpoint-unnamed", "checkpoint-named"),
    "wal": ("wal-checkpoint",),
    "tiling": ("tiling", "tiling-uncommitted"),
    "handover": ("handover", "compact"),
    "layout": ("layout-commit", "layout-uncommitted"),
    "export": ("export", "export-unnamed"),
    "seal": ("seal",),
}
"""The failpoints of each place that a kill can be inside of."""


class Deaths:
    """A count of deaths by place and by process."""

    def __init__(self) -> None:
        self.places: Counter[str] = Counter()
        self.processes: Counter[str] = Counter()
        self.tracebacks = 0
        """Number of workers that ended with an error of their own."""
        self._read: dict[Path, int] = {}

    @property
    def total(self) -> int:
        """Return the number of deaths."""
        return self.processes.total()

    def count(self, process: str, place: str = "anywhere") -> None:
        """Add one death."""
        self.places[place] += 1
        self.processes[process] += 1

    def count_reported(self, process: str, said: str) -> int:
        """Add the deaths that a process's output reports. Returns how many."""
        found = 0
        for line in said.splitlines():
            name = line.partition(LOG_PREFIX)[2].strip()
            for place, names in PLACES.items():
                if name in names:
                    self.count(process, place)
                    found += 1
        return found

    def read_logs(self, runs: list[RunFolder]) -> None:
        """Add the deaths that the workers' logs report since the last call."""
        for run in runs:
            for role in ROLES:
                path = run.path / "logs" / f"{role}.log"
                if path.exists():
                    text = path.read_text(encoding="utf-8", errors="replace")
                    whole = text[: text.rfind("\n") + 1]
                    fresh = whole[self._read.get(path, 0) :]
                    self.count_reported(role, fresh)
                    self.tracebacks += fresh.count("Traceback (most recent call last)")
                    self._read[path] = len(whole)


def workers(runs: Path) -> list[tuple[str, str, psutil.Process]]:
    """Return (role, run, process) of every living worker on a run below `runs`."""
    modules = {f"lamplighter.{room}.worker": role for role, room in ROLES.items()}
    found: list[tuple[str, str, psutil.Process]] = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            ours = next((Path(word) for word in words if Path(word).parent == runs), None)
            role = next((modules[word] for word in words if word in modules), None)
            if ours is not None and role is not None and process.status() != psutil.STATUS_ZOMBIE:
                found.append((role, ours.name, process))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def workers_with_role(runs: Path) -> list[tuple[str, str, psutil.Process]]:
    """Return those of `workers` that already hold their role."""
    return [
        (role, run, process)
        for role, run, process in workers(runs)
        if role_state(runs / run, role) is RoleState.HELD
    ]


def kill_process(process: psutil.Process) -> bool:
    """Send `kill -9`. Returns False if the process was already gone."""
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        process.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        return False
    return True


def wait_until_gone(processes: list[psutil.Process]) -> None:
    """Wait until every process has ended; a zombie counts as ended."""
    for process in processes:
        while True:
            try:
                if process.status() == psutil.STATUS_ZOMBIE:
                    break
                process.wait(0.02)
            except psutil.TimeoutExpired:
                continue
            except psutil.NoSuchProcess:
                pass
            break
