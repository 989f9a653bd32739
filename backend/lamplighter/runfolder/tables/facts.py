"""The tables `facts` and `applied`, common to `steps.sqlite` and `layouts.sqlite`.

A fact is a named value that its writer replaces: the phase of a run, the settings of its map. An applied request
(`requests.py`) is recorded where it took effect, in the file of the process that applied it.
"""

from __future__ import annotations

import json
import time
from typing import Any

from lamplighter.contract.sentences import encode_message
from lamplighter.runfolder.sqlite.database_file import FileReader, FileWriter
from lamplighter.runfolder.tables.requests import AppliedRequest, Request

FACTS_TABLE = "facts(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"
APPLIED_TABLE = """applied(id INTEGER PRIMARY KEY AUTOINCREMENT, server TEXT NOT NULL, request INTEGER NOT NULL,
    time REAL NOT NULL, attempt INTEGER NOT NULL, step INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE(server, request))"""


class FactsWriter(FileWriter):
    """The writer of a file that has facts and applied requests."""

    def set_facts(self, facts: dict[str, Any]) -> None:
        """Set facts (`phase`, `message`, `layers`, ...), replacing each value."""
        with self._connection:
            self._connection.executemany(
                "INSERT INTO facts VALUES(?,?) ON CONFLICT DO UPDATE SET value=excluded.value",
                [(name, encode_message(value)) for name, value in facts.items()],
            )

    def add_applied(self, request: Request, attempt: int, step: int) -> None:
        """Record that a request takes effect with `step` of an attempt."""
        body = json.dumps(request.body)
        with self._connection:
            self._connection.execute(
                "INSERT INTO applied(server,request,time,attempt,step,kind,body) VALUES(?,?,?,?,?,?,?)",
                (request.server, request.id, time.time(), attempt, step, request.kind, body),
            )


class FactsReader(FileReader):
    """A reader of facts and applied requests, live or finished."""

    def facts(self) -> dict[str, Any]:
        """Return the writer's facts by name."""
        return {name: json.loads(value) for name, value in self._fetch_all("SELECT name, value FROM facts")}

    def applied(self, after: int = 0, limit: int = 10_000) -> list[AppliedRequest]:
        """Return at most `limit` applied requests with an id above `after`, oldest first."""
        rows = self._fetch_all(
            "SELECT id, server, request, time, attempt, step, kind, body FROM applied"
            " WHERE id>? ORDER BY id LIMIT ?",
            after,
            limit,
        )
        return [AppliedRequest(a, b, c, d, e, f, g, json.loads(body)) for a, b, c, d, e, f, g, body in rows]

    def last_applied(self) -> dict[str, int]:
        """Return the newest applied request of each server; a server's requests are applied in order."""
        return dict(self._fetch_all("SELECT server, max(request) FROM applied GROUP BY server"))  # pyright: ignore[reportReturnType]
