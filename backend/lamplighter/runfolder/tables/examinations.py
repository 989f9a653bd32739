"""`examinations.sqlite`: the questions asked about a run's model, and their answers. Writer: the examiner.

A question is enqueued and acknowledged in one transaction, so none is lost or answered twice. The table is the queue: a
new examiner continues with waiting questions and those left running by a killed one.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from lamplighter.contract.reason import Reason
from lamplighter.runfolder.tables.facts import APPLIED_TABLE, FACTS_TABLE, FactsReader, FactsWriter

ExaminationState = Literal["waiting", "running", "done", "failed", "cancelled"]
STATES: tuple[ExaminationState, ...] = ("waiting", "running", "done", "failed", "cancelled")
OPEN_STATES: tuple[ExaminationState, ...] = ("waiting", "running")
"""States of an unanswered question."""

MAX_WAITING = 16
"""Maximum questions that wait for an answer at a time."""
MAX_ANSWER_BYTES = 1_000_000
"""Maximum bytes of an answer, as JSON."""
MAX_ANSWERS = 1_000
"""Maximum questions that are kept; the oldest are dropped."""
MAX_ANSWERS_BYTES = 64_000_000
"""Maximum bytes of the answers that are kept; the oldest are dropped."""

SCHEMA = f"""
CREATE TABLE {FACTS_TABLE};
CREATE TABLE {APPLIED_TABLE};
CREATE TABLE answers(id TEXT PRIMARY KEY, attempt INTEGER NOT NULL, step INTEGER NOT NULL, kind TEXT NOT NULL,
    question TEXT NOT NULL, state TEXT NOT NULL, share REAL NOT NULL, activity TEXT NOT NULL, problem TEXT,
    asked REAL NOT NULL, made REAL, tries INTEGER NOT NULL, revision INTEGER NOT NULL, answer TEXT);
CREATE INDEX answers_by_revision ON answers(revision);
"""
"""The tables of a new file; an imported file must have exactly these."""
_COLUMNS = (
    "id, attempt, step, kind, question, state, share, activity, problem, asked, made, tries, revision,"
    " CASE WHEN state='failed' AND typeof(answer)='text' AND length(answer)<=1000 THEN answer END"
)
"""The columns of an entry. A failed question keeps its reason in place of an answer; an imported one may keep anything."""


@dataclass(frozen=True)
class ExaminationEntry:
    """A question with its state; the answer is read separately."""

    id: str
    attempt: int
    step: int
    kind: str
    question: str
    """The question as JSON, in its canonical form."""
    state: ExaminationState
    share: float
    """Progress, from 0 to 1."""
    activity: str
    """A description of the current work, for people."""
    problem: str | None
    """The reason for the failure, in one sentence."""
    asked: float
    """When it was last asked, Unix seconds."""
    made: float | None
    """When it was answered, Unix seconds; None if it was not."""
    tries: int
    """The number of times an examiner began to answer it."""
    revision: int
    """A number that grows with every change in the file."""
    reason: str | None = None
    """The code and the values of the reason for the failure, as JSON; None: it has no code."""

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


def _entry(row: tuple[Any, ...]) -> ExaminationEntry:
    return ExaminationEntry(*row)


class ExaminationsWriter(FactsWriter):
    """The examiner's writer of `examinations.sqlite`. Not thread-safe."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, SCHEMA, version=3)
        newest = self._select("SELECT max(revision) FROM answers")[0][0]
        self._revision = int(newest or 0)

    def add_question(
        self,
        question_id: str,
        *,
        attempt: int,
        step: int,
        kind: str,
        question: str,
        problem: str | None = None,
        reason: Reason | None = None,
    ) -> None:
        """Add a question that waits for its answer or, with a `problem`, has failed. A waiting or answered question
        stays as it is; a failed or cancelled one is asked again."""
        known = self.entry(question_id)
        if known is not None and (known.is_open or known.state == "done"):
            return
        asked = (question_id, attempt, step, kind, question, "waiting" if problem is None else "failed")
        with self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO answers VALUES(?,?,?,?,?,?,0,'',?,?,NULL,0,?,?)",
                (*asked, problem, time.time(), self._next(), _encode_reason(reason)),
            )

    def last_applied(self) -> dict[str, int]:
        """Return the newest acknowledged request of each server."""
        return dict(self._select("SELECT server, max(request) FROM applied GROUP BY server"))  # pyright: ignore[reportReturnType, reportArgumentType]

    def entry(self, question_id: str) -> ExaminationEntry | None:
        rows = self._select(f"SELECT {_COLUMNS} FROM answers WHERE id=?", question_id)
        return _entry(rows[0]) if rows else None

    def open_entries(self) -> list[ExaminationEntry]:
        """Return the unanswered questions, oldest first."""
        query = (
            f"SELECT {_COLUMNS} FROM answers WHERE state IN ('waiting','running') ORDER BY asked, revision"
        )
        return [_entry(row) for row in self._select(query)]

    def begin(self, question_id: str) -> None:
        self._update(question_id, "state='running', share=0, activity='', tries=tries+1")

    def report(self, question_id: str, share: float, activity: str) -> None:
        self._update(question_id, "share=?, activity=?", share, activity)

    def requeue(self, question_id: str) -> None:
        """Requeue a question that was interrupted, without counting the try."""
        self._update(question_id, "state='waiting', share=0, activity='', tries=max(0, tries-1)")

    def finish(self, question_id: str, answer: str) -> None:
        """Store the answer of a question as JSON, and drop the oldest answers if there are too many."""
        with self._connection:
            self._update(
                question_id,
                "state='done', share=1, activity='', problem=NULL, made=?, answer=?",
                time.time(),
                answer,
            )
            self._drop_oldest()

    def fail(self, question_id: str, problem: str, reason: Reason | None = None) -> None:
        """Mark a question as failed, with the reason in one sentence and, if it has one, as a code."""
        changes = "state='failed', activity='', problem=?, answer=?"
        self._update(question_id, changes, problem, _encode_reason(reason))

    def cancel(self, question_id: str) -> None:
        """Cancel a question unless it is answered."""
        entry = self.entry(question_id)
        if entry is not None and entry.is_open:
            self._update(question_id, "state='cancelled', share=0, activity=''")

    def _drop_oldest(self) -> None:
        rows = self._select(
            "SELECT id, ifnull(length(answer), 0) FROM answers WHERE state NOT IN ('waiting','running')"
            " ORDER BY revision DESC"
        )
        size = 0
        for number, (question_id, answer_size) in enumerate(rows):
            size += answer_size
            if number >= MAX_ANSWERS or size > MAX_ANSWERS_BYTES:
                self._connection.execute("DELETE FROM answers WHERE id=?", (question_id,))

    def _update(self, question_id: str, changes: str, *values: object) -> None:
        with self._connection:
            self._connection.execute(
                f"UPDATE answers SET {changes}, revision=? WHERE id=?", (*values, self._next(), question_id)
            )

    def _select(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, values).fetchall()

    def _next(self) -> int:
        self._revision += 1
        return self._revision


