"""Checked copies of an imported run's layouts, measures, tiles and examinations.

Each row is checked and inserted into a new file, as for the steps (`checked_steps.py`). Of the examinations only answers
are copied: waiting questions were asked elsewhere, and failures concern that machine.
"""

from __future__ import annotations

import contextlib
import json
import math
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lamplighter.contract.questions import (
    Question,
    QuestionError,
    canonical_question,
    parse_question,
    question_id,
)
from lamplighter.contract.recipe import MapRecipe
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.importing.checked_steps import read_facts
from lamplighter.runfolder.importing.run_checks import (
    MAX_DISTRICT_EVENTS,
    MAX_LAYOUTS,
    MAX_MEASURE_NAMES,
    MAX_MEASURES,
    MAX_MESSAGE,
    MAX_NAME,
    MAX_STRETCH_STEPS,
    MAX_STRETCHES,
    RunChecks,
    parse_json,
    require_count,
    require_number,
    require_text,
    shorten_text,
)
from lamplighter.runfolder.importing.untrusted_sqlite import CheckedCopy, UntrustedFile
from lamplighter.runfolder.lineage import step_key
from lamplighter.runfolder.tables import examinations, layouts, measures, tiles
from lamplighter.wire.binary import FrameError
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.tile_frames import decode_tile

_MAX_DISTRICT_NAME = 2 * MAX_NAME
_MAX_COORDINATE = 1e30
_MIN_TILE_LIMIT = 4 << 20


def copy_layouts(source: Path, target: Path, checks: RunChecks) -> int:
    """Copy an untrusted file of layouts, checking every row. Return the number of layouts. Raises FormatError
    if a row or the file is invalid.
    """
    count = 0
    with (
        UntrustedFile(source, layouts.SCHEMA, checks) as file,
        CheckedCopy(target, layouts.SCHEMA, checks) as copy,
    ):
        facts = read_facts(file)
        linear = facts.get("linear")
        if _is_linear_basis(linear, checks.dim):
            copy.insert("INSERT INTO facts VALUES(?,?)", "linear", json.dumps(linear))
        with contextlib.suppress(ValidationError):
            map_settings = MapRecipe.model_validate(facts.get("map")).model_dump()
            copy.insert("INSERT INTO facts VALUES(?,?)", "map", json.dumps(map_settings))
        if "made" in facts:
            copy.insert("INSERT INTO facts VALUES(?,?)", "made", json.dumps(require_number(facts["made"])))
        if (trust := layouts.decode_landmark_trust(facts.get(layouts.LANDMARKS_FACT))) is not None:
            copy.insert("INSERT INTO facts VALUES(?,?)", layouts.LANDMARKS_FACT, json.dumps(trust))
        if layouts.UNTIL_FACT in facts:
            until = checks.require_step(facts[layouts.UNTIL_FACT])
            copy.insert("INSERT INTO facts VALUES(?,?)", layouts.UNTIL_FACT, json.dumps(until))
        query = "SELECT attempt, step, method, trust, trust_error, recall, record FROM layouts ORDER BY id"
        for attempt, step, method, *trust, record in file.rows(query, MAX_LAYOUTS):
            row = step_key(require_count(attempt), checks.require_step(step))
            if file.decode_frame(record, Layout, row).method != method or method not in list(Method):
                raise FormatError("a layout's method contradicts its record")
            copy.insert(
                "INSERT INTO layouts(attempt,step,method,trust,trust_error,recall,record) VALUES(?,?,?,?,?,?,?)",
                attempt,
                step,
                method,
                *(None if value is None else require_number(value) for value in trust),
                record,
            )
            count += 1
        _copy_districts(file, copy, checks, facts.get("next_district"))
    return count


