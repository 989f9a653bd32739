"""`exchanges.sqlite`: what the processes that train a run handed to each other in each step. Writer: the trainer, or process 0
of a watched loop.

Only a run of several processes has the file (`docs/deploy.md`, `docs/client.md`). A step's row is written just before the step,
so that no step lacks it; a crash between both leaves a row that the next computation of the step replaces.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, ClassVar

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.lineage import LAST_STEP, Lineage, step_key
from lamplighter.runfolder.sqlite.database_file import FileReader, FileWriter

MAX_PROCESSES = 256
"""Processes of which a row can tell."""
_MAX_CHARACTERS = 20_000
"""Maximum length of a row: that of as many processes takes two thirds of it."""
_MAX_NUMBER = 1 << 53
_INVALID = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
SCHEMA = """
CREATE TABLE splits(id INTEGER PRIMARY KEY, split TEXT NOT NULL);
CREATE TABLE exchanges(id INTEGER PRIMARY KEY, exchange TEXT NOT NULL);
"""
FORMULAS = {
    "batch": "8 (4 + B (T + 1)) (N - 1)",
    "ids": "8 (A + N (N - 1))",
    "rows": "4 D A",
    "states": "4 D B T (N - 1)",
    "softmax": "24 B T (N - 1)",
    "state gradients": "4 D B T (N - 1)",
    "row gradients": "4 D A",
    "blocks": "8 P (N - 1)",
    "norms": "32 (N - 1)",
    "record": "152 (N - 1) + 12 G + (12 + 4 D) M",
}
"""The bytes that all processes together hand to others in a step, once for each that gets them, by kind; of the runs that our
own trainer recorded while it split both matrices by rows.

N processes, B sequences of T tokens, width D, P parameters of the blocks; A rows asked of other processes; G rows with a
gradient and M moved rows outside process 0, which keeps the record.
"""
WATCHED_FORMULAS = {
    "headers": "512 N (N - 1)",
    "parts": "8 R + 12 (G + M) + 4 W + L",
    "words": "8 (N - 1) (1 + S (N + 1))",
    "rows": "4 (D + 1) A",
}
"""The same for the record of a watched loop. What the loop itself sends is not counted.

