"""Checked copies of an imported run's SQLite files.

Each row is checked and inserted into a new file of our own, so neither a foreign schema nor a crafted page
ever reaches the rest of the program.
"""

from __future__ import annotations

import contextlib
import json
import math
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lamplighter.recipe import MapRecipe
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.importing.untrusted_sqlite import (
    CheckedCopy,
    ProgressTick,
    RecordShape,
    UntrustedFile,
    parse_json,
    parse_json_object,
    require_count,
    require_number,
    require_text,
)
from lamplighter.runfolder.lineage import split_step_key, step_key
from lamplighter.runfolder.phase import ENDED_PHASES, Phase
from lamplighter.runfolder.tables import districts, layouts, measures, steps, tiles
from lamplighter.wire.binary import FrameError
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows
from lamplighter.wire.tile_frames import decode_tile

_MAX_FACT = 1_000_000


def copy_steps(source: Path, target: Path, shape: RecordShape, tick: ProgressTick) -> str:
    """Copy an untrusted `steps.sqlite`, checking every row. An unfinished run becomes `interrupted`.

    Returns:
        The phase recorded in the source.

    Raises:
        FormatError: a row or the file is invalid; the message says what.
    """
    with UntrustedFile(source, steps.SCHEMA, tick) as file, CheckedCopy(target, steps.SCHEMA) as copy:
        facts = _checked_facts(file, source.name)
        phase = facts.get("phase", Phase.WAITING)
        attempts = _attempts(file)
        for row, digest, record in file.rows("SELECT id, digest, record FROM pulses ORDER BY id"):
            pulse = file.decode_frame(record, Pulse, row, shape)
            if pulse.merged or not isinstance(digest, bytes) or len(digest) > 64:
                raise FormatError(f"steps.sqlite: step {pulse.step} is not the record of one step")
            _require_reached(attempts, row)
            copy.insert("INSERT INTO pulses VALUES(?,?,?)", row, digest, record)
        for row, record in file.rows("SELECT id, record FROM rows ORDER BY id"):
            file.decode_frame(record, Rows, row, shape)
            _require_reached(attempts, row)
            copy.insert("INSERT INTO rows VALUES(?,?)", row, record)
        for row, record, census in file.rows("SELECT id, record, census FROM keyframes ORDER BY id"):
            if not file.decode_frame(record, Rows, row, shape).whole:
                raise FormatError("steps.sqlite: a keyframe that is not a whole matrix")
            file.decode_frame(census, Census, row, shape)
            _require_reached(attempts, row)
            copy.insert("INSERT INTO keyframes VALUES(?,?,?)", row, record, census)
        for attempt, (first, opened) in attempts.items():
            copy.insert("INSERT INTO attempts VALUES(?,?,?)", attempt, first, opened)
        for values in file.rows("SELECT time, attempt, step, kind, message FROM events ORDER BY id"):
            when, attempt, step, kind, message = values
            numbers = (require_number(when), require_count(attempt), require_count(step))
            copy.insert(
                "INSERT INTO events(time,attempt,step,kind,message) VALUES(?,?,?,?,?)",
                *numbers,
                require_text(kind),
                require_text(message),
            )
        for values in file.rows(
            "SELECT server, request, time, attempt, step, kind, body FROM applied ORDER BY id"
        ):
            server, request, when, attempt, step, kind, body = values
            # Prefixed: under its own name an old request could be taken for one from a server on this machine.
            copy.insert(
                "INSERT INTO applied(server,request,time,attempt,step,kind,body) VALUES(?,?,?,?,?,?,?)",
                f"elsewhere-{require_text(server)}",
                require_count(request),
                require_number(when),
                require_count(attempt),
                require_count(step),
                require_text(kind),
                json.dumps(parse_json_object(body, "steps.sqlite")),
            )
        if phase not in ENDED_PHASES:
            facts |= {"phase": Phase.INTERRUPTED, "message": "taken from where it was still being trained"}
        for name, value in facts.items():
            copy.insert("INSERT INTO facts VALUES(?,?)", name, json.dumps(value))
    return str(phase)


