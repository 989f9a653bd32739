"""The reader of `steps.sqlite` (`steps.py`): pulses, rows, keyframes, events and other data of the steps that count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import apsw
import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.sentences import decode_message
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.lineage import LAST_STEP, Lineage, split_step_key, step_key
from lamplighter.runfolder.matrices.stored_matrix import KeyframeMatrix, open_keyframe
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.role_lock import RoleState, role_state
from lamplighter.runfolder.sqlite.unreadable_file import is_in_wal_mode
from lamplighter.runfolder.tables.facts import FactsReader
from lamplighter.runfolder.tables.steps import TimelineEvent, phase_in
from lamplighter.wire.binary import Floats, FrameError
from lamplighter.wire.frames import MAGIC, ROWS_HEAD, locate_row

_IS_FRAME = f"SELECT 1 FROM keyframes WHERE id=? AND substr(record, 1, 4)=x'{MAGIC.hex()}'"


class StepsReader(FactsReader):
    """A reader of `steps.sqlite`, live or finished. Not thread-safe; no call leaves a cursor open."""

    def lineage(self) -> Lineage:
        attempts = self._fetch_all("SELECT attempt, first_step FROM attempts ORDER BY attempt DESC")
        return Lineage.of_attempts((attempt, first) for attempt, first in attempts)

    def phase(self) -> Phase:
        return phase_in(self.facts())

    def attempts(self) -> list[tuple[int, int, float]]:
        """Return all attempts, oldest first: (attempt, first step, time of opening in Unix seconds)."""
        rows = self._fetch_all("SELECT attempt, first_step, opened FROM attempts ORDER BY attempt")
        return [(attempt, first, opened) for attempt, first, opened in rows]

    def newest_step(self) -> tuple[int, int]:
        """Return (attempt, step) of the newest step of the lineage.

        The step is 0 before the first step is done; the result is (0, 0) before the first attempt.
        """
        for attempt, first, end in reversed(self.lineage().ranges):
            row = self._fetch_all(
                "SELECT max(id) FROM pulses WHERE id BETWEEN ? AND ?",
                step_key(attempt, first),
                step_key(attempt, end),
            )[0][0]
            if row is not None:
                return split_step_key(row)
            if first == 0:
                return attempt, 0
        return 0, 0

    def pulses(self, first: int, last: int, limit: int = 1_000) -> list[tuple[int, bytes]]:
        """Return (step, encoded pulse) of the lineage from step `first` to `last`, inclusive, at most `limit`."""
        return self._select_range("SELECT id, record FROM pulses", first, last, limit)

    def pulses_at(self, steps: Iterable[int]) -> list[tuple[int, bytes]]:
        """Return (step, encoded pulse) of the given steps; missing steps are omitted."""
        return self._select_steps("SELECT record FROM pulses WHERE id=?", steps)

    def pulse_sizes(self, steps: Sequence[int], limit: int | None = None) -> list[int]:
        """Return the bytes of the encoded pulses of the given steps, at most `limit` of a range, without reading them;
        missing steps are omitted.
        """
        size = "length(record) FROM pulses"
        if isinstance(steps, range) and steps.step == 1:
            found = self._select_range(f"SELECT id, {size}", steps.start, steps.stop - 1, limit or len(steps))
        else:
            found = self._select_steps(f"SELECT {size} WHERE id=?", steps)
        return [size for _, size in found]

    def held_out_losses(self, first: int, last: int) -> dict[int, float]:
        """Return the losses on held-out text by step of the lineage from `first` to `last`, inclusive."""
        return dict(self._select_range("SELECT id, loss FROM held_out", first, last, last - first + 1))

    def scalars(self, first: int, last: int) -> dict[int, str]:
        """Return the encoded numbers of the loop (`scalars.py`) by step of the lineage from `first` to `last`, inclusive."""
        return dict(self._select_range("SELECT id, numbers FROM scalars", first, last, last - first + 1))

    def top_losses_at(self, steps: Iterable[int]) -> dict[int, bytes]:
        """Return the encoded top losses (`wire/top_losses.py`) by step, for those of the given steps that have them."""
        return dict(self._select_steps("SELECT record FROM top_losses WHERE id=?", steps))

    def kept_rows(self, first: int, last: int, limit: int = 1_000) -> list[tuple[int, bytes]]:
        """Return (step, encoded rows that are kept of every step) of the lineage from `first` to `last`, inclusive, at most
        `limit`; without the steps whose moved rows give them."""
        return self._select_range("SELECT id, record FROM kept_rows", first, last, limit)

    def energy_at(self, steps: Iterable[int]) -> dict[int, str]:
        """Return the encoded energy (`energy.py`) by step, for those of the given steps that have a reading."""
        return dict(self._select_steps("SELECT spent FROM energy WHERE id=?", steps))

    def newest_energy(self, limit: int) -> list[tuple[int, int, str]]:
        """Return (attempt, step, encoded energy) of the last readings, at most `limit`, newest first. Sums continue
        across attempts, so readings of superseded steps are included."""
        rows = self._fetch_all("SELECT id, spent FROM energy ORDER BY id DESC LIMIT ?", limit)
        return [(*split_step_key(row), spent) for row, spent in rows]

    def lines(self, first: int, last: int, limit: int) -> dict[int, str]:
        """Return the encoded lines (`lines.py`) by step of the lineage from `first` to `last`, inclusive, at most
        `limit`."""
        return dict(self._select_range("SELECT id, said FROM lines", first, last, limit))

    def lines_sizes(self, first: int, last: int, limit: int) -> dict[int, int]:
        """Return the lengths in characters of the lines that `lines` returns, without reading them."""
        return dict(self._select_range("SELECT id, length(said) FROM lines", first, last, limit))

    def digests(self, first: int, last: int) -> dict[int, bytes]:
        return dict(self._select_range("SELECT id, digest FROM pulses", first, last, last - first + 1))

    def count_steps(self, first: int, last: int) -> int:
        """Return how many steps of the lineage from `first` to `last`, inclusive, are recorded."""
        return sum(
            self._fetch_all(
                "SELECT count(*) FROM pulses WHERE id BETWEEN ? AND ?",
                step_key(attempt, max(lower, first)),
                step_key(attempt, min(upper, last)),
            )[0][0]
            for attempt, lower, upper in self.lineage().ranges
            if max(lower, first) <= min(upper, last)
        )

    def rows(self, first: int, last: int, limit: int = 1_000) -> list[tuple[int, bytes]]:
        """Return (step, encoded moved rows) of the lineage from `first` to `last`, inclusive, at most `limit`."""
        return self._select_range("SELECT id, record FROM rows", first, last, limit)

    def rows_at(self, steps: Iterable[int]) -> list[tuple[int, bytes]]:
        """Return (step, encoded moved rows) of the given steps; missing steps are omitted."""
        return self._select_steps("SELECT record FROM rows WHERE id=?", steps)

    def has_rows(self) -> bool:
        """Return whether this file, not only the tiles, has moved rows of the lineage."""
        return bool(self._select_range("SELECT id, 0 FROM rows", 0, LAST_STEP, 1))

    def steps_with_rows(self, first: int, last: int, limit: int | None = None) -> list[int]:
        """Return the steps of the lineage from `first` to `last` whose moved rows are in this file.

        Ascending, at most `limit`.
        """
        row_limit = max(0, last - first + 1) if limit is None else limit
        return [s for s, _ in self._select_range("SELECT id, 0 FROM rows", first, last, row_limit)]

    def numbers_in(self, table: Literal["rows", "kept_rows"], first: int, last: int) -> NDArray[np.int64]:
        """Return the steps from `first` to `last`, inclusive, of which a table has a row, as an array, shape (N,): eight bytes
        each."""
        return np.concatenate(
            [np.empty(0, np.int64)]
            + [
                self._fetch_integers(
                    f"SELECT id FROM {table} WHERE id BETWEEN ? AND ? ORDER BY id",
                    step_key(attempt, max(lower, first)),
                    step_key(attempt, min(upper, last)),
                )
                - step_key(attempt, 0)
                for attempt, lower, upper in self.lineage().ranges
                if max(lower, first) <= min(upper, last)
            ]
        )

    def keyframe_steps(self) -> list[tuple[int, int]]:
        """Return (attempt, step) of all keyframes of the lineage, ascending."""
        return [
            split_step_key(row[0])
            for attempt, first, last in self.lineage().ranges
            for row in self._fetch_all(
                "SELECT id FROM keyframes WHERE id BETWEEN ? AND ? ORDER BY id",
                step_key(attempt, first),
                step_key(attempt, last),
            )
        ]

    def keyframe(self, step: int) -> KeyframeMatrix | None:
        """Return the matrix of the newest keyframe of the lineage at or before `step`. Raises FormatError if
        it lies in a file of its own, which is damaged or missing, FrameError if it is damaged.
        """
        for attempt, first, last in reversed(self.lineage().ranges):
            if first <= step:
                rows = self._fetch_all(
                    "SELECT record FROM keyframes WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1",
                    step_key(attempt, first),
                    step_key(attempt, min(last, step)),
                )
                if rows:
                    return open_keyframe(rows[0][0], self._folder)
        return None

    def census(self, step: int) -> tuple[int, bytes] | None:
        """Return (step, encoded census) of the keyframe that `keyframe` returns, without reading the matrix."""
        at = self.keyframe_step(step)
        found = self._select_steps("SELECT census FROM keyframes WHERE id=?", [] if at is None else [at])
        return found[0] if found else None

    def keyframe_row(self, step: int, token_id: int) -> Floats:
        """Read one row of the keyframe of `step`, shape (D,), without reading the whole matrix. Raises
        LookupError if `step` has no keyframe, or no longer has one, FormatError if the keyframe is
        damaged.
        """
        range_ = self.lineage().range_at(step)
        if range_ is None:
            raise LookupError(f"step {step} has no keyframe")
        row = step_key(range_.attempt, step)
        if self._is_unfinished or not self._fetch_all(_IS_FRAME, row):
            # In a copy, pages of other records may be mixed in: verify the checksum of the whole record.
            return self._verified_row(row, token_id)
        try:
            blob = self._connection.blob_open("main", "keyframes", "record", row, False)
        except apsw.SQLError as error:
            raise LookupError(f"step {step} has no keyframe") from error
        try:
            offset, length = locate_row(blob.read(ROWS_HEAD), token_id)
            blob.seek(offset)
            return np.frombuffer(blob.read(length), dtype="<f4").astype(np.float32)
        except (apsw.Error, FrameError, ValueError) as error:
            raise FormatError(f"steps.sqlite cannot be read: {error}") from error
        finally:
            blob.close(True)

    def _verified_row(self, row: int, token_id: int) -> Floats:
        found = self._fetch_all("SELECT record FROM keyframes WHERE id=?", row)
        if not found:
            raise LookupError(f"step {split_step_key(row)[1]} has no keyframe")
        try:
            return np.array(open_keyframe(found[0][0], self._folder).vectors[token_id])
        except (FrameError, IndexError) as error:
            raise FormatError(f"steps.sqlite cannot be read: {error}") from error

    @cached_property
    def _folder(self) -> Path:
        return Path(self._connection.filename).parent

    @cached_property
    def _is_unfinished(self) -> bool:
        path = Path(self._connection.filename)
        return is_in_wal_mode(path) and role_state(path.parent, "trainer") is not RoleState.HELD

    def keyframe_step(self, step: int) -> int | None:
        """Return the step of the keyframe that `keyframe` returns, without reading the matrix; None if none."""
        for attempt, first, last in reversed(self.lineage().ranges):
            if first <= step:
                row = self._fetch_all(
                    "SELECT max(id) FROM keyframes WHERE id BETWEEN ? AND ?",
                    step_key(attempt, first),
                    step_key(attempt, min(last, step)),
                )[0][0]
                if row is not None:
                    return split_step_key(row)[1]
        return None

    def keyframe_step_after(self, step: int) -> int | None:
        """Return the step of the oldest keyframe of the lineage after `step`; None if none."""
        for attempt, first, last in self.lineage().ranges:
            if last > step:
                row = self._fetch_all(
                    "SELECT min(id) FROM keyframes WHERE id BETWEEN ? AND ?",
                    step_key(attempt, max(first, step + 1)),
                    step_key(attempt, last),
                )[0][0]
                if row is not None:
                    return split_step_key(row)[1]
        return None

    def events(self, after: int = 0, limit: int = 1_000) -> list[TimelineEvent]:
        """Return at most `limit` events with an id above `after`, oldest first."""
        return self._events("WHERE id>? ORDER BY id", after, limit)

    def newest_events(self, limit: int) -> list[TimelineEvent]:
        """Return the newest `limit` events, oldest first."""
        return self._events("ORDER BY id DESC", limit)[::-1]

    def _events(self, which: str, *values: int) -> list[TimelineEvent]:
        rows = self._fetch_all(
            f"SELECT id, time, attempt, step, kind, message FROM events {which} LIMIT ?", *values
        )
        return [replace(TimelineEvent(*row), message=decode_message(row[5])) for row in rows]

    def _select_steps(self, select: str, steps: Iterable[int]) -> list[tuple[int, Any]]:
        lineage = self.lineage()
        return [
            (step, row[0])
            for step in steps
            if (range_ := lineage.range_at(step)) is not None
            for row in self._fetch_all(select, step_key(range_.attempt, step))
        ]

    def _select_range(self, select: str, first: int, last: int, limit: int) -> list[tuple[int, Any]]:
        found: list[tuple[int, Any]] = []
        for attempt, lower, upper in self.lineage().ranges:
            low, high = max(lower, first), min(upper, last)
            if low <= high and limit > len(found):
                found += [
                    (split_step_key(row)[1], record)
                    for row, record in self._fetch_all(
                        f"{select} WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?",
                        step_key(attempt, low),
                        step_key(attempt, high),
                        limit - len(found),
                    )
                ]
        return found
