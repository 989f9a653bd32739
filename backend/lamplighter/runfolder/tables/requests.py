"""`requests-<server>.sqlite`: the requests made through a server. Writer: that server.

The process that applies a request acknowledges it in its own file (table `applied` of `steps.sqlite` or
`layouts.sqlite`) with the step at which it took effect.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.sqlite.database import fetch_all, open_reader, open_writer

SCHEMA = """
CREATE TABLE requests(id INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL, kind TEXT NOT NULL,
    body TEXT NOT NULL);
"""
PROJECTOR_KINDS = frozenset({"map"})
"""Kinds of requests that the projector applies."""
EXAMINE, CANCEL_EXAMINATION = "examine", "cancel_examination"
EXAMINER_KINDS = frozenset({EXAMINE, CANCEL_EXAMINATION})
"""Kinds of requests that the examiner applies; the trainer applies all other kinds."""
_NAME = re.compile(r"requests-([0-9a-z]{1,32})\.sqlite")


@dataclass(frozen=True)
class Request:
    """One request of a client."""

    server: str
    id: int
    time: float
    kind: str
    body: dict[str, Any]


@dataclass(frozen=True)
class AppliedRequest:
    """An applied request, with the first step that it affected."""

    id: int
    server: str
    request: int
    time: float
    attempt: int
    step: int
    kind: str
    body: dict[str, Any] = field(default_factory=dict[str, Any])


class RequestsWriter:
    """A server's writer of its requests file."""

    def __init__(self, folder: Path, server: str) -> None:
        """Use the file of `server` in a run's folder. Raises ValueError if it has other than lower-case
        letters and digits.
        """
        if not _NAME.fullmatch(f"requests-{server}.sqlite"):
            raise ValueError(f"not a server's name: {server!r}")
        self.server = server
        self._path = folder / f"requests-{server}.sqlite"

    def add(self, kind: str, body: dict[str, Any]) -> int:
        """Write a request. Return its id. If the disk is full (`DISK_FULL_ERRORS`), nothing is written."""
        # A trainer of an earlier version, still at work, must be able to read it.
        connection = open_writer(self._path, SCHEMA, version=2)
        try:
            connection.execute(
                "INSERT INTO requests(time,kind,body) VALUES(?,?,?)",
                (time.time(), kind, json.dumps(body)),
            )
            request_id = connection.last_insert_rowid()
        finally:
            # Requests are rare and small, so keep no connection open: a finished folder stays sealed. While a trainer
            # reads, or the disk is full, the file stays in WAL mode until a later request switches it back.
            with contextlib.suppress(apsw.BusyError, apsw.FullError, apsw.IOError):
                connection.set_busy_timeout(200)
                connection.pragma("journal_mode", "delete")
            connection.close()
        return request_id


MAX_HOLD_SECONDS = 600.0
"""Maximum time for which a run waits for its first map; longer requests are cut."""


def ask_to_hold(folder: Path, server: str, seconds: float) -> None:
    """Request that a new run, whose folder no trainer sees yet, wait at most `seconds` (0: no wait) for its
    first map before its first step. `server`: the name of the requesting process.
    """
    if seconds > 0:
        RequestsWriter(folder, server).add("hold", {"seconds": seconds})


class RequestsReader:
    """A reader of the new requests of all servers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, int] = {}
        self._file_stamps: dict[str, tuple[tuple[int, int] | None, ...]] = {}

    def skip_applied(self, last: dict[str, int]) -> None:
        """Skip the requests up to the last applied one of each server (`FactsReader.last_applied`)."""
        for server, request in last.items():
            self._seen[server] = max(request, self._seen.get(server, 0))

    def read_new(self) -> list[Request]:
        """Return the requests made since the last call, oldest first."""
        found: list[Request] = []
        for path in self._folder.glob("requests-*.sqlite"):
            match = _NAME.fullmatch(path.name)
            # Skip files that are unchanged since the last call: a poll then costs two stats per file. While
            # other readers are connected, new requests may be in the WAL only, so check that too.
            mark = tuple(_file_stamp(p) for p in (path, path.with_name(path.name + "-wal")))
            if match is None or self._file_stamps.get(path.name) == mark:
                continue
            try:
                found += self._read(path, match[1])
            except (FileNotFoundError, FormatError, apsw.BusyError):
                continue
            self._file_stamps[path.name] = mark
        return sorted(found, key=lambda request: request.time)

    def _read(self, path: Path, server: str) -> list[Request]:
        connection = open_reader(path)
        try:
            rows = fetch_all(
                connection,
                "SELECT id, time, kind, body FROM requests WHERE id>? ORDER BY id",
                (self._seen.get(server, 0),),
            )
        finally:
            connection.close()
        if rows:
            self._seen[server] = int(rows[-1][0])
        return [Request(server, row[0], row[1], row[2], json.loads(row[3])) for row in rows]


def _file_stamp(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_mtime_ns, stat.st_size