def copy_layouts(source: Path, target: Path, shape: RecordShape, tick: ProgressTick) -> int:
    """Copy an untrusted `layouts.sqlite` or `relayouts.sqlite`, checking every row. Return the number of layouts.

    Raises:
        FormatError: a row or the file is invalid; the message says what.
    """
    count = 0
    with (
        UntrustedFile(source, layouts.SCHEMA, tick, older=layouts.OLDER_SCHEMA) as file,
        CheckedCopy(target, layouts.SCHEMA) as copy,
    ):
        facts = _read_facts(file, source.name)
        linear = facts.get("linear")
        if _is_linear_basis(linear, shape):
            copy.insert("INSERT INTO facts VALUES(?,?)", "linear", json.dumps(linear))
        with contextlib.suppress(ValidationError):
            map_settings = MapRecipe.model_validate(facts.get("map")).model_dump()
            copy.insert("INSERT INTO facts VALUES(?,?)", "map", json.dumps(map_settings))
        if "made" in facts:
            copy.insert("INSERT INTO facts VALUES(?,?)", "made", json.dumps(require_number(facts["made"])))
        query = "SELECT attempt, step, method, trust, trust_error, recall, record FROM layouts ORDER BY id"
        for attempt, step, method, *trust, record in file.rows(query):
            row = step_key(require_count(attempt), require_count(step))
            if file.decode_frame(record, Layout, row, shape).method != method or method not in list(Method):
                raise FormatError("layouts.sqlite: a layout's method contradicts its record")
            copy.insert(
                "INSERT INTO layouts(attempt,step,method,trust,trust_error,recall,record) VALUES(?,?,?,?,?,?,?)",
                attempt,
                step,
                method,
                *(None if value is None else require_number(value) for value in trust),
                record,
            )
            count += 1
        if file.has_current_schema:
            _copy_districts(file, copy, facts.get("next_district"), shape)
    return count


def _copy_districts(file: UntrustedFile, copy: CheckedCopy, next_id: Any, shape: RecordShape) -> None:
    highest = 0
    for attempt, step, record in file.rows("SELECT attempt, step, record FROM districts ORDER BY id"):
        found = file.decode_frame(
            record, Districts, step_key(require_count(attempt), require_count(step)), shape
        )
        highest = max(highest, *found.ids.tolist(), 0)
        copy.insert("INSERT INTO districts(attempt,step,record) VALUES(?,?,?)", attempt, step, record)
    for when, attempt, step, kind, message in file.rows(
        "SELECT time, attempt, step, kind, message FROM district_events ORDER BY id"
    ):
        if kind not in districts.DISTRICT_EVENT_KINDS:
            raise FormatError("layouts.sqlite: something became of a district that cannot")
        copy.insert(
            "INSERT INTO district_events(time,attempt,step,kind,message) VALUES(?,?,?,?,?)",
            require_number(when),
            require_count(attempt),
            require_count(step),
            kind,
            require_text(message),
        )
    # Do not trust the stored counter: an id must never be assigned twice.
    next_free = next_id if isinstance(next_id, int) and not isinstance(next_id, bool) else 1
    next_free = min(max(next_free, highest + 1), 1 << 31)
    copy.insert("INSERT INTO facts VALUES(?,?)", "next_district", json.dumps(next_free))


def copy_measures(source: Path, target: Path, tick: ProgressTick) -> None:
    """Copy an untrusted `measures.sqlite`, checking every row.

    Raises:
        FormatError: a row or the file is invalid; the message says what.
    """
    with UntrustedFile(source, measures.SCHEMA, tick) as file, CheckedCopy(target, measures.SCHEMA) as copy:
        for attempt, step, name, value in file.rows(
            "SELECT attempt, step, name, value FROM measures ORDER BY id"
        ):
            # Skip NaN and infinities: they carry no information, and JSON cannot represent them.
            if isinstance(value, float) and not math.isfinite(value):
                continue
            copy.insert(
                "INSERT INTO measures(attempt,step,name,value) VALUES(?,?,?,?)",
                require_count(attempt),
                require_count(step),
                require_text(name)[:200],
                require_number(value),
            )


