"""The common parts of answers about a token's history: the request, its limits, and the formats offered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.responses import Response

from lamplighter.exports.formats.tensor_files import npy_header
from lamplighter.exports.formats.token_rows import ArrowStream, import_pyarrow, vector_column
from lamplighter.serving.reading.downsampling import keep_extremes
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.reading.run_index import RunIndex
from lamplighter.web.http.content_negotiation import ARROW, JSON, NPY, ResponseFormat
from lamplighter.web.http.reply import Reply
from lamplighter.web.http.response_cost import check_bytes, check_json_numbers
from lamplighter.web.http.streaming import json_parts

OFFERED = (JSON, NPY, ARROW)
MAX_BYTES = 128 << 20
BLOCK_BYTES = 8 << 20
MANY_STEPS = 2_000
_ROWS = 1_000


Columns = dict[str, NDArray[Any]]
"""Columns by name, each with N entries; a vector column has shape (N, D)."""


@dataclass(frozen=True)
class PathRequest:
    """A validated request for one token's history, with its reply."""

    reply: Reply
    catalog: RunCatalog
    run_index: RunIndex
    token_id: int
    first: int
    last: int | None
    """The last step, inclusive; None: the newest."""
    most: int | None
    """The maximum number of steps to return, including the extremes; None: all."""
    attempt: int | None

    def tag(self, meaning: str, *parts: object, immutable: bool, suffix: tuple[object, ...] = ()) -> None:
        """Set the tag of the reply: a history of this meaning, which also depends on `parts` and `suffix`."""
        form = self.reply.form.name
        self.reply.tag("path", self.token_id, meaning, *parts, self.most, form, *suffix, immutable=immutable)

    def send(self, cost: int, read: Callable[[], Columns], **facts: Any) -> Response:
        """Stream the columns that `read` returns; `cost` is the memory for reading them, in bytes."""
        return self.reply.send(
            cost, columns_maker(read, {"token_id": self.token_id} | facts, self.reply.form)
        )


def check_size(numbers: int, form: ResponseFormat) -> None:
    """Refuse (422) an answer of more than `MAX_BYTES`, or of more numbers than JSON should carry; the message says
    how to ask for less.
    """
    check_bytes("that many steps", 4 * numbers, MAX_BYTES, "ask for fewer with from, to or most")
    check_json_numbers(form, numbers, "ask for fewer steps with from, to or most, or for format=npy")


def downsample(columns: Columns, series: list[NDArray[Any]], most: int | None) -> Columns:
    """Return the columns at no more than `most` steps, including the extremes of each series."""
    if most is None:
        return columns
    kept = keep_extremes(series, most)
    return {name: column[kept] for name, column in columns.items()}


def columns_maker(
    read: Callable[[], Columns], facts: dict[str, Any], form: ResponseFormat
) -> Callable[[], Iterator[bytes]]:
    """Return a function that reads the columns and yields them in the requested format."""

    def make() -> Iterator[bytes]:
        if form is NPY:
            return _npy(read())
        if form is ARROW:
            import_pyarrow()
            return _arrow(read(), facts)
        columns = read()
        *others, (name, last) = columns.items()
        facts_and_columns = {**facts, **{label: column.tolist() for label, column in others}}
        return json_parts(
            facts_and_columns, name, (last[start : start + _ROWS] for start in range(0, len(last), _ROWS))
        )

    return make


def _npy(columns: Columns) -> Iterator[bytes]:
    """Yield an `.npy` file with one record per step, so that the file includes the steps."""
    names = {"steps": "step", "vectors": "vector"}
    size = len(columns["steps"])
    dtype = np.dtype([(names.get(n, n), c.dtype, c.shape[1:]) for n, c in columns.items()])
    yield npy_header(dtype, (size,))
    for start in range(0, size, _ROWS):
        records = np.empty(min(_ROWS, size - start), dtype=dtype)
        for name, column in columns.items():
            records[names.get(name, name)] = column[start : start + _ROWS]
        yield records.tobytes()


def _arrow(columns: Columns, facts: dict[str, Any]) -> Iterator[bytes]:
    arrow = import_pyarrow()
    names = {"steps": "step", "vectors": "vector"}
    arrays = {
        names.get(name, name): vector_column(column) if column.ndim == 2 else arrow.array(column)
        for name, column in columns.items()
    }
    table = arrow.table(arrays, metadata={"format": "lamplighter", **{n: str(v) for n, v in facts.items()}})
    stream = ArrowStream(table.schema)
    for batch in table.to_batches(max_chunksize=_ROWS):
        yield stream.write(batch)
    yield stream.close()