N, G, M as above; R rows that the others read; W numbers of moved rows and L bytes of the largest losses that they sent; S
snapshots since the step before, for which process 0 asked for A rows, of D own columns.
"""


@dataclass(frozen=True)
class Split:
    """How our own trainer once split a run, from a step on. Kept for the runs that have it."""

    formulas: ClassVar[dict[str, str]] = FORMULAS
    owners: tuple[tuple[int, int], ...]
    """`(offset, rows)` of each process, for the embedding and for the output matrix."""
    sequences: int
    context: int
    dim: int
    block_parameters: int
    """Parameters of which every process has a copy."""

    @property
    def columns(self) -> tuple[None, ...]:
        """Return None for each process, as each has all columns of its rows."""
        return (None,) * len(self.owners)

    @property
    def row_owners(self) -> tuple[tuple[int, int], ...] | None:
        return self.owners

    def expected_bytes(self, exchange: Exchange) -> dict[str, int]:
        """Return what `FORMULAS` give for a step, by kind."""
        n, d, tokens = len(self.owners), self.dim, self.sequences * self.context
        asked, (with_gradient, moved) = sum(exchange.asked), exchange.recorded
        return {
            "batch": 8 * (4 + tokens + self.sequences) * (n - 1),
            "ids": 8 * (asked + n * (n - 1)),
            "rows": 4 * d * asked,
            "states": 4 * d * tokens * (n - 1),
            "softmax": 24 * tokens * (n - 1),
            "state gradients": 4 * d * tokens * (n - 1),
            "row gradients": 4 * d * asked,
            "blocks": 8 * self.block_parameters * (n - 1),
            "norms": 32 * (n - 1),
            "record": 152 * (n - 1) + 12 * with_gradient + (12 + 4 * d) * moved,
        }


@dataclass(frozen=True)
class WatchedSplit:
    """How the table of a watched loop lies in its processes."""

    formulas: ClassVar[dict[str, str]] = WATCHED_FORMULAS
    parts: tuple[tuple[int, int, int, int], ...]
    """The part that each process has: `(offset, rows, first column, columns)`. In DDP each has the whole table."""

    @property
    def owners(self) -> tuple[tuple[int, int], ...]:
        """Return `(offset, rows)` of what each process has."""
        return tuple((offset, rows) for offset, rows, _, _ in self.parts)

    @property
    def columns(self) -> tuple[tuple[int, int] | None, ...]:
        """Return `(first column, columns)` of each process; None for those that have all columns of their rows."""
        width = max(first + columns for _, _, first, columns in self.parts)
        return tuple(None if part[3] == width else part[2:] for part in self.parts)

    @property
    def row_owners(self) -> tuple[tuple[int, int], ...] | None:
        """Return the owners if each row lies in one process; None if a row has copies or lies in several of them."""
        ends = list(accumulate((rows for _, rows in self.owners), initial=0))
        apart = all(offset == end for (offset, rows), end in zip(self.owners, ends, strict=False) if rows)
        # The place of a process without rows is where they would be.
        return (
            tuple((end, rows) for end, (_, rows) in zip(ends, self.owners, strict=False)) if apart else None
        )

    def expected_bytes(self, exchange: Exchange) -> dict[str, int]:
        """Return what `WATCHED_FORMULAS` give for a step, by kind."""
        n, (numbers, losses, snapshots) = len(self.parts), exchange.sent
        asked = sum(
            (columns + 1) * rows for (*_, columns), rows in zip(self.parts, exchange.asked, strict=True)
        )
        return {
            "headers": 512 * n * (n - 1),
            "parts": 8 * sum(exchange.read[1:]) + 12 * sum(exchange.recorded) + 4 * numbers + losses,
            "words": 8 * (n - 1) * (1 + snapshots * (n + 1)),
            "rows": 4 * asked,
        }


REPLICA_FORMULAS = {"batch": "8 (2 + B (T + 1)) (N - 1)", "record": "24 (N - 1) + 4 L"}
"""The same for our own trainer. What DDP sends, the gradients, is not counted.

N processes, B sequences of T tokens, of which the others read L.
"""


@dataclass(frozen=True)
class ReplicaSplit(WatchedSplit):
    """How our own trainer shares a run: each process has the whole table, and reads some of the sequences."""

    formulas: ClassVar[dict[str, str]] = REPLICA_FORMULAS
    sequences: int
    context: int

    def expected_bytes(self, exchange: Exchange) -> dict[str, int]:
        """Return what `REPLICA_FORMULAS` give for a step, by kind."""
        n = len(self.parts)
        # Process 0 has one of the larger parts.
        read = (self.sequences - -(-self.sequences // n)) * self.context
        return {
            "batch": 8 * (2 + self.sequences * (self.context + 1)) * (n - 1),
            "record": 24 * (n - 1) + 4 * read,
        }


AnySplit = Split | WatchedSplit


@dataclass(frozen=True)
class Exchange:
    """What the processes handed over in a step."""

    bytes: dict[str, int]
    """Bytes by kind, of all processes together. Beside the kinds of the formulas, `transfer` is what our own trainer dealt out
    between this step and the one before: at its start, a resume."""
    read: tuple[int, ...]
    """Distinct rows that each process's sequences read; 0 where they are unknown."""
    asked: tuple[int, ...]
    """Rows that the others asked of each process."""
    recorded: tuple[int, int]
    """Rows with a gradient and moved rows outside process 0."""
    worked: tuple[float, ...]
    """Seconds that each process computed. The one with the most lags: the others wait. In a watched loop as
    `client/sharding/own_time.py` measures them."""
    waited: tuple[float, ...]
    """Seconds of the same that each process waited for the others' gradients. In a
    watched loop how much longer the slowest computed: the others wait that long at least."""
    sent: tuple[int, int, int] = (0, 0, 0)
    """In a watched loop W, L and S of `WATCHED_FORMULAS`."""


