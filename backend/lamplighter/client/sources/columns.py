"""A column of a table about tokens as classes, which colour the map. CSV, TSV, or parquet if pyarrow is installed."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lamplighter.client.errors import InputError
from lamplighter.client.sources.folder_files import read_text_file, require_plain_file
from lamplighter.client.sources.vocabulary_files import MAX_BYTES, make_vocabulary
from lamplighter.wire.binary import MAX_VOCABULARY
from lamplighter.wire.vocabulary import Vocabulary

_BY_TOKEN = ("token", "word", "label", "name", "text", "key")
_BY_ID = ("id", "token_id", "index")
_MAX_KINDS = 12
"""Maximum number of distinct numbers that are categories, such as clusters; more are a quantity."""
_BANDS = 6
_MAX_COLUMNS = 1_000


class ColouredVocabulary(NamedTuple):
    """A vocabulary with the classes of a column."""

    vocabulary: Vocabulary
    description: str
    """A sentence with the column and the number of tokens that it names."""


def colour_by_column(vocabulary: Vocabulary, path: Path, column: str | None = None) -> ColouredVocabulary:
    """Return a vocabulary whose classes are the values of a table's column, in place of any that it has.

    A column of categories gives a class for each. One with more than twelve distinct numbers gives six bands
    with about equally many tokens, named after their range. The table (`.csv`, `.tsv` or `.parquet`) has a
    header. A column `token` (or word, label, name, text, key) names the tokens, or one `id` (token_id, index)
    their ids; without either, the first one does. `column`: the one to use; None: the first other one.
    """
    try:
        columns = _read_table(path)
    except OSError as error:
        raise InputError(f"{path.name}: {error.strerror or error}") from error
    names = list(columns)
    lower = {name.strip().lower(): name for name in reversed(names)}
    key = next((lower[name] for name in (*_BY_TOKEN, *_BY_ID) if name in lower), names[0])
    others = [name for name in names if name != key]
    chosen = column if column is not None else next(iter(others), None)
    if chosen is None or chosen not in columns:
        listed = ", ".join(name[:80] for name in others[:8]) or "none"
        raise InputError(
            f"{path.name}: no column {str(chosen)[:80]!r} beside {key[:80]!r}; there are {listed}"
        )
    ids = _ids_of(columns[key], vocabulary, by_id=key.strip().lower() in _BY_ID)
    values = {at: value for at, value in zip(ids, columns[chosen], strict=True) if at is not None}
    if not values:
        raise InputError(f"{path.name}: its column {key[:80]!r} names none of the tokens")
    classes = _classes_of({at: _cell(value) for at, value in values.items()})
    made = make_vocabulary(vocabulary.tokens, classes=classes, where=f"{path.name}: {chosen[:80]}")
    unknown = sum(at is None for at in ids)
    rest = f"; {unknown:,} rows name no token" if unknown else ""
    described = (
        f"coloured by {chosen[:80]!r} of {path.name}: {len(values):,} of {len(vocabulary):,} tokens{rest}"
    )
    return ColouredVocabulary(replace(vocabulary, classes=made.classes, families={}), described)


def _read_table(path: Path) -> dict[str, list[Any]]:
    require_plain_file(path)
    if path.suffix.lower() in (".parquet", ".pq"):
        return _read_parquet(path)
    text = read_text_file(path, MAX_BYTES)
    first = text.split("\n", 1)[0]
    is_tabbed = path.suffix.lower() in (".tsv", ".tab") or ("\t" in first and "," not in first)
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if is_tabbed else csv.reader(lines)
    try:
        header = next(reader, [])
        if not header or len(set(header)) != len(header) or len(header) > _MAX_COLUMNS:
            raise InputError(f"{path.name}: the first line must name the columns, each once")
        rows = [row for row in islice(reader, 2 * MAX_VOCABULARY) if row]
    except csv.Error as error:
        raise InputError(f"{path.name}: not a table of cells: {error}") from error
    for number, row in enumerate(rows):
        if len(row) != len(header):
            raise InputError(f"{path.name}: row {number + 1} has {len(row)} cells, the header {len(header)}")
    return {name: [row[at] for row in rows] for at, name in enumerate(header)}


def _read_parquet(path: Path) -> dict[str, list[Any]]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise InputError(f"{path.name}: reading parquet needs pyarrow: pip install pyarrow") from error
    try:
        with parquet.ParquetFile(path) as file:
            facts = file.metadata
            groups = (facts.row_group(at) for at in range(min(facts.num_row_groups, 100_000)))
            if facts.num_rows > 2 * MAX_VOCABULARY or sum(g.total_byte_size for g in groups) > 4 * MAX_BYTES:
                raise InputError(f"{path.name}: larger than a table about tokens can be")
            table = file.read()
    except pyarrow.ArrowException as error:
        raise InputError(f"{path.name}: not a parquet file: {error}".split("\n")[0][:300]) from error
    if len(set(table.column_names)) != table.num_columns or not table.num_columns:
        raise InputError(f"{path.name}: the names of its columns are needed, each once")
    return {name: table.column(name).to_pylist() for name in table.column_names}


def _ids_of(keys: Iterable[Any], vocabulary: Vocabulary, *, by_id: bool) -> list[int | None]:
    if by_id:
        ids = [int(key) if str(key).strip().isdecimal() and len(str(key)) < 12 else -1 for key in keys]
        return [at if 0 <= at < len(vocabulary) else None for at in ids]
    id_of = {token: at for at, token in reversed(list(enumerate(vocabulary.tokens)))}
    # A table has words without the leading space of their token.
    return [id_of.get(str(key), id_of.get(f" {key}")) for key in keys]


def _cell(value: Any) -> str:
    is_missing = value is None or (isinstance(value, float) and math.isnan(value))
    return "" if is_missing else str(value).strip()


def _classes_of(values: dict[int, str]) -> dict[str, list[int]]:
    kinds = sorted({value for value in values.values() if value})
    numbers = _as_numbers(kinds)
    classes: dict[str, list[int]] = {}
    if numbers is None or len(kinds) <= _MAX_KINDS:
        order = kinds if numbers is None else [kinds[at] for at in np.argsort(numbers, kind="stable")]
        classes = {kind: [] for kind in order}
        for at, value in values.items():
            if value:
                classes[value].append(at)
        return classes
    ids = [at for at, value in values.items() if value]
    found = np.array([float(values[at]) for at in ids])
    edges = np.unique(np.quantile(found, np.linspace(0, 1, _BANDS + 1)))
    band_of = np.clip(np.searchsorted(edges, found, side="right") - 1, 0, len(edges) - 2)
    for band in range(len(edges) - 1):
        members = [at for at, one in zip(ids, band_of, strict=True) if one == band]
        if members:
            inside = found[band_of == band]
            classes.setdefault(f"{inside.min():.6g} to {inside.max():.6g}", []).extend(members)
    return classes


def _as_numbers(texts: Sequence[str]) -> list[float] | None:
    """Return texts as numbers; None unless all are finite numbers."""
    try:
        numbers = [float(text) for text in texts]
    except ValueError:
        return None
    return numbers if numbers and all(map(math.isfinite, numbers)) else None
