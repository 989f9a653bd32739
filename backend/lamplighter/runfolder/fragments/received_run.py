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
from lamplighter.platform.regular_file import open_regular
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.fragments.fragment import RECEIVED_FACT, Fragment, Position
from lamplighter.runfolder.fragments.opening import read_opening
from lamplighter.runfolder.fragments.received_steps import GapError, ReceivedSteps
from lamplighter.runfolder.importing.checked_steps import CheckedSteps
from lamplighter.runfolder.importing.imported_run import IMPORTED_FACT
from lamplighter.runfolder.importing.run_checks import RunChecks
from lamplighter.runfolder.importing.untrusted_sqlite import UntrustedFile
from lamplighter.runfolder.phase import ENDED_PHASES
from lamplighter.runfolder.role_lock import RoleLock, RoleTakenError
from lamplighter.runfolder.run_folder import RunFolder, write_atomically
from lamplighter.runfolder.run_store import RECEIVED_FILE, create_recorded_run
from lamplighter.runfolder.tables import steps

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
