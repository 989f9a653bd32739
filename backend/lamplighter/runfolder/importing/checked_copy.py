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
from lamplighter.runfolder.importing.untrusted_sqlite import (
    ForeignFile,
    FreshCopy,
    Shape,
    Tick,
    as_count,
    as_json,
    as_number,
    as_object,
    as_text,
)
from lamplighter.runfolder.sqlite.database import FormatError
from lamplighter.runfolder.tables import districts, layouts, measures, steps, tiles
from lamplighter.wire.frames import Census, Districts, FrameError, Layout, Method, Pulse, Rows
from lamplighter.wire.tile_frames import decode_tile

_MAX_FACT = 1_000_000


def copy_steps(source: Path, target: Path, shape: Shape, tick: Tick) -> str:
    """Copy an untrusted `steps.sqlite`, checking every row. An unfinished run becomes `interrupted`.

    Returns:
        The phase recorded in the source.

    Raises:
        FormatError: a row or the file is invalid; the message says what.
    """
    with ForeignFile(source, steps.SCHEMA, tick) as file, FreshCopy(target, steps.SCHEMA) as copy:
        said = _facts(file, source.name)
        phase = said.get("phase", "waiting")
        attempts = _attempts(file)
        for row, digest, record in file.rows("SELECT id, digest, record FROM pulses ORDER BY id"):
            pulse = file.frame(record, Pulse, row, shape)
            if pulse.merged or not isinstance(digest, bytes) or len(digest) > 64:
                raise FormatError(f"steps.sqlite: step {pulse.step} is not the record of one step")
            _belongs(attempts, row)
            copy.add("INSERT INTO pulses VALUES(?,?,?)", row, digest, record)
        for row, record in file.rows("SELECT id, record FROM rows ORDER BY id"):
            file.frame(record, Rows, row, shape)
            _belongs(attempts, row)
            copy.add("INSERT INTO rows VALUES(?,?)", row, record)
        for row, record, census in file.rows("SELECT id, record, census FROM keyframes ORDER BY id"):
            if not file.frame(record, Rows, row, shape).whole:
                raise FormatError("steps.sqlite: a keyframe that is not a whole matrix")
            file.frame(census, Census, row, shape)
            _belongs(attempts, row)
            copy.add("INSERT INTO keyframes VALUES(?,?,?)", row, record, census)
        for attempt, (first, opened) in attempts.items():
            copy.add("INSERT INTO attempts VALUES(?,?,?)", attempt, first, opened)
        for values in file.rows("SELECT time, attempt, step, kind, message FROM events ORDER BY id"):
            when, attempt, step, kind, message = values
            numbers = (as_number(when), as_count(attempt), as_count(step))
            copy.add(
                "INSERT INTO events(time,attempt,step,kind,message) VALUES(?,?,?,?,?)",
                *numbers,
                as_text(kind),
                as_text(message),
            )
        for values in file.rows(
            "SELECT server, request, time, attempt, step, kind, body FROM applied ORDER BY id"
        ):
            server, request, when, attempt, step, kind, body = values
            # Prefixed: under its own name an old request could be taken for one from a server on this machine.
            copy.add(
                "INSERT INTO applied(server,request,time,attempt,step,kind,body) VALUES(?,?,?,?,?,?,?)",
                f"elsewhere-{as_text(server)}",
                as_count(request),
                as_number(when),
                as_count(attempt),
                as_count(step),
                as_text(kind),
                json.dumps(as_object(body, "steps.sqlite")),
            )
        if phase not in steps.TERMINAL:
            said |= {"phase": "interrupted", "message": "taken from where it was still being trained"}
        for name, value in said.items():
            copy.add("INSERT INTO facts VALUES(?,?)", name, json.dumps(value))
    return str(phase)


