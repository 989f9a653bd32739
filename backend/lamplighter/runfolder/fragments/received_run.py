"""A run that arrives in fragments from another machine: its record here, and what it takes over from each.

All that arrives is foreign, and is checked as an imported run is. A fragment and the position that it leads to are committed in
one transaction, so that each counts exactly once even if the process is killed.
"""

from __future__ import annotations

import json
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from lamplighter.contract.sentences import say
from lamplighter.platform.private_modes import open_regular
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.fragments.fragment import (
    MAX_STEPS,
    RECEIVED_FACT,
    Fragment,
    FragmentHeader,
    Position,
    read_opening,
)
from lamplighter.runfolder.importing.checked_steps import CheckedSteps
from lamplighter.runfolder.importing.imported_run import IMPORTED_FACT
from lamplighter.runfolder.importing.run_checks import MAX_APPLIED, MAX_EVENTS, RunChecks
from lamplighter.runfolder.importing.untrusted_sqlite import UntrustedFile
from lamplighter.runfolder.lineage import split_step_key, step_key
from lamplighter.runfolder.phase import ENDED_PHASES, Phase
from lamplighter.runfolder.role_lock import RoleLock, RoleTakenError
from lamplighter.runfolder.run_folder import RunFolder, write_atomically
from lamplighter.runfolder.run_store import RECEIVED_FILE, create_recorded_run
from lamplighter.runfolder.tables import steps
from lamplighter.runfolder.tables.scalars import MAX_SCALARS
from lamplighter.runfolder.tables.steps import OPTIONAL_TABLES, StepsWriter

_REPLACED = ("scalars", "energy")
"""Tables whose value of the newest step may change."""


class GapError(ValueError):
    """An error for a fragment that does not continue the record; `position` is where the record ends."""

    def __init__(self, position: Position) -> None:
        super().__init__(f"the record ends with step {position.step:,} of attempt {position.attempt}")
        self.position = position


class OtherContentError(ValueError):
    """An error for a fragment that contradicts what arrived before it."""


class ReceivedSteps(StepsWriter):
    """A writer that takes over the checked rows of fragments."""

    def facts(self) -> dict[str, Any]:
        rows: Any = self._connection.execute("SELECT name, value FROM facts")
        return {name: json.loads(value) for name, value in rows}

    def insert_fragment(
        self, checked: CheckedSteps, header: FragmentHeader, before: Position
    ) -> tuple[Position, dict[str, Any]]:
        """Insert what is new in a fragment, inside a transaction. Return the new position, and the new facts.
        Raises GapError if steps between are missing, OtherContentError if it has other steps than those
        that are there, FormatError if a row is invalid.
        """
        checked.require_pulses(step_key(header.after.attempt, header.after.step), MAX_STEPS)
        # Write first: a transaction that has read cannot wait for a checkpoint of the WAL.
        self.set_facts({RECEIVED_FACT: before.model_dump()})
        attempt, step = self._append_pulses(checked, header, before)
        self.attempt = max(self.attempt, attempt)
        self._append_parts(checked, step_key(before.attempt, before.step), step_key(attempt, step))
        event, applied = before.event, before.applied
        for number, *values in checked.events():
            if number > event:
                self._connection.execute(
                    "INSERT INTO events(time,attempt,step,kind,message) VALUES(?,?,?,?,?)", values
                )
                event = number
        for number, *values in checked.applied():
            if number > applied:
                self._connection.execute(
                    "INSERT OR IGNORE INTO applied(server,request,time,attempt,step,kind,body) VALUES(?,?,?,?,?,?,?)",
                    values,
                )
                applied = number
        if event > MAX_EVENTS or applied > MAX_APPLIED:
            raise FormatError(f"more than {MAX_EVENTS:,} events or {MAX_APPLIED:,} applied requests")
        newer = header.to.made > before.made
        facts = checked.facts if newer else {}
        if facts.get("phase", Phase.RUNNING) not in list(Phase):
            raise FormatError(f"{facts['phase'][:40]!a} is not a phase of a run")
        made = max(header.to.made, before.made)
        position = Position(attempt=attempt, step=step, event=event, applied=applied, made=made)
        self.set_facts(facts | {RECEIVED_FACT: position.model_dump()})
        return position, facts

    def _append_pulses(
        self, checked: CheckedSteps, header: FragmentHeader, before: Position
    ) -> tuple[int, int]:
        """Insert the steps and the attempts that they belong to. Return the attempt and step reached."""
        attempt, step = before.attempt, before.step
        for row, digest, record in checked.pulses():
            of, at = split_step_key(row)
            if row <= step_key(before.attempt, before.step):
                found: Any = self._connection.execute("SELECT digest, record FROM pulses WHERE id=?", (row,))
                if found.fetchall() != [(digest, record)]:
                    raise OtherContentError(f"step {at:,} is there with other content")
                continue
            begins = of > attempt and at == max(1, checked.attempts[of][0])
            if not begins and (of, at) != (attempt, step + 1):
                raise GapError(Position(attempt=attempt, step=step))
            attempt, step = of, at
            self._connection.execute("INSERT INTO pulses VALUES(?,?,?)", (row, digest, record))
            self._pruning.prune(at)
        if header.attempt > attempt and header.attempt in checked.attempts:
            attempt, step = header.attempt, max(0, checked.attempts[header.attempt][0] - 1)
        for number, (first, opened) in checked.attempts.items():
            if before.attempt < number <= attempt:
                self._connection.execute("INSERT INTO attempts VALUES(?,?,?)", (number, first, opened))
        return attempt, step

    def _append_parts(self, checked: CheckedSteps, before: int, end: int) -> None:
        """Insert the matrices and values of the steps since the row `before`, and what was added to its step later."""

        def insert(table: str, row: int, *values: Any) -> None:
            if before <= row <= end:
                how = "REPLACE" if table in _REPLACED else "IGNORE"
                places = ",".join("?" * (1 + len(values)))
                self._connection.execute(f"INSERT OR {how} INTO {table} VALUES({places})", (row, *values))

        for moved in checked.rows():
            insert("rows", *moved)
        for keyframe in checked.keyframes():
            insert("keyframes", *keyframe)
        for table, row, value in checked.values():
            if table in OPTIONAL_TABLES:
                self._connection.execute(OPTIONAL_TABLES[table])
            insert(table, row, value)
            if table == "scalars" and (row - end) % 64 == 0:
                self._require_few_scalars()

    def _require_few_scalars(self) -> None:
        found: Any = self._connection.execute(
            "SELECT count(DISTINCT key) FROM scalars, json_each(scalars.numbers)"
        )
        if found.fetchall()[0][0] > MAX_SCALARS:
            raise FormatError(f"more than {MAX_SCALARS} names of logged numbers")


