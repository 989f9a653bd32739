"""The tables of a run's files, of this format and of earlier ones."""

from __future__ import annotations

from functools import cache

import apsw

LATER_TABLES = frozenset(
    {
        "applied",
        "districts",
        "district_events",
        "held_out",
        "lines",
        "scalars",
        "energy",
        "kept_rows",
        "top_losses",
    }
)
"""Tables that earlier files lack: readers find no row in them, and the next writer adds them."""
_SCHEMA_QUERY = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"


def has_tables(connection: apsw.Connection, schema: str) -> bool:
    """Return whether a file has exactly the tables of a schema; it may lack some of `LATER_TABLES`."""
    known, found = _tables_of(schema), set(connection.execute(_SCHEMA_QUERY))
    lacking = {str(table) for _, _, table, _ in known - found}
    return found <= known and lacking <= LATER_TABLES


def is_later_table_missing(error: Exception) -> bool:
    """Return whether a query failed since its file is older than one of `LATER_TABLES`."""
    _, _, table = str(error).partition("no such table: ")
    return table in LATER_TABLES


@cache
def _tables_of(schema: str) -> frozenset[tuple[object, ...]]:
    ours = apsw.Connection(":memory:")
    try:
        ours.execute(schema)
        return frozenset(ours.execute(_SCHEMA_QUERY))
    finally:
        ours.close()