def copy_layouts(source: Path, target: Path, shape: Shape, tick: Tick) -> int:
    """Copy an untrusted `layouts.sqlite` or `relayouts.sqlite`, checking every row. Return the number of layouts.

    Raises:
        FormatError: a row or the file is invalid; the message says what.
    """
    count = 0
    with (
        ForeignFile(source, layouts.SCHEMA, tick, older=layouts.OLDER) as file,
        FreshCopy(target, layouts.SCHEMA) as copy,
    ):
        said = _all_facts(file, source.name)
        linear = said.get("linear")
        if _is_linear(linear, shape):
            copy.add("INSERT INTO facts VALUES(?,?)", "linear", json.dumps(linear))
        with contextlib.suppress(ValidationError):
            drawn = MapRecipe.model_validate(said.get("map")).model_dump()
            copy.add("INSERT INTO facts VALUES(?,?)", "map", json.dumps(drawn))
        if "made" in said:
            copy.add("INSERT INTO facts VALUES(?,?)", "made", json.dumps(as_number(said["made"])))
        query = "SELECT attempt, step, method, trust, trust_error, recall, record FROM layouts ORDER BY id"
        for attempt, step, method, *trust, record in file.rows(query):
            row = steps.key(as_count(attempt), as_count(step))
            if file.frame(record, Layout, row, shape).method != method or method not in list(Method):
                raise FormatError("layouts.sqlite: a layout's method contradicts its record")
            copy.add(
                "INSERT INTO layouts(attempt,step,method,trust,trust_error,recall,record) VALUES(?,?,?,?,?,?,?)",
                attempt,
                step,
                method,
                *(None if value is None else as_number(value) for value in trust),
                record,
            )
            count += 1
        if file.newest:
            _copy_districts(file, copy, said.get("next_district"), shape)
    return count


def _copy_districts(file: ForeignFile, copy: FreshCopy, next_id: Any, shape: Shape) -> None:
    highest = 0
    for attempt, step, record in file.rows("SELECT attempt, step, record FROM districts ORDER BY id"):
        found = file.frame(record, Districts, steps.key(as_count(attempt), as_count(step)), shape)
        highest = max(highest, *found.ids.tolist(), 0)
        copy.add("INSERT INTO districts(attempt,step,record) VALUES(?,?,?)", attempt, step, record)
    for when, attempt, step, kind, message in file.rows(
        "SELECT time, attempt, step, kind, message FROM district_events ORDER BY id"
    ):
        if kind not in districts.KINDS:
            raise FormatError("layouts.sqlite: something became of a district that cannot")
        copy.add(
            "INSERT INTO district_events(time,attempt,step,kind,message) VALUES(?,?,?,?,?)",
            as_number(when),
            as_count(attempt),
            as_count(step),
            kind,
            as_text(message),
        )
    # Do not trust the stored counter: an id must never be assigned twice.
    given = next_id if isinstance(next_id, int) and not isinstance(next_id, bool) else 1
    given = min(max(given, highest + 1), 1 << 31)
    copy.add("INSERT INTO facts VALUES(?,?)", "next_district", json.dumps(given))


def copy_measures(source: Path, target: Path, tick: Tick) -> None:
    """Copy an untrusted `measures.sqlite`, checking every row.

    Raises:
        FormatError: a row or the file is invalid; the message says what.
    """
    with ForeignFile(source, measures.SCHEMA, tick) as file, FreshCopy(target, measures.SCHEMA) as copy:
        for attempt, step, name, value in file.rows(
            "SELECT attempt, step, name, value FROM measures ORDER BY id"
        ):
            # Skip NaN and infinities: they carry no information, and JSON cannot represent them.
            if isinstance(value, float) and not math.isfinite(value):
                continue
            copy.add(
                "INSERT INTO measures(attempt,step,name,value) VALUES(?,?,?,?)",
                as_count(attempt),
                as_count(step),
                as_text(name)[:200],
                as_number(value),
            )


