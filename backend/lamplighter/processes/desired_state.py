"""The workers that each run needs, derived from its folder alone.

A check compares the times of a few files and opens only those that changed, so checking a store of finished runs twice
a second costs almost nothing.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass

from lamplighter.runfolder.errors import READ_ERRORS, FormatError
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.current_map import read_map_settings
from lamplighter.runfolder.reading.run_status import waits_for_map, wants_training
from lamplighter.runfolder.role_lock import RoleState, role_state
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_set import is_member
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.finalise import unsealed_roles

FilesMark = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class _RunNeeds:
    mark: FilesMark
    training: bool
    """True if a trainer of ours is needed: the run is not over, or a request to continue it is pending."""
    last: int = 0
    """The last step of a run that we do not train."""
    pending_requests: tuple[tuple[str, int], ...] = ()
    """Pending requests about the map of a run that we do not train, as server and number."""
    behind: tuple[bool, bool] = (False, False)
    """For a run that we do not train: whether its map, and its measures or tiles, end before the last step, or its
    curve lacks measures after its end."""
    over: bool = False
    """True if no process trains the run, not even a loop outside this program."""
    left_open: tuple[str, ...] = ()
    """For a run that is over, the roles whose file is not finalised."""


class DesiredState:
    """The desired state of the workers of each run, as of the last poll."""

    def __init__(self, *, sweeping: bool = False) -> None:
        """Know no run. `sweeping`: the members of sets are to be trained, too."""
        self._sweeping = sweeping
        self._known: dict[str, _RunNeeds] = {}
        self._alive: dict[str, bool] = {}
        self._spells: dict[str, int] = {}
        self._runs: list[RunFolder] = []
        self._begun: set[str] = set()
        """Ids of the runs that do not wait for a map."""

    def runs(self) -> list[RunFolder]:
        return self._runs

    def refresh(self, runs: list[RunFolder]) -> None:
        """Read the state of these runs again, and forget all others."""
        self._runs = runs
        run_ids = {run.id for run in runs}
        self._known = {name: known for name, known in self._known.items() if name in run_ids}
        self._spells = {name: spell for name, spell in self._spells.items() if name in run_ids}
        self._begun &= run_ids
        before, self._alive = self._alive, {}
        for run in runs:
            known = self._read_run(run)
            # A run that is over has no trainer; skipping its lock keeps a long list of runs cheap.
            alive = (known is None or not known.over) and self._is_alive(run, before)
            self._alive[run.id] = alive
            if alive and not before.get(run.id):
                self._spells[run.id] = self._spells.get(run.id, 0) + 1

    @staticmethod
    def _is_alive(run: RunFolder, before: dict[str, bool]) -> bool:
        state = role_state(run.path, "trainer")
        # If the lock cannot be read, keep the state: starting or finalising checks the lock again.
        return before.get(run.id, False) if state is RoleState.UNKNOWN else state is RoleState.HELD

    def note_trainer_started(self, run: RunFolder) -> None:
        """Note that a trainer was started, before it has its lock."""
        self._alive[run.id] = True
        self._spells[run.id] = self._spells.get(run.id, 0) + 1

    def is_trained(self, run: RunFolder) -> bool:
        """Return whether a trainer was running at the last poll, or was started since."""
        return self._alive.get(run.id, False)

    def needed_state(self, run: RunFolder, role: str) -> object | None:
        """Return the state for which a role is needed in a run, or None if it is not needed. A worker that succeeded is
        not needed again for the same state."""
        if role not in ("trainer", "examiner") and self.is_trained(run):
            if is_member(run) or (role == "analyst" and self._is_held(run)):
                # Leave the cores to the other members of the set, or to the map that the run waits for.
                return None
            return ("live", self._spells[run.id])
        known = self._known.get(run.id)
        if known is None or role == "examiner":
            return None
        if role == "trainer":
            return ("train", known.mark) if known.training else None
        behind = known.behind[0 if role == "projector" else 1]
        if not behind:
            return None
        return (
            ("finish", known.last, known.pending_requests) if role == "projector" else ("finish", known.last)
        )

    def _is_held(self, run: RunFolder) -> bool:
        """Return whether a run waits for its first map. Once it does not, it never does again."""
        if run.id not in self._begun:
            with suppress(*READ_ERRORS):
                if waits_for_map(run):
                    return True
            self._begun.add(run.id)
        return False

    def roles_to_finalise(self, run: RunFolder) -> tuple[str, ...]:
        """Return the roles that are no longer needed and whose file is not finalised."""
        known = self._known.get(run.id)
        if known is None or self.is_trained(run):
            return ()
        return tuple(role for role in known.left_open if self.needed_state(run, role) is None)

    def _read_run(self, run: RunFolder) -> _RunNeeds | None:
        mark = _files_mark(run)
        known = self._known.get(run.id)
        if mark is None:
            # The state still holds, for example if too many files are open. A run that was moved away is no longer
            # listed.
            return known
        if known is None or known.mark != mark:
            try:
                known = _read_needs(run, mark, sweeping=self._sweeping)
            except (FormatError, OSError, ValueError):
                self._known.pop(run.id, None)
                return None
            self._known[run.id] = known
        return known


def requests_mark(run: RunFolder) -> FilesMark | None:
    """Return a value that changes with each request to the run; None if the folder cannot be read now."""
    mark = _files_mark(run)
    return None if mark is None else tuple(entry for entry in mark if entry[0].startswith("requests-"))


def _files_mark(run: RunFolder) -> FilesMark | None:
    """Return name, time of change and size of each database and of its WAL: a commit made while another process reads
    stays in the WAL."""
    found: list[tuple[str, int, int]] = []
    try:
        with os.scandir(run.path) as entries:
            for entry in entries:
                if not entry.name.endswith((".sqlite", ".sqlite-wal")):
                    continue
                facts = entry.stat()
                # A reader makes an empty WAL.
                if facts.st_size or not entry.name.endswith("-wal"):
                    found.append((entry.name, facts.st_mtime_ns, facts.st_size))
    except OSError:
        return None
    return tuple(sorted(found))


def _read_needs(run: RunFolder, mark: FilesMark, *, sweeping: bool) -> _RunNeeds:
    _ = run.recipe  # Raises if it cannot be read: such a run cannot be trained.
    if wants_training(run, sweeping=sweeping):
        return _RunNeeds(mark, training=True)
    if not run.steps_path.exists():
        # A member that its sweep has not begun.
        return _RunNeeds(mark, training=False)
    with StepsReader(run.steps_path) as reader:
        lineage, (_, last) = reader.lineage(), reader.newest_step()
        over, untiled = reader.phase().has_ended, reader.has_rows()
    drawing = read_map_settings(run)
    pending = tuple((request.server, request.id) for request in drawing.pending)
    undrawn = _last_layout(run, lineage) < last or not drawing.settled or bool(pending)
    return _RunNeeds(
        mark,
        False,
        last,
        pending,
        (undrawn, _last_measure(run, lineage) < last or untiled or (over and _lacks_measures(run))),
        over,
        unsealed_roles(run) if over else (),
    )


def _last_layout(run: RunFolder, lineage: Lineage) -> int:
    try:
        with LayoutsReader(run.layouts_path) as reader:
            return max(
                (e.step for e in reader.layout_entries() if lineage.counts(e.attempt, e.step)),
                default=-1,
            )
    except FileNotFoundError:
        return -1


def _last_measure(run: RunFolder, lineage: Lineage) -> int:
    try:
        with MeasuresReader(run.measures_path) as reader:
            return reader.last_step(lineage)
    except FileNotFoundError:
        return -1


def _lacks_measures(run: RunFolder) -> bool:
    # A run on a read-only medium keeps the measures it has.
    if not os.access(run.path, os.W_OK):
        return False
    # Imported only for a finished run: the server answers before it looks at any.
    from lamplighter.runfolder.reading.curves import read_curve_measures
    from lamplighter.runfolder.reading.matrix_history import MatrixHistory

    with MatrixHistory(run) as history:
        return bool(read_curve_measures(run, history).lacking)