class ExchangesWriter(FileWriter):
    """The one writer of `exchanges.sqlite`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, SCHEMA, version=3)

    def begin_split(self, attempt: int, step: int, split: AnySplit) -> None:
        """Say how the run is split from a step of an attempt on."""
        with self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO splits VALUES(?,?)",
                (step_key(attempt, step), json.dumps(asdict(split))),
            )

    def add_exchange(self, attempt: int, step: int, exchange: Exchange) -> None:
        """Add what was handed over in a step, in place of what an uncommitted one left."""
        with self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO exchanges VALUES(?,?)",
                (step_key(attempt, step), json.dumps(asdict(exchange))),
            )


class ExchangesReader(FileReader):
    """A reader of `exchanges.sqlite`, live or finished. The file may come from anyone, so every value is checked."""

    def split_at(self, lineage: Lineage, step: int) -> AnySplit | None:
        """Return how the run was split at a step; None if one process computed it, or if it is not recorded.
        Raises FormatError if the file holds something else.
        """
        row = step_key(lineage.attempt_at(step), step)
        found = self._fetch_all(
            "SELECT split FROM splits WHERE id<=? AND EXISTS(SELECT 1 FROM exchanges WHERE id=?) ORDER BY id DESC LIMIT 1",
            row,
            row,
        )
        return _decode_split(found[0][0]) if found else None

    def exchanges(
        self, lineage: Lineage, first: int = 0, last: int = LAST_STEP
    ) -> Iterator[tuple[int, Exchange]]:
        """Yield the steps of the lineage from `first` to `last`, ascending, with what was handed over in
        each. Raises FormatError if the file holds something else.
        """
        for attempt, start, end in lineage.ranges:
            low, high = max(first, start), min(last, end)
            for row, text in self._fetch_all(
                "SELECT id, exchange FROM exchanges WHERE id BETWEEN ? AND ? ORDER BY id",
                step_key(attempt, low),
                step_key(attempt, high),
            ):
                yield row - step_key(attempt, 0), _decode_exchange(text)


def _decode_split(text: Any) -> AnySplit:
    try:
        fields = _decode_object(text)
        if "parts" in fields:
            parts: Any = tuple(tuple(map(_whole, part)) for part in fields.pop("parts"))
            if any(len(part) != 4 for part in parts):
                raise ValueError
            numbers = {name: _whole(value) for name, value in fields.items()}
            split: AnySplit = ReplicaSplit(parts, **numbers) if numbers else WatchedSplit(parts)
        else:
            owners = tuple((_whole(offset), _whole(rows)) for offset, rows in fields.pop("owners"))
            split = Split(owners, **{name: _whole(value) for name, value in fields.items()})
        if len(split.owners) < 2:
            raise ValueError
    except _INVALID:
        raise FormatError("exchanges.sqlite: how the rows are split is invalid") from None
    return split


def _decode_exchange(text: Any) -> Exchange:
    try:
        fields = _decode_object(text)
        handed = {name: _whole(size) for name, size in fields.pop("bytes").items()}
        worked, waited = (tuple(map(_seconds, fields.pop(name))) for name in ("worked", "waited"))
        counts: dict[str, Any] = {name: tuple(map(_whole, value)) for name, value in fields.items()}
        one = Exchange(bytes=handed, worked=worked, waited=waited, **counts)
        if not handed.keys() <= {*FORMULAS, *WATCHED_FORMULAS, "transfer"}:
            raise ValueError
        if len(one.recorded) != 2 or len(one.sent) != 3:
            raise ValueError
        if not len(one.read) == len(one.asked) == len(worked) == len(waited) >= 2:
            raise ValueError
    except _INVALID:
        raise FormatError("exchanges.sqlite: what was handed over in a step is invalid") from None
    return one


def _decode_object(text: Any) -> dict[str, Any]:
    if not isinstance(text, str) or len(text) > _MAX_CHARACTERS:
        raise ValueError
    return json.loads(text)


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= _MAX_NUMBER:
        raise ValueError
    return value


def _seconds(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value < math.inf:
        raise ValueError
    return float(value)