class ExaminationsReader(FactsReader):
    """A reader of `examinations.sqlite`, live or finished."""

    def entries(self, after: int = 0, limit: int = 2 * MAX_ANSWERS) -> list[ExaminationEntry]:
        query = f"SELECT {_COLUMNS} FROM answers WHERE revision>? ORDER BY revision LIMIT ?"
        return [_entry(row) for row in self._fetch_all(query, after, limit)]

    def entry(self, question_id: str) -> ExaminationEntry | None:
        rows = self._fetch_all(f"SELECT {_COLUMNS} FROM answers WHERE id=?", question_id)
        return _entry(rows[0]) if rows else None

    def has_open_entries(self) -> bool:
        return bool(self._fetch_all("SELECT 1 FROM answers WHERE state IN ('waiting','running') LIMIT 1"))

    def answer_bytes(self, question_id: str) -> int:
        """Return the size of an answer without reading it; 0 if there is none."""
        rows = self._fetch_all("SELECT length(CAST(answer AS BLOB)) FROM answers WHERE id=?", question_id)
        return int(rows[0][0] or 0) if rows else 0

    def answer(self, question_id: str) -> str | None:
        rows = self._fetch_all("SELECT answer FROM answers WHERE id=?", question_id)
        return cast("str | None", rows[0][0]) if rows else None

    def size(self) -> tuple[int, int]:
        """Return the number of questions, and their total bytes without the answers."""
        count, size = self._fetch_all("SELECT count(*), sum(length(question)) FROM answers")[0]
        return int(count), int(size or 0)

    def newest_revision(self) -> int:
        return int(self._fetch_all("SELECT max(revision) FROM answers")[0][0] or 0)


def _encode_reason(reason: Reason | None) -> str | None:
    return None if reason is None else json.dumps(vars(reason), ensure_ascii=False)


def question_fields(entry: ExaminationEntry) -> dict[str, Any]:
    return json.loads(entry.question)
