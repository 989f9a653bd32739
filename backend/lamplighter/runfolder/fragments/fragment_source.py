"""The fragments of a run, made from its `steps.sqlite`: what is new since the last one.

Reads a finished or a growing record through a connection of its own, which is open only while a fragment is made, so that
its writer can seal the file.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any, NamedTuple

import apsw

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.fragments.fragment import (
    MAX_STEPS,
    RECEIVED_FACT,
    Fragment,
    Position,
    make_fragment,
)
from lamplighter.runfolder.lineage import split_step_key, step_key
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables import steps
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.tables.tiles import Stretch
from lamplighter.wire.frames import decode_as, encode
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Rows

MAX_BODY = 4 << 20
"""Bytes of records after which a fragment ends; a larger step is one alone."""
_MAX_NOTES = 1_000
"""Maximum events and maximum applied requests of a fragment."""
_LATE = "SELECT {} FROM source.{} WHERE id=?"
_LATE_VALUES = {"scalars": "numbers", "energy": "spent"}
"""Values that may change until the next step; of other tables a row is there or not."""


class _Span(NamedTuple):
    """The rows of a fragment: those above `after` and up to `end`."""

    after: int
    end: int
    first: int
    more: bool
    """Whether further steps follow."""


class FragmentSource:
    """A source of the fragments of one run, from a position on. Not thread-safe."""

    def __init__(self, run: RunFolder, position: Position | None = None, name: str | None = None) -> None:
        """Continue from a position; None: from the beginning of the record. `name`: another name than its id."""
        self._run, self._name = run, name or run.id
        self.position = position or Position()
        """The position after the last fragment that was made (`advance`)."""
        self.is_behind = False
        """Whether more of the record follows the last fragment that was made."""
        self._facts: str | None = None
        self._late: dict[str, object] | None = None
        self._made: tuple[Fragment, str, dict[str, object]] | None = None

    def make_next(self, *, sign_of_life: bool = False) -> Fragment | None:
        """Return what is new in the record; None if nothing is, unless a sign of life is due. The same again
        until `advance` is called. Raises READ_ERRORS if the record cannot be read (now).
        """
        if self._made is None:
            with self._open() as connection:
                self._made = self._read(connection, sign_of_life)
        return None if self._made is None else self._made[0]

    def advance(self) -> None:
        """Note that the last fragment has been stored or sent."""
        if self._made is not None:
            fragment, self._facts, self._late = self._made
            self.position = fragment.header.to
            self._made = None

    def has(self, position: Position) -> bool:
        """Return whether the record reaches a position: it has that step, or an attempt that begins after it.
        Raises READ_ERRORS if the record cannot be read (now).
        """
        row = position.attempt, position.step
        with self._open() as connection:
            found = connection.execute(
                "SELECT 1 FROM source.pulses WHERE id=? UNION SELECT 1 FROM source.attempts"
                " WHERE attempt=? AND max(0, first_step-1)=?",
                (step_key(*row), *row),
            ).fetchall()
        return row == (0, 0) or bool(found)

    @contextmanager
    def _open(self) -> Generator[apsw.Connection]:
        """Provide an empty database with the tables of a record, and the run's own attached as `source`."""
        if not self._run.steps_path.exists():
            raise FileNotFoundError(self._run.steps_path)
        connection = apsw.Connection(":memory:", flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_URI)
        try:
            connection.execute(steps.SCHEMA)
            connection.set_busy_timeout(2_000)
            connection.execute("ATTACH ? AS source", (f"{self._run.steps_path.absolute().as_uri()}?mode=ro",))
            connection.pragma("user_version", connection.pragma("user_version", schema="source"))
            # One reading transaction, so that all tables are of the same moment.
            with connection:
                yield connection
        finally:
            connection.close()

    def _read(
        self, connection: apsw.Connection, sign_of_life: bool
    ) -> tuple[Fragment, str, dict[str, object]] | None:
        tables = {name for (name,) in connection.execute("SELECT name FROM source.sqlite_schema")}
        one_per_step = [table for table in steps.TABLES_OF_STEPS if table in tables]
        for table in steps.OPTIONAL_TABLES.keys() & tables:
            connection.execute(steps.OPTIONAL_TABLES[table])
        connection.execute("INSERT INTO attempts SELECT * FROM source.attempts")
        before = self.position
        span = self._find_span(connection, ("rows", "keyframes", *({"kept_rows"} & tables)))
        self.is_behind = span.more
        late = self._read_late(connection, one_per_step, span.after)
        changed = [table for table in one_per_step if late.get(table) != (self._late or {}).get(table)]
        for table in ("pulses", *one_per_step):
            connection.execute(
                f"INSERT INTO {table} SELECT * FROM source.{table} WHERE id>? AND id<=?",
                (span.after, span.end),
            )
        for table in changed:
            connection.execute(f"INSERT INTO {table} SELECT * FROM source.{table} WHERE id=?", (span.after,))
        _copy_notes(connection, "events", before.event, span)
        _copy_notes(connection, "applied", before.applied, span)
        facts = _read_facts(connection, more=span.more)
        restored = self._restore_rows(connection)
        counts = {
            table: int(next(iter(connection.execute(f"SELECT count(*) FROM main.{table}")))[0])
            for table in ("pulses", *one_per_step, "events", "applied")
        }
        news = span.end != span.after or any(counts.values()) or facts != self._facts
        if not news and not sign_of_life:
            return None
        for row, record in restored:
            connection.execute("INSERT INTO main.rows VALUES(?,?)", (row, record))
        counts["rows"] += len(restored)
        connection.executemany("INSERT INTO main.facts VALUES(?,?)", json.loads(facts).items())
        attempt, last = split_step_key(span.end)
        to = Position(
            attempt=attempt,
            step=last,
            event=_highest(connection, "events", before.event),
            applied=_highest(connection, "applied", before.applied),
            made=max(time.time_ns() // 1_000, before.made + 1),
        )
        fragment = make_fragment(
            self._name,
            "steps",
            connection.serialize("main"),
            (attempt, span.first, last),
            before,
            to,
            {table: count for table, count in counts.items() if count},
        )
        if span.end != span.after:
            late = self._read_late(connection, one_per_step, span.end)
        return fragment, facts, late

    def _find_span(self, connection: apsw.Connection, large: Iterable[str]) -> _Span:
        """Return the next steps: of one attempt, as many as fit with their records in the `large` tables, at least one if there
        is one."""
        after = step_key(self.position.attempt, self.position.step)
        lengths = "".join(
            f" + ifnull((SELECT length(record) FROM source.{table} WHERE id=p.id), 0)" for table in large
        )
        found = list(
            connection.execute(
                f"SELECT id, length(record){lengths} FROM source.pulses p WHERE id>? ORDER BY id LIMIT ?",
                (after, MAX_STEPS + 1),
            )
        )
        if not found:
            newest = list(
                connection.execute("SELECT attempt, first_step FROM attempts ORDER BY attempt DESC LIMIT 1")
            )
            if newest and newest[0][0] > self.position.attempt:
                attempt, first = newest[0]
                return _Span(after, step_key(attempt, max(0, first - 1)), first, False)
            return _Span(after, after, self.position.step + 1, False)
        attempt = split_step_key(found[0][0])[0]
        stretch = self._tiled_stretch(*split_step_key(found[0][0]))
        size, end = 0, found[0][0]
        for number, (row, length) in enumerate(found):
            size += length
            of, step = split_step_key(row)
            beyond = stretch is not None and step > stretch.last
            if number and (of != attempt or size > MAX_BODY or number >= MAX_STEPS or beyond):
                break
            end = row
        first = split_step_key(found[0][0])[1]
        if attempt > self.position.attempt and first == 1:
            first = 0  # With the matrix before the first step, if there is one.
        return _Span(after, end, first, end != found[-1][0])

    def _read_late(self, connection: apsw.Connection, tables: list[str], row: int) -> dict[str, object]:
        """Return what the tables have of a step that was sent before: a writer may add to its last one."""
        if not row:
            return {}
        found: dict[str, object] = {}
        for table in tables:
            values = list(connection.execute(_LATE.format(_LATE_VALUES.get(table, "1"), table), (row,)))
            if values:
                found[table] = values[0][0]
        return found

    def _tiled_stretch(self, attempt: int, step: int) -> Stretch | None:
        if not self._run.tiles_path.exists():
            return None
        with MatrixHistory(self._run) as history:
            for stretch in history.stretches():
                if stretch.attempt == attempt and stretch.first <= step <= stretch.last:
                    return stretch
        return None

    def _restore_rows(self, connection: apsw.Connection) -> list[tuple[int, bytes]]:
        """Return (row id, record) of the steps whose moved rows are only in tiles, bit for bit as they were recorded."""
        lacking = dict(
            connection.execute(
                "SELECT id, record FROM main.pulses WHERE id NOT IN (SELECT id FROM main.rows) ORDER BY id"
            )
        )
        restored: list[tuple[int, bytes]] = []
        stretch = self._tiled_stretch(*split_step_key(next(iter(lacking)))) if lacking else None
        if stretch is None:
            return restored
        pulses = {
            pulse.step: (row, pulse) for row, pulse in ((r, decode_as(p, Pulse)) for r, p in lacking.items())
        }
        steps_lacking = [step for step in pulses if stretch.first <= step <= stretch.last]
        with MatrixHistory(self._run) as history:
            for snapshot in history.snapshots(steps_lacking[0], steps_lacking[-1]):
                if snapshot.step in pulses:
                    row, pulse = pulses[snapshot.step]
                    ids = pulse.moved_ids
                    rows = Rows(
                        pulse.attempt, pulse.step, pulse.time, pulse.vocabulary, ids, snapshot.vectors[ids]
                    )
                    restored.append((row, encode(rows)))
        return restored


def _copy_notes(connection: apsw.Connection, table: str, after: int, span: _Span) -> None:
    """Copy the events or applied requests since the last fragment; while steps follow, only those up to its own end."""
    attempt, step = split_step_key(span.end)
    for number, of, at in list(
        connection.execute(
            f"SELECT id, attempt, step FROM source.{table} WHERE id>? ORDER BY id LIMIT ?",
            (after, _MAX_NOTES),
        )
    ):
        if span.more and (of, at) > (attempt, step):
            break
        connection.execute(f"INSERT INTO {table} SELECT * FROM source.{table} WHERE id=?", (number,))


def _read_facts(connection: apsw.Connection, *, more: bool) -> str:
    """Return the facts as JSON: names and values, themselves JSON. While steps follow, the run is under way."""
    facts: dict[str, Any] = dict(
        connection.execute(
            "SELECT name, value FROM source.facts WHERE name<>? ORDER BY name", (RECEIVED_FACT,)
        )
    )
    if more:
        facts["phase"] = json.dumps(Phase.RUNNING)
        facts.pop("message", None)
    return json.dumps(facts)


def _highest(connection: apsw.Connection, table: str, before: int) -> int:
    found: Any = next(iter(connection.execute(f"SELECT max(id) FROM main.{table}")))[0]
    return before if found is None else max(before, int(found))


def has_ended(run: RunFolder) -> bool:
    """Return whether a record says that its run is over. Raises READ_ERRORS if it cannot be read (now)."""
    try:
        with StepsReader(run.steps_path) as reader:
            return reader.phase().has_ended
    except FileNotFoundError:
        return False
    except ValueError as error:
        raise FormatError(f"steps.sqlite: {error}") from error