def copy_tiles(source: Path, target: Path, shape: RecordShape, tick: ProgressTick) -> None:
    """Copy an untrusted `tiles.sqlite`, checking every row.

    Raises:
        FormatError: a row or the file is invalid; the message says what.
    """
    with UntrustedFile(source, tiles.SCHEMA, tick) as file, CheckedCopy(target, tiles.SCHEMA) as copy:
        stretches: dict[int, tuple[int, int, int]] = {}
        for number, *values in file.rows(
            "SELECT id, attempt, first_step, last_step FROM stretches ORDER BY id"
        ):
            attempt, first, last = (require_count(value) for value in values)
            if not 1 <= number < 1 << 32 or not 1 <= first <= last:
                raise FormatError("tiles.sqlite: a stretch that is none")
            stretches[number] = attempt, first, last
            copy.insert("INSERT INTO stretches VALUES(?,?,?,?)", number, attempt, first, last)
        reached = dict.fromkeys(stretches, 0)
        for row, record in file.rows("SELECT id, record FROM tiles ORDER BY id"):
            stretch, first_token = tiles.split_tile_key(row)
            if not isinstance(record, bytes) or reached.get(stretch) != first_token:
                raise FormatError("tiles.sqlite: a tile that is out of place")
            try:
                tile = decode_tile(record)
            except FrameError as error:
                raise FormatError(f"tiles.sqlite: {error}") from error
            if (tile.attempt, tile.first_step, tile.last_step) != stretches[stretch] or (
                (tile.first_token, tile.dim) != (first_token, shape.dim)
            ):
                raise FormatError("tiles.sqlite: a tile that is not of its stretch")
            reached[stretch] += tile.tokens
            copy.insert("INSERT INTO tiles VALUES(?,?)", row, record)
        if any(count != shape.vocabulary for count in reached.values()):
            raise FormatError("tiles.sqlite: a stretch that lacks some tokens, or has too many")


def _attempts(file: UntrustedFile) -> dict[int, tuple[int, float]]:
    found = {
        require_count(attempt): (require_count(first), require_number(opened))
        for attempt, first, opened in file.rows(
            "SELECT attempt, first_step, opened FROM attempts ORDER BY attempt"
        )
    }
    # Numbers are consecutive. The first attempt may begin after step 0 in a run recorded by a client's own loop.
    if list(found) != list(range(1, len(found) + 1)):
        raise FormatError("steps.sqlite: its attempts are not in order")
    return found


def _require_reached(attempts: dict[int, tuple[int, float]], row: int) -> None:
    attempt, step = split_step_key(row)
    if attempt not in attempts or step < attempts[attempt][0]:
        raise FormatError(f"steps.sqlite: step {step} is of an attempt that did not reach it")


def _read_facts(file: UntrustedFile, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in file.rows("SELECT name, value FROM facts ORDER BY name"):
        if not isinstance(value, str) or len(value) > _MAX_FACT or len(found) > 100:
            raise FormatError(f"{name}: facts that are too large")
        found[require_text(key)] = parse_json(value, name)
    return found


def _checked_facts(file: UntrustedFile, name: str) -> dict[str, Any]:
    """Return the trainer's facts that are known and valid; drop the others."""
    facts = _read_facts(file, name)
    layers = facts.get("layers", [])
    if not isinstance(layers, list) or len(layers) > 1_000:  # pyright: ignore[reportUnknownArgumentType]
        raise FormatError(f"{name}: layers that are no list of names")
    known: dict[str, Any] = {"layers": [require_text(layer) for layer in layers]}
    for key in ("parameters", "steps"):
        if key in facts:
            known[key] = require_count(facts[key])
    for key in ("phase", "message", "device", "torch"):
        if key in facts:
            known[key] = require_text(facts[key])
    if facts.get("snapshots") in ("all", "keyframes", "none"):
        known["snapshots"] = facts["snapshots"]
    if "changed" in facts:
        known["changed"] = require_number(facts["changed"])
    if "layers" not in facts:
        del known["layers"]
    return known


def _is_linear_basis(value: Any, shape: RecordShape) -> bool:
    """Return whether `value` is a valid basis of the linear view (`projection/methods/linear_view.py`)."""
    try:
        numbers = [*value["centre"], *(n for pair in value["basis"] for n in pair)]
        sizes = (len(value["centre"]), [len(pair) for pair in value["basis"]])
        require_count(value["attempt"])
        require_count(value["step"])
        return sizes == (shape.dim, [2] * shape.dim) and all(math.isfinite(n) for n in numbers)
    except (KeyError, TypeError, IndexError, FormatError):
        return False