def copy_tiles(source: Path, target: Path, shape: Shape, tick: Tick) -> None:
    """Copy an untrusted `tiles.sqlite`, checking every row.

    Raises:
        FormatError: a row or the file is invalid; the message says what.
    """
    with ForeignFile(source, tiles.SCHEMA, tick) as file, FreshCopy(target, tiles.SCHEMA) as copy:
        stretches: dict[int, tuple[int, int, int]] = {}
        for number, *values in file.rows(
            "SELECT id, attempt, first_step, last_step FROM stretches ORDER BY id"
        ):
            attempt, first, last = (as_count(value) for value in values)
            if not 1 <= number < 1 << 32 or not 1 <= first <= last:
                raise FormatError("tiles.sqlite: a stretch that is none")
            stretches[number] = attempt, first, last
            copy.add("INSERT INTO stretches VALUES(?,?,?,?)", number, attempt, first, last)
        reached = dict.fromkeys(stretches, 0)
        for row, record in file.rows("SELECT id, record FROM tiles ORDER BY id"):
            stretch, first_token = tiles.tile_place(row)
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
            copy.add("INSERT INTO tiles VALUES(?,?)", row, record)
        if any(count != shape.vocabulary for count in reached.values()):
            raise FormatError("tiles.sqlite: a stretch that lacks some tokens, or has too many")


def _attempts(file: ForeignFile) -> dict[int, tuple[int, float]]:
    found = {
        as_count(attempt): (as_count(first), as_number(opened))
        for attempt, first, opened in file.rows(
            "SELECT attempt, first_step, opened FROM attempts ORDER BY attempt"
        )
    }
    # Numbers are consecutive. The first attempt may begin after step 0 in a run recorded by a client's own loop.
    if list(found) != list(range(1, len(found) + 1)):
        raise FormatError("steps.sqlite: its attempts are not in order")
    return found


def _belongs(attempts: dict[int, tuple[int, float]], row: int) -> None:
    attempt, step = row >> 32, row & 0xFFFF_FFFF
    if attempt not in attempts or step < attempts[attempt][0]:
        raise FormatError(f"steps.sqlite: step {step} is of an attempt that did not reach it")


def _all_facts(file: ForeignFile, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in file.rows("SELECT name, value FROM facts ORDER BY name"):
        if not isinstance(value, str) or len(value) > _MAX_FACT or len(found) > 100:
            raise FormatError(f"{name}: facts that are too large")
        found[as_text(key)] = as_json(value, name)
    return found


def _facts(file: ForeignFile, name: str) -> dict[str, Any]:
    """Return the trainer's facts that are known and valid; drop the others."""
    said = _all_facts(file, name)
    count = said.get("layers", [])
    if not isinstance(count, list) or len(count) > 1_000:  # pyright: ignore[reportUnknownArgumentType]
        raise FormatError(f"{name}: layers that are no list of names")
    known: dict[str, Any] = {"layers": [as_text(layer) for layer in count]}
    for key in ("parameters", "steps"):
        if key in said:
            known[key] = as_count(said[key])
    for key in ("phase", "message", "device", "torch"):
        if key in said:
            known[key] = as_text(said[key])
    if said.get("snapshots") in ("all", "keyframes", "none"):
        known["snapshots"] = said["snapshots"]
    if "changed" in said:
        known["changed"] = as_number(said["changed"])
    if "layers" not in said:
        del known["layers"]
    return known


def _is_linear(value: Any, shape: Shape) -> bool:
    """Return whether `value` is a valid basis of the linear view (`projection/methods/linear_view.py`)."""
    try:
        numbers = [*value["centre"], *(n for pair in value["basis"] for n in pair)]
        sizes = (len(value["centre"]), [len(pair) for pair in value["basis"]])
        as_count(value["attempt"])
        as_count(value["step"])
        return sizes == (shape.dim, [2] * shape.dim) and all(math.isfinite(n) for n in numbers)
    except (KeyError, TypeError, IndexError, FormatError):
        return False
