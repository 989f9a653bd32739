"""Untrusted SQLite files: an imported run may be hostile.

Such a file must have exactly the tables of a run, and is read row by row with each value checked; the rows are
inserted into a new file (`checked_copy.py`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import apsw

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.lineage import step_key
from lamplighter.runfolder.sqlite.database import FORMAT_VERSION, open_writer, seal
from lamplighter.wire.binary import FrameError
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import decode
from lamplighter.wire.layout_frames import Layout
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows

MAX_RECORD = 1 << 28
"""Maximum bytes of one value in an untrusted file: a keyframe of 50,000 rows of 1,024 numbers fits."""
_MAX_TEXT = 10_000
_SCHEMA_QUERY = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"

ProgressTick = Callable[[], None]
"""A callback invoked repeatedly while rows are read; an exception it raises aborts the import."""
F = TypeVar("F", Pulse, Layout, Rows, Census, Districts)


@dataclass(frozen=True)
class RecordShape:
    """The dimensions that all records of a run must have."""

    vocabulary: int
    dim: int


class UntrustedFile:
    """An untrusted SQLite file, opened read-only with SQLite's defences on."""

    def __init__(self, path: Path, schema: str, tick: ProgressTick, *, older: str | None = None) -> None:
        """Open the file and check it as a whole; it must have the tables of `schema` or those of `older`.

        Raises:
            FormatError: the file is invalid; the message says why.
        """
        self.name = path.name
        self.has_current_schema = True
        """True if the file has the tables of `schema`, not the older ones."""
        self._tick = tick
        self._connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        self._connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
        self._connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        self._connection.limit(apsw.SQLITE_LIMIT_LENGTH, MAX_RECORD)
        try:
            for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0", "journal_mode"):
                for (mode,) in self._connection.execute(f"PRAGMA {pragma}"):
                    if mode == "wal":
                        raise FormatError(
                            f"{self.name} was copied while it was being written: export it instead"
                        )
            version = int(str(self._connection.pragma("user_version")))
            if version > FORMAT_VERSION:
                raise FormatError(f"{self.name} has format {version}, newer than this version reads")
            tables = list(self._connection.execute(_SCHEMA_QUERY))
            self.has_current_schema = tables == _schema_tables(schema)
            if tables not in [_schema_tables(known) for known in (schema, older) if known is not None]:
                raise FormatError(f"{self.name} has other tables than the file of a run: refused")
            for (verdict,) in self._connection.execute("PRAGMA quick_check(1)"):
                if verdict != "ok":
                    raise FormatError(f"{self.name} is damaged: {' '.join(str(verdict).split())[:200]}")
        except apsw.Error as error:
            self._connection.close()
            raise FormatError(f"{self.name} cannot be read: {error}") from error
        except FormatError:
            self._connection.close()
            raise

    def rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query, one at a time.

        Raises:
            FormatError: the file cannot be read.
        """
        try:
            for count, row in enumerate(self._connection.execute(query)):
                if count % 64 == 0:
                    self._tick()
                yield row
        except apsw.Error as error:
            raise FormatError(f"{self.name} cannot be read: {error}") from error

    def decode_frame(self, record: Any, kind: type[F], row: Any, shape: RecordShape) -> F:
        """Decode a record, and check its kind, its row id and its dimensions.

        Raises:
            FormatError: the record is not a frame, or fails a check.
        """
        if not isinstance(record, bytes):
            raise FormatError(f"{self.name}: a record that is not bytes")
        try:
            frame = decode(record)
        except FrameError as error:
            raise FormatError(f"{self.name}: {error}") from error
        if not isinstance(frame, kind) or step_key(frame.attempt, frame.step) != row:
            raise FormatError(f"{self.name}: a record that is not what its row says")
        size = len(frame.coordinates) if isinstance(frame, Layout) else 0
        size = len(frame.of) if isinstance(frame, Districts) else size
        size = len(frame.touches) if isinstance(frame, Census) else size
        size = frame.vocabulary if isinstance(frame, Pulse | Rows) else size
        width = frame.vectors.shape[1] if isinstance(frame, Rows) else shape.dim
        if (size, width) != (shape.vocabulary, shape.dim) or not math.isfinite(frame.time):
            raise FormatError(f"{self.name}: a record that is not of this run's vocabulary and width")
        return frame

    def __enter__(self) -> UntrustedFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


class CheckedCopy:
    """A new file of our own, committed and sealed when the `with` block ends without an error."""

    def __init__(self, path: Path, schema: str) -> None:
        """Create the file."""
        self._connection = open_writer(path, schema)
        self._connection.execute("BEGIN")

    def insert(self, sql: str, *values: Any) -> None:
        """Insert a row.

        Raises:
            FormatError: the row violates a constraint, such as a duplicate key.
        """
        try:
            self._connection.execute(sql, values)
        except apsw.ConstraintError as error:
            raise FormatError(f"a row that contradicts another: {error}") from error

    def __enter__(self) -> CheckedCopy:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._connection.execute("COMMIT")
            seal(self._connection)
        self._connection.close()


def _schema_tables(schema: str) -> list[tuple[Any, ...]]:
    ours = apsw.Connection(":memory:")
    try:
        ours.execute(schema)
        return list(ours.execute(_SCHEMA_QUERY))
    finally:
        ours.close()


def parse_json(text: str, name: str) -> Any:
    """Parse `text` as JSON.

    Raises:
        FormatError: the text is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{name}: not JSON: {error}") from error


def parse_json_object(text: Any, name: str) -> dict[str, Any]:
    """Parse `text` as a JSON object.

    Raises:
        FormatError: the text is not a JSON object, or is too long.
    """
    value = parse_json(require_text(text), name)
    if not isinstance(value, dict):
        raise FormatError(f"{name}: a request that is no object")
    return value  # pyright: ignore[reportUnknownVariableType]


def require_text(value: Any) -> str:
    """Return `value` if it is a string of at most 10,000 characters.

    Raises:
        FormatError: the value is not a string, or is too long.
    """
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise FormatError("a text that is none, or too long")
    return value


def require_count(value: Any) -> int:
    """Return `value` if it is an unsigned 32-bit integer, as steps, attempts and requests are.

    Raises:
        FormatError: the value is not such an integer.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 32:
        raise FormatError("a number of steps or attempts that is none")
    return value


def require_number(value: Any) -> float:
    """Return `value` as a float if it is a finite number.

    Raises:
        FormatError: the value is not a finite number.
    """
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise FormatError("a number that is not finite")
    return float(value)
