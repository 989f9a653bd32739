"""`steps.sqlite`: the record of the steps, one row per step. Writer: the trainer.

Reader: `steps_reader.py`. The key combines attempt and step in one integer, so that rows are appended in order. Several
attempts can hold the same step. The *lineage* is the sequence of steps that count: each step counts in the newest
attempt that began at or before it (`docs/architecture.md`, "Attempts and crashes").
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.documented_model import DocumentedRecord
from lamplighter.contract.sentences import encode_message
from lamplighter.runfolder.errors import READ_ERRORS, FormatError
from lamplighter.runfolder.lineage import Lineage, split_step_key, step_key
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.sqlite.database import FORMAT_VERSION
from lamplighter.runfolder.tables.facts import APPLIED_TABLE, FACTS_TABLE, FactsWriter
from lamplighter.runfolder.tables.row_pruning import RowPruning
from lamplighter.runfolder.tables.tiles import TilesReader, clip_to_lineage


class KeyframeThinning:
    """The choice of keyframes to drop, on the connection of the writer of `steps.sqlite`."""

    def __init__(self, connection: apsw.Connection, tiles_path: Path) -> None:
        self._connection = connection
        self._tiles_path = tiles_path

    def find_surplus(self, step: int | None = None) -> int | None:
        """Return the row id of the most redundant keyframe; None if none can be dropped. Never the first, nor
        one that moved rows of the next step apply to. `step`: the step about to get a keyframe; None: none
        is about to, and the newest stays.
        """
        lineage = self._lineage()
        alone = self._rows(
            "SELECT id FROM keyframes WHERE NOT EXISTS (SELECT 1 FROM rows WHERE id=keyframes.id+1)"
        )
        counted: list[int] = []
        loose: set[int] = set()
        for row in self._rows("SELECT id FROM keyframes ORDER BY id"):
            if not lineage.counts(*split_step_key(row)):
                return row
            counted.append(row)
        ends = {part.last for part in lineage.ranges}
        try:
            tiled = self._tiled(lineage)
        except READ_ERRORS:
            # Unknown whether tiles need a keyframe.
            return None
        for row in alone:
            at = split_step_key(row)[1]
            if at not in ends and not any(first <= at + 1 <= last for first, last in tiled):
                loose.add(row)
        steps = np.array([split_step_key(row)[1] for row in counted], np.int64)
        free = np.array([row in loose for row in counted], bool)
        if step is None and counted:
            step, steps, free = int(steps[-1]), steps[:-1], free[:-1]
        index = None if step is None else find_most_redundant(steps, step, free)
        return None if index is None else counted[index]

    def drop(self, row: int) -> None:
        """Drop a keyframe. The next record reuses its pages."""
        self._connection.execute("DELETE FROM keyframes WHERE id=?", (row,))

    def _lineage(self) -> Lineage:
        found: Any = self._connection.execute(
            "SELECT attempt, first_step FROM attempts ORDER BY attempt DESC"
        )
        return Lineage.of_attempts(found.fetchall())

    def _tiled(self, lineage: Lineage) -> list[tuple[int, int]]:
        try:
            with TilesReader(self._tiles_path) as tiles:
                return [(part.first, part.last) for part in clip_to_lineage(tiles.stretches(), lineage)]
        except FileNotFoundError:
            return []

    def _rows(self, query: str) -> list[int]:
        found: Any = self._connection.execute(query)
        return [row for (row,) in found]


def find_most_redundant(steps: NDArray[np.int64], now: int, free: NDArray[np.bool_]) -> int | None:
    """Return the index of the step whose removal leaves the smallest gap, in logarithms of ages. `steps`:
    those before the next step `now`, ascending, shape (N,); the first stays. `free`: which may be dropped,
    shape (N,).
    """
    if len(steps) < 2:
        return None
    # The series begins with the distance between the newest two.
    ages = np.log((now - np.append(steps, now) + now - steps[-1]).astype(np.float64))
    gaps = ages[:-2] - ages[2:]
    gaps[~free[1:]] = np.inf
    index = int(np.argmin(gaps))
    return index + 1 if np.isfinite(gaps[index]) else None


SCHEMA = f"""
CREATE TABLE {FACTS_TABLE};
CREATE TABLE attempts(attempt INTEGER PRIMARY KEY, first_step INTEGER NOT NULL, opened REAL NOT NULL);
CREATE TABLE pulses(id INTEGER PRIMARY KEY, digest BLOB NOT NULL, record BLOB NOT NULL);
CREATE TABLE rows(id INTEGER PRIMARY KEY, record BLOB NOT NULL);
CREATE TABLE keyframes(id INTEGER PRIMARY KEY, record BLOB NOT NULL, census BLOB NOT NULL);
CREATE TABLE events(id INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL, attempt INTEGER NOT NULL,
    step INTEGER NOT NULL, kind TEXT NOT NULL, message TEXT NOT NULL);
