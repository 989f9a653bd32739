"""A checked copy of an imported run's `examinations.sqlite`: answers given by another machine.

Only answers are copied. Waiting questions were asked elsewhere, and failures concern that machine.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lamplighter.contract.questions import (
    Question,
    QuestionError,
    canonical_question,
    parse_question,
    question_id,
)
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.importing.run_checks import RunChecks
from lamplighter.runfolder.importing.untrusted_sqlite import CheckedCopy, UntrustedFile
from lamplighter.runfolder.importing.untrusted_values import (
    MAX_NAME,
    parse_json,
    require_count,
    require_number,
    require_text,
)
from lamplighter.runfolder.tables import examinations

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
