"""A checked copy of an imported run's `steps.sqlite`.

Each row is checked and inserted into a new file, so that neither a foreign schema nor a crafted page reaches the rest
of the program.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.importing.imported_run import IMPORTED_FACT
from lamplighter.runfolder.importing.run_checks import (
    MAX_APPLIED,
    MAX_ATTEMPTS,
    MAX_EVENTS,
    MAX_LAYERS,
    MAX_LAYERS_BYTES,
    MAX_MESSAGE,
    RunChecks,
)
from lamplighter.runfolder.importing.untrusted_sqlite import CheckedCopy, UntrustedFile
from lamplighter.runfolder.importing.untrusted_values import (
    MAX_NAME,
    parse_json,
    parse_request_body,
    require_count,
    require_number,
    require_text,
    shorten_text,
)
from lamplighter.runfolder.lineage import split_step_key, step_key
from lamplighter.runfolder.loop_facts import check_loop_facts
from lamplighter.runfolder.matrices.matrix_reference import MatrixReference
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
    """Copy an untrusted `steps.sqlite`, checking every row. An unfinished run becomes `interrupted`.

    Sets the last step to which the other files may refer.

    Returns:
        The phase recorded in the source.

    Raises:
        FormatError: a row or the file is invalid; the message says what.
    """
    with (
        UntrustedFile(source, steps.SCHEMA, checks, optional=steps.TOP_LOSSES_TABLE) as file,
        CheckedCopy(target, steps.SCHEMA, checks, steps.PAGE_SIZE) as copy,
    ):
        facts = _checked_facts(file, checks)
        phase = facts.get("phase", Phase.WAITING)
        attempts = _read_attempts(file)
        _copy_pulses(file, copy, checks, attempts)
        for attempt, (first, opened) in attempts.items():
            copy.insert("INSERT INTO attempts VALUES(?,?,?)", attempt, checks.require_step(first), opened)
        _copy_matrices(file, copy, checks, attempts)
        value_checks: dict[str, Callable[[Any], float | str | bytes]] = {
            "held_out.loss": require_number,
            "lines.said": lambda said: encode_lines(decode_lines(said, checks.vocabulary)),
            "scalars.numbers": _scalars_check(),
            "energy.spent": lambda spent: encode_energy(decode_energy(spent)),
        }
        if file.has_optional:
            copy.create_table(steps.TOP_LOSSES_TABLE)
            value_checks["top_losses.record"] = lambda record: _checked_top_losses(record, checks)
        for column, check in value_checks.items():
            _copy_values(file, copy, checks, attempts, column, check)
        _copy_events(file, copy, checks)
        if phase not in ENDED_PHASES:
            facts |= {
                "phase": Phase.INTERRUPTED,
                "message": "imported while it was still being trained elsewhere",
            }
        for name, value in (facts | {IMPORTED_FACT: time.time()}).items():
            copy.insert("INSERT INTO facts VALUES(?,?)", name, json.dumps(value))
    return str(phase)


def _copy_pulses(
    file: UntrustedFile, copy: CheckedCopy, checks: RunChecks, attempts: dict[int, tuple[int, float]]
) -> None:
    count = newest = 0
    for row, digest, record in file.rows("SELECT id, digest, record FROM pulses ORDER BY id"):
        pulse = file.decode_frame(record, Pulse, row)
        if pulse.merged or not isinstance(digest, bytes) or len(digest) > 64:
            raise FormatError(f"step {pulse.step} is not the record of one step")
        if len(pulse.layer_norms) > MAX_LAYERS:
            raise FormatError(f"step {pulse.step} has gradient norms of too many layers")
        tokens = int(pulse.batch_counts.sum(dtype="uint64"))
        if checks.batch_tokens is not None and tokens != checks.batch_tokens:
            raise FormatError(
                f"step {pulse.step} read {tokens:,} tokens, and the recipe's batches have"
                f" {checks.batch_tokens:,}"
            )
        _require_reached(attempts, row)
        count, newest = count + 1, max(newest, pulse.step)
        copy.insert("INSERT INTO pulses VALUES(?,?,?)", row, digest, record)
    checks.set_last_step(count)
    checks.require_step(newest)


def _copy_matrices(
    file: UntrustedFile, copy: CheckedCopy, checks: RunChecks, attempts: dict[int, tuple[int, float]]
) -> None:
    for row, record in file.rows("SELECT id, record FROM rows ORDER BY id"):
        checks.require_step(file.decode_frame(record, Rows, row).step)
        _require_reached(attempts, row)
        copy.insert("INSERT INTO rows VALUES(?,?)", row, record)
    for row, record, census in file.rows("SELECT id, record, census FROM keyframes ORDER BY id"):
        if isinstance(record, bytes) and not record.startswith(MAGIC):
            matrix = checks.require_matrix_file(MatrixReference.decode(record))
            if step_key(matrix.attempt, matrix.step) != row:
                raise FormatError("a record that contradicts its row")
        else:
            matrix = file.decode_frame(record, Rows, row)
            if not matrix.whole:
                raise FormatError("a keyframe that is not a whole matrix")
        checks.require_step(matrix.step)
        file.decode_frame(census, Census, row)
        _require_reached(attempts, row)
        copy.insert("INSERT INTO keyframes VALUES(?,?,?)", row, record, census)


def _copy_values(
    file: UntrustedFile,
    copy: CheckedCopy,
    checks: RunChecks,
    attempts: dict[int, tuple[int, float]],
    column: str,
    check: Callable[[Any], float | str | bytes],
) -> None:
    """Copy the values of a column `table.column`, one per step. `check` returns each checked value."""
    table, value_name = column.split(".")
    for row, value in file.rows(f"SELECT id, {value_name} FROM {table} ORDER BY id"):
        checks.require_step(split_step_key(row)[1])
        _require_reached(attempts, row)
        copy.insert(f"INSERT INTO {table} VALUES(?,?)", row, check(value))


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


def _copy_events(file: UntrustedFile, copy: CheckedCopy, checks: RunChecks) -> None:
    query = "SELECT time, attempt, step, kind, message FROM events ORDER BY id"
    for when, attempt, step, kind, message in file.rows(query, MAX_EVENTS):
        copy.insert(
            "INSERT INTO events(time,attempt,step,kind,message) VALUES(?,?,?,?,?)",
            require_number(when),
            require_count(attempt),
            checks.require_step(step),
            require_text(kind, MAX_NAME),
            shorten_text(message, MAX_MESSAGE),
        )
    query = "SELECT server, request, time, attempt, step, kind, body FROM applied ORDER BY id"
    for server, request, when, attempt, step, kind, body in file.rows(query, MAX_APPLIED):
        # Prefixed, so that an old request is never mistaken for one from a server on this machine.
        copy.insert(
            "INSERT INTO applied(server,request,time,attempt,step,kind,body) VALUES(?,?,?,?,?,?,?)",
            f"elsewhere-{require_text(server, MAX_NAME)}",
            require_count(request),
            require_number(when),
            require_count(attempt),
            checks.require_step(step),
            require_text(kind, MAX_NAME),
            json.dumps(parse_request_body(body, "steps.sqlite")),
        )


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


def _require_reached(attempts: dict[int, tuple[int, float]], row: int) -> None:
    attempt, step = split_step_key(row)
    if attempt not in attempts or step < attempts[attempt][0]:
        raise FormatError(f"step {step} belongs to an attempt that did not reach it")


def read_facts(file: UntrustedFile) -> dict[str, Any]:
    """Return the facts of an untrusted file, parsed but not checked.

    Raises:
        FormatError: the facts are too large, or not JSON.
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
        known["message"] = shorten_text(facts["message"], MAX_MESSAGE)
    if facts.get("snapshots") in ("all", "keyframes", "none"):
        known["snapshots"] = facts["snapshots"]
    if "changed" in facts:
        known["changed"] = require_number(facts["changed"])
    return known | check_loop_facts(facts)