def _copy_districts(file: UntrustedFile, copy: CheckedCopy, checks: RunChecks, next_id: Any) -> None:
    highest = 0
    query = "SELECT attempt, step, record FROM districts ORDER BY id"
    for attempt, step, record in file.rows(query, MAX_LAYOUTS):
        row = step_key(require_count(attempt), checks.require_step(step))
        found = file.decode_frame(record, Districts, row)
        if any(len(name) > _MAX_DISTRICT_NAME for name in found.names):
            raise FormatError(f"a district's name has more than {_MAX_DISTRICT_NAME} characters")
        highest = max(highest, *found.ids.tolist(), 0)
        copy.insert("INSERT INTO districts(attempt,step,record) VALUES(?,?,?)", attempt, step, record)
    query = "SELECT time, attempt, step, kind, message FROM district_events ORDER BY id"
    for when, attempt, step, kind, message in file.rows(query, MAX_DISTRICT_EVENTS):
        if kind not in layouts.DISTRICT_EVENT_KINDS:
            raise FormatError("unknown kind of district event")
        copy.insert(
            "INSERT INTO district_events(time,attempt,step,kind,message) VALUES(?,?,?,?,?)",
            require_number(when),
            require_count(attempt),
            checks.require_step(step),
            kind,
            shorten_text(message, MAX_MESSAGE),
        )
    # Do not trust the stored counter: an id must never be assigned twice.
    next_free = next_id if isinstance(next_id, int) and not isinstance(next_id, bool) else 1
    next_free = min(max(next_free, highest + 1), 1 << 31)
    copy.insert("INSERT INTO facts VALUES(?,?)", "next_district", json.dumps(next_free))


def copy_measures(source: Path, target: Path, checks: RunChecks) -> None:
    """Copy an untrusted `measures.sqlite`, checking every row. Raises FormatError if a row or the file is
    invalid.
    """
    names: set[str] = set()
    with (
        UntrustedFile(source, measures.SCHEMA, checks) as file,
        CheckedCopy(target, measures.SCHEMA, checks) as copy,
    ):
        query = "SELECT attempt, step, name, value FROM measures ORDER BY id"
        for attempt, step, name, value in file.rows(query, MAX_MEASURES):
            # Skip NaN and infinities: they carry no information, and JSON cannot represent them.
            if isinstance(value, float) and not math.isfinite(value):
                continue
            names.add(require_text(name)[:MAX_NAME])
            if len(names) > MAX_MEASURE_NAMES:
                raise FormatError(f"more than {MAX_MEASURE_NAMES:,} measures")
            copy.insert(
                "INSERT INTO measures(attempt,step,name,value) VALUES(?,?,?,?)",
                require_count(attempt),
                checks.require_step(step),
                name[:MAX_NAME],
                require_number(value),
            )


def copy_tiles(source: Path, target: Path, checks: RunChecks) -> None:
    """Copy an untrusted `tiles.sqlite`, checking every row. Raises FormatError if a row or the file is
    invalid.
    """
    with (
        UntrustedFile(source, tiles.SCHEMA, checks) as file,
        CheckedCopy(target, tiles.SCHEMA, checks) as copy,
    ):
        stretches: dict[int, tuple[int, int, int]] = {}
        query = "SELECT id, attempt, first_step, last_step FROM stretches ORDER BY id"
        for number, attempt, *ends in file.rows(query, MAX_STRETCHES):
            first, last = map(checks.require_step, ends)
            if not 1 <= number < 1 << 32 or not 1 <= first <= last < first + MAX_STRETCH_STEPS:
                raise FormatError("an invalid stretch")
            stretches[number] = require_count(attempt), first, last
            copy.insert("INSERT INTO stretches VALUES(?,?,?,?)", number, attempt, first, last)
        reached = dict.fromkeys(stretches, 0)
        limit = _tile_limit(checks)
        for row, record in file.rows("SELECT id, record FROM tiles ORDER BY id"):
            stretch, first_token = tiles.split_tile_key(row)
            if not isinstance(record, bytes) or reached.get(stretch) != first_token:
                raise FormatError("a tile that is out of place")
            try:
                tile = decode_tile(record, limit)
            except FrameError as error:
                raise FormatError(str(error)) from error
            if (tile.attempt, tile.first_step, tile.last_step) != stretches[stretch] or (
                (tile.first_token, tile.dim) != (first_token, checks.dim)
            ):
                raise FormatError("a tile that does not belong to its stretch")
            reached[stretch] += tile.tokens
            copy.insert("INSERT INTO tiles VALUES(?,?)", row, record)
        if any(count != checks.vocabulary for count in reached.values()):
            raise FormatError("a stretch that lacks some tokens, or has too many")


def _tile_limit(checks: RunChecks) -> int:
    """Return the maximum unpacked size of a tile in bytes: all moves of one token in a stretch always fit."""
    return _MIN_TILE_LIMIT + 4 * checks.vocabulary + 4 * MAX_STRETCH_STEPS * (checks.dim + 1)