BUSY_ERRORS = (RoleTakenError, apsw.CantOpenError, apsw.ReadOnlyError)
"""Errors of a record that another process holds, or whose folder was moved away."""
_REMEMBERED = 16
_DATABASE_BEGIN = b"SQLite format 3\0"


class ReceivedRun:
    """The record of a run that arrives in fragments. It holds the trainer's role. Not thread-safe."""

    def __init__(self, run: RunFolder) -> None:
        """Open the record of a run that `create_received_run` made. Raises RoleTakenError if another process
        holds the role, for example to compact the run, FormatError if this version cannot read the folder.
        """
        self.run = run
        self._lock = RoleLock(run.path, "trainer")
        try:
            self._writer = ReceivedSteps(run.steps_path)
        except BaseException:
            self._lock.close()
            raise
        facts = self._writer.facts()
        if RECEIVED_FACT not in facts:
            facts = {IMPORTED_FACT: time.time(), RECEIVED_FACT: Position().model_dump()}
            self._writer.set_facts(facts)
        self.position = Position.model_validate(facts[RECEIVED_FACT])
        """How far its fragments have been taken over."""
        self.has_ended = facts.get("phase") in ENDED_PHASES
        """Whether the last fragment said that the run is over."""
        self._taken: deque[str] = deque(maxlen=_REMEMBERED)
        """Digests of the newest fragments that were taken over."""

    def take_over(self, fragment: Fragment) -> bool:
        """Take over what is new in a fragment. Return whether anything was: the same fragment again changes
        nothing.

        Raises GapError if fragments between are missing, OtherContentError if it has other steps than
        those that arrived before, FormatError if it is invalid. If the disk is full (`DISK_FULL_ERRORS`),
        nothing is kept.
        """
        header, before = fragment.header, self.position
        if fragment.digest in self._taken:
            return False
        if header.kind != "steps" or header.run != self.run.id:
            raise FormatError("the fragment belongs to another run")
        if not before.reaches(header.after):
            raise GapError(before)
        body = fragment.unpack()
        if not body.startswith(_DATABASE_BEGIN):
            raise FormatError("the body of the fragment is not a database")
        checks = RunChecks(len(self.run.vocabulary), self.run.recipe.model.dim, None, lambda: None)
        checks.set_last_step(max(before.step, header.last))
        with (
            UntrustedFile(body, steps.WHOLE_SCHEMA, checks) as file,
            self._writer.transaction(),
        ):
            position, facts = self._writer.insert_fragment(CheckedSteps(file, checks), header, before)
        self.position = position
        self._taken.append(fragment.digest)
        if "phase" in facts:
            self.has_ended = facts["phase"] in ENDED_PHASES
        return position != before

    def note_gap(self) -> None:
        self._writer.add_event(self.position.step, "gap", say("fragments_missing", step=self.position.step))

    def bytes_used(self) -> int:
        return self._writer.bytes_used()

    def close(self) -> None:
        """Close the record, sealed if the run is over, and release the role."""
        try:
            self._writer.close(sealed=self.has_ended, patience=1.0)
        finally:
            self._lock.close()


def create_received_run(path: Path, opening: Fragment, origin: str) -> RunFolder:
    """Create the folder of a run, `path`, from its opening. It appears complete, or not at all. `origin`:
    where the run comes from (`read_arrival`). Raises FormatError if the opening is invalid,
    FileExistsError if the folder is there, OSError if it cannot be created.
    """
    if opening.header.run != path.name:
        raise FormatError("the opening belongs to another run")
    recipe, vocabulary, identity = read_opening(opening)
    arrival = json.dumps({"origin": origin, "identity": identity, "opening": opening.digest})
    return create_recorded_run(
        path, recipe, vocabulary, lambda folder: write_atomically(folder / RECEIVED_FILE, arrival)
    )


class Arrival(NamedTuple):
    """Where a received run came from."""

    origin: str
    identity: str | None
    """None if its opening was of an earlier version; its name alone tells it from others then."""
    opening: str | None
    """The digest of its opening; None if it was received by an earlier version."""


def read_arrival(run: Path) -> Arrival | None:
    with suppress(OSError, ValueError):
        with open(run / RECEIVED_FILE, encoding="utf-8", opener=open_regular) as file:
            found: Any = json.load(file)
        if isinstance(found, dict) and isinstance(found.get("origin"), str):
            return Arrival(found["origin"], found.get("identity"), found.get("opening"))
    return None
