"""A checked copy of an imported run's `steps.sqlite`.

Each row is checked and inserted into a new file, so that neither a foreign schema nor a crafted page reaches the rest
of the program.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lamplighter.contract.sentences import decode_message, encode_message, read_message
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.importing.imported_run import IMPORTED_FACT
from lamplighter.runfolder.importing.run_checks import (
    MAX_APPLIED,
    MAX_ATTEMPTS,
    MAX_EVENTS,
    MAX_LAYERS,
    MAX_LAYERS_BYTES,
    MAX_MESSAGE,
    MAX_NAME,
    RunChecks,
    parse_json,
    parse_request_body,
    require_count,
    require_number,
    require_text,
    shorten_text,
)
from lamplighter.runfolder.importing.untrusted_sqlite import CheckedCopy, UntrustedFile
from lamplighter.runfolder.lineage import split_step_key, step_key
from lamplighter.runfolder.loop_facts import KEPT_ROWS_FACT, check_loop_facts
from lamplighter.runfolder.matrices.stored_matrix import MatrixReference
from lamplighter.runfolder.phase import ENDED_PHASES, Phase
from lamplighter.runfolder.tables import steps
from lamplighter.runfolder.tables.energy import METHOD_FACT, decode_energy, decode_method, encode_energy
from lamplighter.runfolder.tables.lines import decode_lines, decode_prompts, encode_lines
from lamplighter.runfolder.tables.scalars import MAX_SCALARS, decode_scalars, encode_scalars
from lamplighter.wire.binary import FrameError
from lamplighter.wire.frames import MAGIC
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows
from lamplighter.wire.top_losses import TopLosses

_MAX_FACT = 1_000_000


def copy_steps(source: Path, target: Path, checks: RunChecks) -> str:
    """Copy an untrusted `steps.sqlite`, checking every row. An unfinished run becomes `interrupted`. Sets the
    last step to which the other files may refer. Returns the phase recorded in the source. Raises
    FormatError if a row or the file is invalid.
    """
    with (
        UntrustedFile(source, steps.WHOLE_SCHEMA, checks) as file,
        CheckedCopy(target, _schema_of(file), checks, steps.PAGE_SIZE) as copy,
    ):
        checked = CheckedSteps(file, checks)
        phase = checked.facts.get("phase", Phase.WAITING)
        count = newest = 0
        for row, digest, record in checked.pulses():
            count, newest = count + 1, max(newest, split_step_key(row)[1])
            copy.insert("INSERT INTO pulses VALUES(?,?,?)", row, digest, record)
        checks.set_last_step(count)
        checks.require_step(newest)
        for attempt, (first, opened) in checked.attempts.items():
            copy.insert("INSERT INTO attempts VALUES(?,?,?)", attempt, checks.require_step(first), opened)
        for moved in checked.rows():
            copy.insert("INSERT INTO rows VALUES(?,?)", *moved)
        for keyframe in checked.keyframes():
            copy.insert("INSERT INTO keyframes VALUES(?,?,?)", *keyframe)
        for table, row, value in checked.values():
            copy.insert(f"INSERT INTO {table} VALUES(?,?)", row, value)
        for event in checked.events():
            copy.insert("INSERT INTO events VALUES(?,?,?,?,?,?)", *event)
        for applied in checked.applied():
            copy.insert("INSERT INTO applied VALUES(?,?,?,?,?,?,?,?)", *applied)
        facts = checked.facts | {IMPORTED_FACT: time.time()}
        if phase not in ENDED_PHASES:
            facts |= {
                "phase": Phase.INTERRUPTED,
                "message": "imported while it was still being trained elsewhere",
            }
        for name, value in facts.items():
            copy.insert("INSERT INTO facts VALUES(?,?)", name, encode_message(value))
    return str(phase)


class CheckedSteps:
    """The rows of an untrusted `steps.sqlite`, or of a fragment of one, each checked as it is read."""

    def __init__(self, file: UntrustedFile, checks: RunChecks) -> None:
        """Read the facts and the attempts of an open file. Like every method, raises FormatError if they are
        invalid.
        """
        self._file, self._checks = file, checks
        self.facts = _checked_facts(file, checks)
        """The trainer's known facts."""
        self.attempts = _read_attempts(file)
        """First step and time of opening by attempt."""

    def require_pulses(self, late: int, most: int) -> None:
        """Require at most `most` steps, and in the other tables no row but theirs, of the row id `late`, or of the beginning of
        an attempt. Decodes nothing: to decode a row takes a thousand times as long as to count it.
        """
        if next(self._file.rows("SELECT count(*) FROM pulses"))[0] > most:
            raise FormatError(f"more than {most:,} steps")
        for table in steps.TABLES_OF_STEPS:
            query = f"SELECT id FROM {table} WHERE id<>{late} AND id NOT IN (SELECT id FROM pulses)"
            for (row,) in self._file.rows(query):
                attempt, step = split_step_key(row)
                if attempt not in self.attempts or step != max(0, self.attempts[attempt][0] - 1):
                    raise FormatError(f"{table}: a row of step {step:,}, which is not among its steps")

    def pulses(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield (row id, digest, record) of each step. Does not check how far they reach."""
        batch_tokens = self._checks.batch_tokens
        for row, digest, record in self._file.rows("SELECT id, digest, record FROM pulses ORDER BY id"):
            pulse = self._file.decode_frame(record, Pulse, row)
            if pulse.merged or not isinstance(digest, bytes) or len(digest) > 64:
                raise FormatError(f"step {pulse.step} is not the record of one step")
            if len(pulse.layer_norms) > MAX_LAYERS:
                raise FormatError(f"step {pulse.step} has gradient norms of too many layers")
            tokens = int(pulse.batch_counts.sum(dtype="uint64"))
            if batch_tokens is not None and tokens != batch_tokens:
                raise FormatError(
                    f"step {pulse.step} read {tokens:,} tokens, and the recipe's batches have {batch_tokens:,}"
                )
            self._require_reached(row)
            yield row, digest, record

    def rows(self) -> Iterator[tuple[int, bytes]]:
        """Yield (row id, record) of the moved rows of each step."""
        for row, record in self._file.rows("SELECT id, record FROM rows ORDER BY id"):
            self._checks.require_step(self._file.decode_frame(record, Rows, row).step)
            self._require_reached(row)
            yield row, record

    def keyframes(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield (row id, record, census) of each keyframe."""
        for row, record, census in self._file.rows("SELECT id, record, census FROM keyframes ORDER BY id"):
            if isinstance(record, bytes) and not record.startswith(MAGIC):
                matrix = self._checks.require_matrix_file(MatrixReference.decode(record))
                if step_key(matrix.attempt, matrix.step) != row:
                    raise FormatError("a record that contradicts its row")
            else:
                matrix = self._file.decode_frame(record, Rows, row)
                if not matrix.whole:
                    raise FormatError("a keyframe that is not a whole matrix")
            self._checks.require_step(matrix.step)
            self._file.decode_frame(census, Census, row)
            self._require_reached(row)
            yield row, record, census

    def values(self) -> Iterator[tuple[str, int, float | str | bytes]]:
        """Yield (table, row id, value) of each table with one value per step."""
        scalars = _scalars_check()
        checks: dict[str, Callable[[Any, int], float | str | bytes]] = {
            "held_out.loss": lambda loss, _: require_number(loss),
            "lines.said": lambda said, _: encode_lines(decode_lines(said, self._checks.vocabulary)),
            "scalars.numbers": lambda numbers, _: scalars(numbers),
            "energy.spent": lambda spent, _: _checked_energy(spent),
            "kept_rows.record": self._checked_kept_rows,
            "top_losses.record": lambda record, _: _checked_top_losses(record, self._checks),
        }
        for column, check in checks.items():
            table, name = column.split(".")
            for row, value in self._file.rows(f"SELECT id, {name} FROM {table} ORDER BY id"):
                self._checks.require_step(split_step_key(row)[1])
                self._require_reached(row)
                yield table, row, check(value, row)

    def _checked_kept_rows(self, record: Any, row: int) -> bytes:
        ids = self._file.decode_frame(record, Rows, row).token_ids
        if ids.tolist() != self.facts.get(KEPT_ROWS_FACT):
            raise FormatError("kept rows that are not those of the run")
        return record

    def events(self) -> Iterator[tuple[int, float, int, int, str, str]]:
        """Yield (id, time, attempt, step, kind, message) of each event."""
        query = "SELECT id, time, attempt, step, kind, message FROM events ORDER BY id"
        for number, when, attempt, step, kind, message in self._file.rows(query, MAX_EVENTS):
            yield (
                require_count(number),
                require_number(when),
                require_count(attempt),
                self._checks.require_step(step),
                require_text(kind, MAX_NAME),
                encode_message(shorten_text(decode_message(require_text(message)), MAX_MESSAGE)),
            )

    def applied(self) -> Iterator[tuple[int, str, int, float, int, int, str, str]]:
        """Yield (id, server, request, time, attempt, step, kind, body) of each applied request."""
        query = "SELECT id, server, request, time, attempt, step, kind, body FROM applied ORDER BY id"
        for number, server, request, when, attempt, step, kind, body in self._file.rows(query, MAX_APPLIED):
            # Prefixed, so that an old request is never mistaken for one from a server on this machine.
            yield (
                require_count(number),
                f"elsewhere-{require_text(server, MAX_NAME)}",
                require_count(request),
                require_number(when),
                require_count(attempt),
                self._checks.require_step(step),
                require_text(kind, MAX_NAME),
                json.dumps(parse_request_body(body, "steps.sqlite")),
            )

    def _require_reached(self, row: int) -> None:
        attempt, step = split_step_key(row)
        if attempt not in self.attempts or step < self.attempts[attempt][0]:
            raise FormatError(f"step {step} belongs to an attempt that did not reach it")


def _checked_energy(text: Any) -> str:
    if (spent := decode_energy(text)) is None:
        raise FormatError("steps.sqlite: the energy of a step is not four numbers")
    return encode_energy(spent)


def _schema_of(file: UntrustedFile) -> str:
    more = steps.OPTIONAL_TABLES.items()
    return steps.SCHEMA + "".join(
        sql for name, sql in more if any(file.rows(f"SELECT 1 FROM {name} LIMIT 1"))
    )


def _checked_top_losses(record: Any, checks: RunChecks) -> bytes:
    if not isinstance(record, bytes):
        raise FormatError("top losses that are not bytes")
    try:
        found = TopLosses.decode(record, checks.vocabulary)
    except FrameError as error:
        raise FormatError(str(error)) from error
    if checks.batch_tokens is not None and int(found.places.max()) >= checks.batch_tokens:
        raise FormatError("top losses: a place that the recipe's batches do not have")
    return found.encode()


def _scalars_check() -> Callable[[Any], str]:
    """Return a check of logged numbers that also bounds the total number of names."""
    names: set[str] = set()

    def check(numbers: Any) -> str:
        values = decode_scalars(numbers)
        names.update(values)
        if len(names) > MAX_SCALARS:
            raise FormatError(f"more than {MAX_SCALARS} names of logged numbers")
        return encode_scalars(values) or "{}"

    return check


def _read_attempts(file: UntrustedFile) -> dict[int, tuple[int, float]]:
    found = {
        require_count(attempt): (require_count(first), require_number(opened))
        for attempt, first, opened in file.rows(
            "SELECT attempt, first_step, opened FROM attempts ORDER BY attempt", MAX_ATTEMPTS
        )
    }
    # Attempts are numbered consecutively. In a run recorded by a client's own loop the first may begin after step 0.
    if list(found) != list(range(1, len(found) + 1)):
        raise FormatError("its attempts are not in order")
    return found


def read_facts(file: UntrustedFile) -> dict[str, Any]:
    """Return the facts of an untrusted file, parsed but not checked. Raises FormatError if the facts are too
    large, or not JSON.
    """
    found: dict[str, Any] = {}
    for key, value in file.rows("SELECT name, value FROM facts ORDER BY name", 100):
        if not isinstance(value, str) or len(value) > _MAX_FACT:
            raise FormatError("facts that are too large")
        found[require_text(key)] = parse_json(value, file.name)
    return found


def _checked_facts(file: UntrustedFile, checks: RunChecks) -> dict[str, Any]:
    """Return the trainer's known and valid facts; drop the others."""
    facts = read_facts(file)
    known: dict[str, Any] = {}
    if "layers" in facts:
        layers: Any = facts["layers"]
        if not isinstance(layers, list) or len(layers) > MAX_LAYERS:
            raise FormatError(f"layers must be a list of at most {MAX_LAYERS} names")
        known["layers"] = [require_text(layer, MAX_NAME) for layer in layers]
        if len(json.dumps(known["layers"], ensure_ascii=False).encode()) > MAX_LAYERS_BYTES:
            raise FormatError(f"layer names of more than {MAX_LAYERS_BYTES:,} bytes in total")
    if "prompts" in facts:
        known["prompts"] = decode_prompts(facts["prompts"], checks.vocabulary)
    for key in ("parameters", "steps"):
        if key in facts:
            known[key] = require_count(facts[key])
    for key in ("phase", "device", "torch"):
        if key in facts:
            known[key] = require_text(facts[key], MAX_NAME)
    if (method := decode_method(facts.get(METHOD_FACT))) is not None:
        known[METHOD_FACT] = method.as_fact()
    if "message" in facts:
        said = facts["message"]
        known["message"] = shorten_text(read_message(said) if isinstance(said, dict) else said, MAX_MESSAGE)
    if facts.get("snapshots") in ("all", "keyframes", "none"):
        known["snapshots"] = facts["snapshots"]
    if "changed" in facts:
        known["changed"] = require_number(facts["changed"])
    return known | check_loop_facts(facts, checks.vocabulary)
