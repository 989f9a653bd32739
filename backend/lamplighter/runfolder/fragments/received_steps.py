"""The writer of the `steps.sqlite` of a received run."""

from __future__ import annotations

import json
from typing import Any

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.fragments.fragment import MAX_STEPS, RECEIVED_FACT, FragmentHeader, Position
from lamplighter.runfolder.importing.checked_steps import CheckedSteps
from lamplighter.runfolder.importing.run_checks import MAX_APPLIED, MAX_EVENTS
from lamplighter.runfolder.lineage import split_step_key, step_key
from lamplighter.runfolder.phase import Phase
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