def _is_linear_basis(value: Any, dim: int) -> bool:
    """Return whether `value` is a valid basis of the linear view (`projection/linear_view.py`)."""
    try:
        numbers = [*value["centre"], *(n for pair in value["basis"] for n in pair)]
        sizes = (len(value["centre"]), [len(pair) for pair in value["basis"]])
        require_count(value["attempt"])
        require_count(value["step"])
        whole = set(value) == {"centre", "basis", "attempt", "step"} and sizes == (dim, [2] * dim)
        return whole and all(abs(number) <= _MAX_COORDINATE for number in numbers)
    except (KeyError, TypeError, IndexError, FormatError):
        return False


_MAX_ROWS = 2 * examinations.MAX_ANSWERS
_MAX_QUESTION = 20_000
"""Maximum characters of a question; ours have about 4,000 with every character escaped."""
_MAX_CONTAINERS = 200_000
"""Maximum lists and objects of an answer."""
_MAX_DEPTH = 16
_INSERT = "INSERT INTO answers VALUES(?,?,?,?,?,'done',1,'',NULL,?,?,1,?,?)"


def copy_examinations(source: Path, target: Path, checks: RunChecks) -> int:
    """Copy an untrusted `examinations.sqlite`, checking every row. Return the number of answers. Raises
    FormatError if a row or the file is invalid.
    """
    count = size = 0
    with (
        UntrustedFile(source, examinations.SCHEMA, checks) as file,
        CheckedCopy(target, examinations.SCHEMA, checks) as copy,
    ):
        query = "SELECT id, attempt, step, kind, question, state, asked, made, answer FROM answers ORDER BY revision"
        for asked_id, attempt, step, kind, text, state, asked, made, answer in file.rows(query, _MAX_ROWS):
            if state not in examinations.STATES:
                raise FormatError("a question in an unknown state")
            if state != "done":
                continue
            question = _checked_question(text, checks)
            if question is None:
                continue
            row = question_id(require_count(attempt), question), question.step, question.kind
            if (asked_id, step, kind) != row:
                raise FormatError("a question that differs from its row")
            checked = _checked_answer(answer, question)
            count, size = count + 1, size + len(checked)
            if count > examinations.MAX_ANSWERS or size > examinations.MAX_ANSWERS_BYTES:
                raise FormatError("too many answers")
            times = require_number(asked), require_number(made)
            copy.insert(
                _INSERT, asked_id, attempt, step, kind, canonical_question(question), *times, count, checked
            )
    return count


def _checked_question(text: Any, checks: RunChecks) -> Question | None:
    """Return a question; None if an earlier version asked it, with other fields or defaults: its answer is one to another."""
    fields = parse_json(require_text(text, _MAX_QUESTION), "a question")
    try:
        question = parse_question(fields)
    except QuestionError:
        return None
    checks.require_step(question.last_step)
    return question if question.model_dump(mode="json") == fields else None


def _checked_answer(text: Any, question: Question) -> str:
    """Return an answer as JSON, marked as imported: what it says about its replay is not trusted."""
    limit = examinations.MAX_ANSWER_BYTES
    text = require_text(text, limit)
    if text.count("[") + text.count("{") > _MAX_CONTAINERS:
        raise FormatError("an answer with too many lists")
    answer = parse_json(text, "an answer")
    _require_plain(answer, _MAX_DEPTH)
    if not isinstance(answer, dict) or (answer.get("kind"), answer.get("step")) != (
        question.kind,
        question.step,
    ):  # pyright: ignore[reportUnknownMemberType]
        raise FormatError("an answer to another question")
    marked = json.dumps(answer | {"imported": True}, separators=(",", ":"), ensure_ascii=False)
    if len(marked.encode()) > limit:
        raise FormatError(f"an answer of more than {limit / 1e6:,.0f} MB")
    return marked


def _require_plain(value: Any, depth: int) -> None:
    """Check that a value has only finite numbers, short strings, booleans and nulls, in shallow lists and objects."""
    if depth < 0:
        raise FormatError("an answer that is nested too deeply")
    if isinstance(value, dict):
        for key, inside in value.items():  # pyright: ignore[reportUnknownVariableType]
            require_text(key, MAX_NAME)
            _require_plain(inside, depth - 1)
    elif isinstance(value, list):
        for inside in value:  # pyright: ignore[reportUnknownVariableType]
            _require_plain(inside, depth - 1)
    elif isinstance(value, str):
        require_text(value)
    elif value is not None and not isinstance(value, bool):
        require_number(value)