CREATE TABLE {APPLIED_TABLE};
CREATE TABLE held_out(id INTEGER PRIMARY KEY, loss REAL NOT NULL);
CREATE TABLE lines(id INTEGER PRIMARY KEY, said TEXT NOT NULL);
CREATE TABLE scalars(id INTEGER PRIMARY KEY, numbers TEXT NOT NULL);
CREATE TABLE energy(id INTEGER PRIMARY KEY, spent TEXT NOT NULL);
"""
"""The tables of the file; an imported file must have exactly these, with or without the next."""
OPTIONAL_TABLES = {
    name: f"CREATE TABLE IF NOT EXISTS {name}(id INTEGER PRIMARY KEY, record BLOB NOT NULL);"
    for name in ("kept_rows", "top_losses")
}
"""Tables that are made for their first record: most runs have none, and an empty table takes a page."""
WHOLE_SCHEMA = SCHEMA + "".join(OPTIONAL_TABLES.values())
TABLES_OF_STEPS = ("rows", "keyframes", "held_out", "lines", "scalars", "energy", *OPTIONAL_TABLES)
"""The tables beside `pulses` with at most one row of a step."""

PAGE_SIZE = 16_384
"""Large enough for pulses of 3 kB to share a page; with pages of 4 kB each pulse would waste a quarter of one."""


@dataclass(frozen=True)
class StepRecord:
    """The encoded record of one step, committed in one transaction."""

    step: int
    pulse: bytes
    digest: bytes
    """A digest of the values that recomputing the step must reproduce; excludes times."""
    rows: bytes | None = None
    keyframe: bytes | None = None
    census: bytes | None = None
    """The census; present exactly when the keyframe is."""
    held_out_loss: float | None = None
    """The loss after the step on text that training never reads, in nats; measured with a keyframe."""
    lines: str | None = None
    """The lines that the model said after the step, encoded (`lines.py`); None if it said none."""
    scalars: str | None = None
    """Numbers that the loop logged with the step, encoded (`scalars.py`); None if it logged none."""
    energy: str | None = None
    """The energy that training took up to the step, encoded (`energy.py`); None if it was not read."""
    kept_rows: bytes | None = None
    """The rows that are kept of every step, encoded as rows; None if there are none, or if they can be rebuilt."""
    top_losses: bytes | None = None
    """The predictions with the largest losses, encoded (`wire/top_losses.py`); None if they are not known."""
    replaced_keyframe: int | None = None
    """The row of the keyframe that this one replaces; None if there is room for both."""


@dataclass(frozen=True)
class TimelineEvent(DocumentedRecord):
    """An event shown on the timeline."""

    id: int
    time: float
    attempt: int
    step: int
    kind: str
    message: str


def phase_in(facts: dict[str, Any]) -> Phase:
    """Return the phase in the facts of a run; `waiting` if there is none. Raises FormatError if this version
    does not know the phase.
    """
    name = facts.get("phase", Phase.WAITING)
    try:
        return Phase(name)
    except ValueError:
        raise FormatError(f"steps.sqlite: {str(name)[:80]!r} is not a phase of a run") from None


class StepsWriter(FactsWriter):
    """The trainer's writer of `steps.sqlite`. Not thread-safe."""

    def __init__(self, path: Path, version: int = FORMAT_VERSION) -> None:
        """Open or create the file. `version`: the format of what will be written."""
        self._path = path
        super().__init__(path, SCHEMA, PAGE_SIZE, version)
        tiles_path = path.with_name("tiles.sqlite")
        self._pruning = RowPruning(self._connection, tiles_path)
        self._thinning = KeyframeThinning(self._connection, tiles_path)
        found: Any = self._connection.execute("SELECT max(attempt) FROM attempts").fetchall()[0][0]
        self.attempt: int = found or 0
        self._planned_attempt: tuple[int, int, float] | None = None

    def start_attempt(self, first_step: int) -> int:
        """Open the next attempt, which supersedes older attempts from `first_step` on. Return its number."""
        attempt = self.attempt + 1
        with self._connection:
            self._connection.execute("INSERT INTO attempts VALUES(?,?,?)", (attempt, first_step, time.time()))
        self.attempt = attempt
        return attempt

    def plan_attempt(self, first_step: int) -> None:
        """Open the next attempt in the transaction of the next step that is committed: without one, all stays as it is."""
        self.attempt += 1
        self._planned_attempt = (self.attempt, first_step, time.time())

    def add_keyframe(self, step: int, keyframe: bytes, census: bytes, attempt: int | None = None) -> None:
        """Add a keyframe to a committed step without one, or to step 0, of `attempt` (None: the newest)."""
        row = step_key(self.attempt if attempt is None else attempt, step)
        with self._connection:
            self._connection.execute("INSERT INTO keyframes VALUES(?,?,?)", (row, keyframe, census))

    def add_held_out_loss(self, step: int, loss: float, scalars: str | None = None) -> None:
        """Add the loss on held-out text, in nats, and encoded numbers beside it, to step 0 or a committed step of the
        newest attempt without one."""
        row = step_key(self.attempt, step)
        with self._connection:
            self._insert("held_out", row, loss)
            if scalars is not None:
                self._insert_scalars(row, scalars)

    def add_lines(self, step: int, lines: str) -> None:
        """Add encoded lines to a committed step of the newest attempt without any, or to step 0."""
        with self._connection:
            self._insert("lines", step_key(self.attempt, step), lines)

    def add_scalars(self, step: int, scalars: str) -> None:
        """Add encoded numbers of the loop to a committed step of the newest attempt, replacing equal names."""
        with self._connection:
            self._insert_scalars(step_key(self.attempt, step), scalars)

    def set_energy(self, step: int, spent: str) -> None:
        """Set the encoded energy that training took up to a committed step of the newest attempt, or to step 0."""
        with self._connection:
            self._insert_energy(step_key(self.attempt, step), spent)

    def _insert_energy(self, row: int, spent: str) -> None:
        self._connection.execute(
            "INSERT INTO energy VALUES(?,?) ON CONFLICT(id) DO UPDATE SET spent=excluded.spent", (row, spent)
        )

    def _insert_scalars(self, row: int, scalars: str) -> None:
        self._connection.execute(
            "INSERT INTO scalars VALUES(?,?) ON CONFLICT(id) DO UPDATE SET numbers=json_patch(numbers, excluded.numbers)",
            (row, scalars),
        )

    def _insert(self, table: str, row: int, value: object) -> None:
        if value is not None:
            self._connection.execute(f"INSERT INTO {table} VALUES(?,?)", (row, value))

    def commit(self, record: StepRecord) -> None:
        """Commit one step in one transaction: after a crash it is complete or absent."""
        row = step_key(self.attempt, record.step)
        with self._connection:
            if self._planned_attempt is not None:
                # Again with each step, as an outer transaction may have been undone.
                self._connection.execute(
                    "INSERT OR IGNORE INTO attempts VALUES(?,?,?)", self._planned_attempt
                )
            self._connection.execute("INSERT INTO pulses VALUES(?,?,?)", (row, record.digest, record.pulse))
            self._insert("rows", row, record.rows)
            if record.keyframe is not None:
                if record.replaced_keyframe is not None:
                    self._thinning.drop(record.replaced_keyframe)
                self._connection.execute(
                    "INSERT INTO keyframes VALUES(?,?,?)", (row, record.keyframe, record.census)
                )
            self._insert("held_out", row, record.held_out_loss)
            self._insert("lines", row, record.lines)
            if record.scalars is not None:
                self._insert_scalars(row, record.scalars)
            if record.energy is not None:
                self._insert_energy(row, record.energy)
            for table, create in OPTIONAL_TABLES.items():
                if (value := getattr(record, table)) is not None:
                    self._connection.execute(create)
                    self._insert(table, row, value)
            self._pruning.prune(record.step)

    def has_step(self, step: int) -> bool:
        """Return whether a step of the newest attempt is committed."""
        self.undo_interrupted()
        row = step_key(self.attempt, step)
        return bool(self._connection.execute("SELECT 1 FROM pulses WHERE id=?", (row,)).fetchall())

    def find_surplus_keyframe(self, step: int) -> int | None:
        """Return the row of the most redundant keyframe once `step` has one (`keyframe_thinning.py`), or None."""
        return self._thinning.find_surplus(step)

    def drop_surplus_keyframe(self) -> bool:
        """Drop the most redundant keyframe, never the first or the newest. Return whether there was one."""
        with self.transaction():
            row = self._thinning.find_surplus()
            if row is not None:
                self._thinning.drop(row)
        return row is not None

    def has_tiles_after(self, step: int) -> bool:
        """Return whether tiles hold steps of this attempt after `step`; a new attempt must then redo them."""
        return self._pruning.has_tiles_after(self.attempt, step)

    def compact(self) -> bool:
        """Drop all tiled rows of a finished run and free their space; may take seconds. Returns whether there
        were rows to drop.
        """
        dropped = False
        with self._connection:
            dropped = self._pruning.prune_all()
        if dropped:
            self._connection.execute("VACUUM")
        return dropped

    def add_event(self, step: int, kind: str, message: str, facts: dict[str, Any] | None = None) -> None:
        """Add an event and set its facts in one transaction."""
        with self._connection:
            self._connection.execute(
                "INSERT INTO events(time,attempt,step,kind,message) VALUES(?,?,?,?,?)",
                (time.time(), self.attempt, step, kind, encode_message(message)),
            )
            if facts:
                self.set_facts(facts)

    def bytes_used(self) -> int:
        return self._path.stat().st_size + self.wal_bytes()

    def max_bytes(self) -> int:
        """Return the maximum size of the database and its WAL until the next commit, for any progress of a checkpoint;
        without free pages, which the next records reuse."""
        pages = self._connection.pragma("page_count") - self._connection.pragma("freelist_count")
        return pages * PAGE_SIZE + self.wal_bytes()

    def count_changes(self) -> int:
        """Return the number of rows that this writer has changed; `max_bytes` changes only with it."""
        return self._connection.total_changes()

    def empty_wal(self) -> None:
        """Copy the WAL into the file and truncate it, unless a reader or a full disk prevents it."""
        with suppress(apsw.BusyError, apsw.LockedError, apsw.FullError, apsw.IOError):
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def wal_bytes(self) -> int:
        with suppress(FileNotFoundError):
            return self._path.with_name(self._path.name + "-wal").stat().st_size
        return 0
