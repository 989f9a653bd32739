"""Hostile SQLite files in the zip of a run, each with part of the expected message."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import zstandard

from lamplighter.runfolder.lineage import step_key
from lamplighter.runfolder.tables.lines import SpokenLine, encode_lines
from lamplighter.runfolder.tables.steps import OPTIONAL_TABLES, PAGE_SIZE
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import Frame, decode_as, encode
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows
from lamplighter.wire.tile_frames import MAX_TILE_BYTES
from lamplighter.wire.top_losses import TopLosses
from tests.support.synthetic_runs.recorded import DIM, HOSTILE

Change = Callable[[Path], None]
F = TypeVar("F", Pulse, Rows, Census, Layout, Districts)
V = len(HOSTILE)
TEN = step_key(1, 10)


def sql(script: str, name: str = "steps.sqlite") -> Change:
    """Return a change by a script of SQL."""

    def change(folder: Path) -> None:
        connection = sqlite3.connect(folder / name)
        connection.executescript(script)
        connection.close()

    return change


def put(statement: str, *values: Any, name: str = "steps.sqlite") -> Change:
    """Return a change by one statement with values."""

    def change(folder: Path) -> None:
        connection = sqlite3.connect(folder / name)
        connection.execute(statement, values)
        connection.commit()
        connection.close()

    return change


def fact(key: str, value: Any, name: str = "steps.sqlite") -> Change:
    """Return a change that sets a fact; text is taken as JSON."""
    text = value if isinstance(value, str) else json.dumps(value)
    return put("INSERT OR REPLACE INTO facts VALUES(?,?)", key, text, name=name)


def frame(
    kind: type[F], alter: Callable[[F], Frame], table: str, column: str = "record", row: int = TEN
) -> Change:
    """Return a change of one frame in `steps.sqlite`."""

    def change(folder: Path) -> None:
        connection = sqlite3.connect(folder / "steps.sqlite")
        (data,) = connection.execute(f"SELECT {column} FROM {table} WHERE id=?", (row,)).fetchone()
        connection.execute(
            f"UPDATE {table} SET {column}=? WHERE id=?", (encode(alter(decode_as(data, kind))), row)
        )
        connection.commit()
        connection.close()

    return change


def _damage(name: str, where: float, fill: bytes) -> Change:
    """Overwrite a page at a share of the file."""

    def change(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        at = max(PAGE_SIZE, int(where * len(data)) // PAGE_SIZE * PAGE_SIZE)
        data[at : at + PAGE_SIZE] = (fill * PAGE_SIZE)[: len(data[at : at + PAGE_SIZE])]
        (folder / name).write_bytes(data)

    return change


def _bytes(alter: Callable[[bytes], bytes], name: str = "steps.sqlite") -> Change:
    def change(folder: Path) -> None:
        (folder / name).write_bytes(alter((folder / name).read_bytes()))

    return change


def _late_pulse(folder: Path) -> None:
    """Add the pulse of step 20,000,000."""
    connection = sqlite3.connect(folder / "steps.sqlite")
    (data,) = connection.execute("SELECT record FROM pulses WHERE id=?", (TEN,)).fetchone()
    late = replace(decode_as(data, Pulse), step=20_000_000, first_step=20_000_000)
    connection.execute("INSERT INTO pulses VALUES(?,?,?)", (step_key(1, 20_000_000), b"x", encode(late)))
    connection.commit()
    connection.close()


def _whole(dim: int) -> Callable[[Rows], Rows]:
    return lambda rows: replace(rows, vectors=np.zeros((V, dim), np.float32))


def _layout(step: int, size: int = V, method: Method = Method.UMAP) -> bytes:
    return encode(Layout(1, step, 1e9, method, np.zeros((size, 2), np.float32)))


def _tile(moves: int, dim: int = DIM, tokens: int = V) -> bytes:
    """Return a tile of moves that compress well: a few bytes that unpack to many."""
    counts = np.zeros(tokens, "<u4")
    counts[0] = moves
    index = zstandard.compress(counts.tobytes() + bytes(4 * moves))
    planes = [zstandard.compress(bytes(moves * dim)) for _ in range(4)]
    parts = [index, *planes]
    head = struct.pack("<4sBBHIIIIIII5I", b"LAMP", 1, 5, 1, 1, 1, 30, 0, tokens, dim, moves, *map(len, parts))
    return b"".join((head, *parts))


def _one_tile(record: bytes) -> Change:
    return put("UPDATE tiles SET record=? WHERE id=(SELECT min(id) FROM tiles)", record, name="tiles.sqlite")


def _districts(names: tuple[str, ...]) -> bytes:
    ids = np.arange(1, len(names) + 1, dtype=np.uint32)
    return encode(Districts(1, 30, 1e9, ids, names, np.zeros(V, np.uint16)))


def _many(table: str, columns: str, values: str, count: int, name: str = "steps.sqlite") -> Change:
    """Return a change that adds many rows; `values` may use `n`."""
    return sql(
        f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<{count})"
        f" INSERT INTO {table}({columns}) SELECT {values} FROM c;",
        name,
    )


_TABLES_WITHOUT_END = (
    "PRAGMA writable_schema=ON; WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<3000)"
    " INSERT INTO sqlite_schema SELECT 'table', 't'||n, 't'||n, 2, 'CREATE TABLE t'||n||'(x)' FROM c;"
)

LAYOUTS, MEASURES, TILES = "layouts.sqlite", "measures.sqlite", "tiles.sqlite"
_LINES = encode_lines([SpokenLine((1,), (3,), (0.5,), False)])
_TABLES = "has other tables than the file of a run"

_TOP = TopLosses(np.array([3, 1], np.uint32), np.array([5, 2], np.float32), np.zeros((2, 2), np.uint32))


def _put_top_losses(row: int, record: Any) -> Change:
    def change(folder: Path) -> None:
        sql(OPTIONAL_TABLES["top_losses"])(folder)
        put("INSERT INTO top_losses VALUES(?,?)", row, record)(folder)

    return change


def _top_losses(**changes: Any) -> Change:
    return _put_top_losses(TEN, replace(_TOP, **changes).encode())


DATABASES: dict[str, tuple[str, Change]] = {
    "a trigger": (_TABLES, sql("CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM pulses; END;")),
    "a view for a table": (_TABLES, sql("DROP TABLE events; CREATE VIEW events AS SELECT 1;")),
    "one more table": (_TABLES, sql("CREATE TABLE more(x);")),
    "one more view": (_TABLES, sql("CREATE VIEW more AS SELECT load_extension('x');")),
    "one more index": (_TABLES, sql("CREATE INDEX i ON measures(name);", MEASURES)),
    "an index of an expression": (_TABLES, sql("CREATE INDEX i ON measures(abs(value));", MEASURES)),
    "a virtual table": (_TABLES, sql("CREATE VIRTUAL TABLE v USING fts5(x);")),
    "another column": (_TABLES, sql("ALTER TABLE facts ADD COLUMN x;")),
    "a generated column": (_TABLES, sql("ALTER TABLE events ADD COLUMN x AS (upper(kind));")),
    "a check that computes": (_TABLES, sql("DROP TABLE rows; CREATE TABLE rows(id INTEGER PRIMARY KEY, record BLOB NOT NULL CHECK(length(record)>randomblob(9)));")),
    "no table of rows": (_TABLES, sql("DROP TABLE rows;")),
    "no table of layouts": (_TABLES, sql("DROP TABLE layouts;", LAYOUTS)),
    "three thousand tables": (_TABLES, sql(_TABLES_WITHOUT_END)),
    "a schema that cannot be parsed": ("malformed database schema", sql("PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql='CREATE TABLE rows(' WHERE name='rows';")),
    "a schema with terminal escapes": ("malformed database schema (\\u001b[2J)", sql("PRAGMA writable_schema=ON; UPDATE sqlite_schema SET name='\x1b[2J', sql='CREATE TABLE rows(' WHERE name='rows';")),
    "a newer format": ("this version reads up to", sql("PRAGMA user_version=9;")),
    "a write-ahead log": ("while it was being written", sql("PRAGMA journal_mode=WAL;")),
    "no database": ("is not an SQLite database", _bytes(lambda _: b"hello" * 1_000)),
    "an empty database": (_TABLES, _bytes(lambda _: b"")),
    "its first half": ("malformed", _bytes(lambda data: data[: len(data) // 2])),
    "a header of another page size": ("malformed", _bytes(lambda data: data[:16] + b"\x02\x00" + data[18:])),
    "a list of free pages that loops": ("is damaged", _bytes(lambda data: data[:32] + struct.pack(">II", 2, 9) + data[40:])),
    "a second page of ones": ("damaged", _damage("steps.sqlite", 0, b"\xff")),
    "a page of zeros in the middle": ("is damaged", _damage("steps.sqlite", 0.5, b"\x00")),
    "a page of ones at the end": ("is damaged", _damage("steps.sqlite", 0.99, b"\xff")),
    "a page of layouts damaged": ("layouts.sqlite is damaged", _damage(LAYOUTS, 0, b"\xff")),
    "a page of tiles damaged": ("tiles.sqlite is damaged", _bytes(lambda data: data[:4096] + b"\xff" * 4096 + data[8192:], TILES)),
    "top losses in words": ("top losses that are not bytes", _put_top_losses(TEN, "abc")),
    "top losses cut short": ("cut short", _put_top_losses(TEN, _TOP.encode()[:-1])),
    "top losses with more bytes": ("more bytes than numbers", _put_top_losses(TEN, _TOP.encode() + b"x")),
    "top losses of another vocabulary": ("a token that the vocabulary does not have", _top_losses(windows=np.full((2, 2), V, np.uint32))),
    "top losses that are no numbers": ("descending order of finite losses", _top_losses(losses=np.array([np.nan, 2], np.float32))),
    "top losses out of order": ("descending order of finite losses", _top_losses(losses=np.array([1, 2], np.float32))),
    "top losses beyond the batch": ("a place that the recipe's batches do not have", _top_losses(places=np.array([3, 128], np.uint32))),
    "top losses of a step far beyond": ("far beyond", _put_top_losses(step_key(1, 9_000_000), _TOP.encode())),
    "text for a record": ("a record that is not bytes", sql("UPDATE pulses SET record='abc';")),
    "no frame": ("a frame has at least", sql("UPDATE pulses SET record=x'00';")),
    "a blob of 270 MB of zeros": ("too big", sql("UPDATE pulses SET record=zeroblob(270000000) WHERE id=(SELECT min(id) FROM pulses);")),
    "a text that is not UTF-8": ("cannot be read", sql("UPDATE events SET message=CAST(x'ff41' AS TEXT);")),
    "frames on other rows": ("contradicts its row", sql("UPDATE pulses SET id=id+1000;")),
    "a census for a pulse": ("contradicts its row", sql(f"UPDATE pulses SET record=(SELECT census FROM keyframes WHERE id={TEN}) WHERE id={TEN};")),
    "several steps in one pulse": ("not the record of one step", frame(Pulse, lambda pulse: replace(pulse, first_step=9), "pulses")),
    "a digest of a megabyte": ("not the record of one step", sql("UPDATE pulses SET digest=zeroblob(1000000);")),
    "a digest in words": ("not the record of one step", sql("UPDATE pulses SET digest='abc';")),
    "batches of other sizes than the recipe's": ("the recipe's batches have 128", frame(Pulse, lambda pulse: replace(pulse, batch_counts=np.full(len(pulse.batch_ids), 1 << 27, np.uint32)), "pulses")),
    "gradient norms of a thousand layers": ("too many layers", frame(Pulse, lambda pulse: replace(pulse, layer_norms=np.zeros(1_000, np.float32)), "pulses")),
    "a time that is none": ("vocabulary and width", frame(Pulse, lambda pulse: replace(pulse, time=float("nan")), "pulses")),
    "a pulse of step 20,000,000": ("far beyond the 31 steps", _late_pulse),
    "an attempt that begins at step 4,000,000,000": ("far beyond the 30 steps", sql("INSERT INTO attempts VALUES(2,4000000000,1);")),
    "attempts out of order": ("not in order", sql("UPDATE attempts SET attempt=7;")),
    "an attempt that begins late": ("did not reach it", sql("UPDATE attempts SET first_step=5;")),
    "twenty thousand attempts": ("more than 10,000 rows", _many("attempts", "attempt,first_step,opened", "n+1,1,1", 20_000)),
    "rows of another width": ("vocabulary and width", frame(Rows, _whole(3), "keyframes")),
    "rows of another vocabulary": ("vocabulary and width", frame(Rows, lambda rows: replace(rows, vocabulary=11), "rows")),
    "a keyframe of some rows": ("not a whole matrix", frame(Rows, lambda rows: replace(rows, token_ids=rows.token_ids[:2], vectors=rows.vectors[:2]), "keyframes")),
    "a census of another vocabulary": ("vocabulary and width", frame(Census, lambda census: Census(1, 10, 1e9, census.touches[:5], census.last_lit[:5]), "keyframes", "census")),
    "a loss of step 20,000,000": ("far beyond", sql(f"INSERT INTO held_out VALUES({step_key(1, 20_000_000)}, 1);")),
    "a loss of an attempt that never was": ("did not reach it", sql(f"INSERT INTO held_out VALUES({step_key(7, 10)}, 1);")),
    "a loss in words": ("a number that is not finite", sql(f"INSERT INTO held_out VALUES({step_key(1, 10)}, 'much');")),
    "a loss without end": ("a number that is not finite", sql(f"INSERT INTO held_out VALUES({step_key(1, 10)}, 9e999);")),
    "lines of step 20,000,000": ("far beyond", put("INSERT INTO lines VALUES(?,?)", step_key(1, 20_000_000), _LINES)),
    "lines of an attempt that never was": ("did not reach it", put("INSERT INTO lines VALUES(?,?)", step_key(7, 10), _LINES)),
    "lines that are bytes": ("not text", put("INSERT INTO lines VALUES(?,?)", TEN, _LINES.encode())),
    "lines that are no JSON": ("lines that are not JSON", put("INSERT INTO lines VALUES(?,?)", TEN, "[[")),
    "lines of 100,000 brackets": ("too long", put("INSERT INTO lines VALUES(?,?)", TEN, "[" * 100_000)),
    "five lines": ("a list of 1 to 4", put("INSERT INTO lines VALUES(?,?)", TEN, json.dumps(json.loads(_LINES) * 5))),
    "a line with a word that there is not": ("does not have", put("INSERT INTO lines VALUES(?,?)", TEN, _LINES.replace("[3]", f"[{V}]"))),
    "a line with a probability that is no number": ("an invalid probability", put("INSERT INTO lines VALUES(?,?)", TEN, _LINES.replace("0.5", "NaN"))),
    "a prompt of a thousand words": ("a text must be a list of 1 to 200 tokens", put("INSERT INTO lines VALUES(?,?)", TEN, _LINES.replace("[1]", f"{[1] * 1_000}"))),
    "prompts that are text": ("prompts must be a list", fact("prompts", '"the dog"')),
    "a prompt with a word that there is not": ("does not have", fact("prompts", [[1, V]])),
    "ten thousand and one events": ("more than 10,000 rows", _many("events", "time,attempt,step,kind,message", "1,1,1,'x','y'", 10_001)),
    "a kind of event of 9,000 characters": ("more than 200 characters", sql("UPDATE events SET kind=hex(zeroblob(4500));")),
    "an endless event": ("more than 10,000 characters", sql("UPDATE events SET message=hex(zeroblob(9000));")),
    "an event of step 20,000,000": ("far beyond", sql("UPDATE events SET step=20000000;")),
    "an event at no time": ("a number that is not finite", sql("UPDATE events SET time='soon';")),
    "a request that is a list": ("a request that is not an object", sql("UPDATE applied SET body='[1]';")),
    "a request with a list in it": ("not a text", sql("""UPDATE applied SET body='{"a":[1]}';""")),
    "a request with a number of 400 digits": ("a number that is not finite", put("UPDATE applied SET body=?", '{"value":1' + "0" * 400 + "}")),
    "a server called 9,000 characters": ("more than 200 characters", sql("UPDATE applied SET server=hex(zeroblob(4500));")),
    "a fact that is no JSON": ("not JSON", fact("steps", "{")),
    "a fact of another kind": ("not a text", fact("phase", [])),
    "a fact of two million characters": ("facts that are too large", fact("x", '"' + "x" * 2_000_000 + '"')),
    "a fact of 100,000 brackets": ("not JSON", fact("x", "[" * 100_000)),
    "a fact that is no Unicode": ("not Unicode", fact("message", '"\\ud800"')),
    "two hundred facts": ("more than 100 rows", _many("facts", "name,value", "'f'||n,'1'", 200)),
    "a time of 400 digits": ("a number that is not finite", fact("changed", "1" + "0" * 400)),
    "three hundred layers": ("a list of at most 200 names", fact("layers", ["x"] * 300)),
    "a layer of 9,000 characters": ("more than 200 characters", fact("layers", ["x" * 9_000])),
    "names of layers of 40,000 characters together": ("more than 40,000 bytes", fact("layers", ["x" * 200] * 200)),
    "an energy in words": ("not four numbers", sql("INSERT OR REPLACE INTO energy VALUES(4294967301,'much');")),
    "an energy below nothing": ("not four numbers", sql("INSERT OR REPLACE INTO energy VALUES(4294967301,'[-1,2,3,4]');")),
    "an energy of more steps than can be": ("not four numbers", sql("INSERT OR REPLACE INTO energy VALUES(4294967301,'[1,2,3,1e300]');")),
    "an energy of an attempt that there is not": ("did not reach it", sql("INSERT INTO energy VALUES(39<<32|5,'[1,2,3]');")),
    "a measure in words": ("a number that is not finite", sql("UPDATE measures SET value='much';", MEASURES)),
    "six thousand measures": ("more than 5,000 measures", _many("measures", "attempt,step,name,value", "1,1,'m'||n,1", 6_000, MEASURES)),
    "a measure of step 20,000,000": ("far beyond", sql("UPDATE measures SET step=20000000;", MEASURES)),
    "a layout by an unknown method": ("contradicts its record", sql("UPDATE layouts SET method=1.5;", LAYOUTS)),
    "a layout of another vocabulary": ("vocabulary and width", put("UPDATE layouts SET record=? WHERE step=10", _layout(10, 11), name=LAYOUTS)),
    "a layout of step 20,000,000": ("far beyond", put("UPDATE layouts SET step=20000000, record=? WHERE step=10", _layout(20_000_000), name=LAYOUTS)),
    "a trust in words": ("a number that is not finite", sql("UPDATE layouts SET trust='full';", LAYOUTS)),
    "districts that are a layout": ("contradicts its row", sql("UPDATE districts SET record=(SELECT record FROM layouts WHERE step=30);", LAYOUTS)),
    "districts of another step": ("contradicts its row", sql("UPDATE districts SET step=step+1;", LAYOUTS)),
    "districts that are text": ("a record that is not bytes", sql("UPDATE districts SET record='animals';", LAYOUTS)),
    "a district called a million characters": ("a district's name", put("UPDATE districts SET record=?", _districts(("x" * 1_000_000,)), name=LAYOUTS)),
    "what cannot become of a district": ("unknown kind of district event", sql("UPDATE district_events SET kind='pause';", LAYOUTS)),
    "a tile out of place": ("out of place", sql("UPDATE tiles SET id=id+1;", TILES)),
    "a tile of another stretch": ("out of place", sql("UPDATE stretches SET id=id+1;", TILES)),
    "a tile that is missing": ("lacks some tokens", sql("DELETE FROM tiles;", TILES)),
    "a tile that is no tile": ("not a tile", _one_tile(b"LAMP" * 40)),
    "a tile that unpacks to half a gigabyte": ("the tile is too large", _one_tile(_tile(MAX_TILE_BYTES // (4 * DIM + 4) - 100))),
    "a tile of another width": ("not belong to its stretch", _one_tile(_tile(1, dim=3))),
    "a stretch that ends before it begins": ("an invalid stretch", sql("UPDATE stretches SET last_step=0;", TILES)),
    "a stretch of nine thousand steps": ("an invalid stretch", sql("UPDATE stretches SET last_step=9000;", TILES)),
    "a stretch up to step 4,000,000,000": ("far beyond", sql("UPDATE stretches SET last_step=4000000000;", TILES)),
}  # fmt: skip
