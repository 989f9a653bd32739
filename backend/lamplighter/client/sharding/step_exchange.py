"""The exchange of a step's parts between the processes: in a thread of each, while the loops go on.

All processes share their headers. Then the parts go to the first process, which writes the step and says so; while it
writes, it may ask for rows that a snapshot needs.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lamplighter.client.errors import InputError
from lamplighter.client.recorder import Recorder
from lamplighter.client.recording.step_recording import SMALL_MATRIX
from lamplighter.client.sharding.own_time import own_seconds
from lamplighter.client.sharding.owned_part import OwnedPart
from lamplighter.client.sharding.shared_matrix import OwnRows, SharedMatrix
from lamplighter.client.sharding.step_part import (
    Bytes,
    Header,
    JoinedRows,
    State,
    StepPart,
    join_rows,
    part_bytes,
)
from lamplighter.client.sharding.watch_group import MissingProcessError, Traffic, WatchGroup
from lamplighter.runfolder.tables.exchanges import MAX_PROCESSES, Exchange, ExchangesWriter, WatchedSplit
from lamplighter.runfolder.writing.free_space import WRITE_ERRORS
from lamplighter.wire.binary import Floats

_PATIENCE = 0.25
"""Seconds that a write waits for readers of a file without a WAL."""
_SEALING_SECONDS = 1.0


class KeptExchanges:
    """The rows of `exchanges.sqlite`, which appears with the first step. A row that cannot be written is left
    out; of more than `MAX_PROCESSES` there are none. `held`: what each process has of the table."""

    def __init__(self, held: Sequence[OwnedPart]) -> None:
        self._held = held
        self._writer: ExchangesWriter | None = None
        self._is_told = False
        self._before = Traffic()
        self._asked, self._snapshots = [0] * len(held), 0

    def note_rows(self, sizes: Sequence[int]) -> None:
        """Note that rows of a snapshot were collected: the bytes of each process's."""
        self._snapshots += 1
        for rank, (size, part) in enumerate(zip(sizes, self._held, strict=True)):
            # Those of the first process stay there.
            self._asked[rank] += size // (4 * (part.columns + 1)) if rank else 0

    def add_step(
        self, path: Path, attempt: int, step: int, headers: Sequence[Header], numbers: int, traffic: Traffic
    ) -> None:
        """Add what was sent since the step before. `numbers`: how many numbers of moved rows were sent;
        `traffic`: the bytes of all processes so far."""
        if len(headers) > MAX_PROCESSES:
            # A reader would refuse so long a row, and the run with it.
            return
        others = headers[1:]
        sent = {kind: size - getattr(self._before, kind) for kind, size in asdict(traffic).items()}
        worked = tuple(round(one, 6) for one in own_seconds([header.own for header in headers]))
        exchange = Exchange(
            sent,
            read=tuple(one.ids for one in headers),
            asked=tuple(self._asked),
            recorded=(sum(max(one.gradients, 0) for one in others), sum(one.moved for one in others)),
            worked=worked,
            waited=tuple(round(max(worked) - own, 6) for own in worked),
            sent=(numbers, sum(one.top_losses for one in others), self._snapshots),
        )
        self._before = replace(traffic)
        self._asked, self._snapshots = [0] * len(headers), 0
        with suppress(*WRITE_ERRORS):
            if self._writer is None:
                self._writer = ExchangesWriter(path)
                self._writer.set_patience(_PATIENCE)
            with self._writer.transaction():
                if not self._is_told:
                    parts = tuple((one.offset, one.rows, one.first_column, one.columns) for one in self._held)
                    self._writer.begin_split(attempt, step, WatchedSplit(parts))
                self._writer.add_exchange(attempt, step, exchange)
            self._is_told = True

    def close(self) -> None:
        """Close the file, while this process still holds the role that allows it to write. Safe to call again."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        with suppress(*WRITE_ERRORS):
            writer.close(sealed=True, patience=_SEALING_SECONDS)


_DONE, _ROWS, _ENDED = 0, 1, 2
"""What the first process says: the step is written; rows are needed; the record has ended."""

WriteStep = Callable[[list[StepPart], JoinedRows, Floats | None], object]
"""Writes a step: the parts of all processes, their rows, and the moved rows, shape (moved, D), if the record keeps them."""


class SharedEndError(InputError):
    """The record has ended in all processes, and each knows why."""


def _write_nothing(parts: list[StepPart], rows: JoinedRows, vectors: Floats | None) -> None: ...


class Contribution(NamedTuple):
    """What a process gives to be exchanged."""

    part: StepPart
    write: WriteStep = _write_nothing
    """Called in the first process."""
    finish: Callable[[], object] = lambda: None
    """Called in the first process once all are closing."""


class StepExchange:
    """A queue of what this process gives, and the thread that exchanges it with the others, in order.

    `parts`: the part of the table, shape (V, D), that each process owns; `held`: what each has, if only as a
    copy.
    """

    def __init__(
        self,
        group: WatchGroup,
        parts: Sequence[OwnedPart],
        held: Sequence[OwnedPart],
        own: OwnRows,
        shape: tuple[int, int],
    ) -> None:
        self.group, self.own, self._parts, self._shape = group, own, parts, shape
        self._kept = KeptExchanges(held)
        self._owners = [rank for rank, part in enumerate(parts) if not part.is_empty]
        self.is_split = self._owners != [0]
        """True if no process has the whole table."""
        self.matrix = SharedMatrix(shape, parts, self._collect_rows) if self.is_split else None
        """The whole table in the first process, if it is split."""
        self.recorder: Recorder | None = None
        """The record, in the first process."""
        self.error: Exception | None = None
        """Why the record has ended before all processes closed it; None while it has not."""
        self._given: queue.SimpleQueue[Contribution] = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._unfinished, self._met, self._is_asked = 0, False, True

    def begin_record(self, record: Callable[[], Recorder] | None) -> None:
        """Begin the record, which `record` makes in the first process; it is None in the others. All
        processes call this.

        Raises MissingProcessError if the first process cannot record; there, what `record` raised.
        """
        if record is None:
            if not self._serve():
                raise MissingProcessError("process 0 could not begin the record")
        else:
            try:
                self.recorder = record()
            except BaseException:
                self.group.say(_ENDED)
                raise
            self._is_asked = False
            self.group.say(_DONE)
        threading.Thread(target=self._exchange_all, name="lamplighter-share", daemon=True).start()

    def give(self, given: Contribution) -> None:
        with self._changed:
            self._unfinished += 1
        self._given.put(given)

    def await_all(self, seconds: float, *, met: bool = False) -> bool:
        """Wait until all that was given is exchanged, or the record has ended, or all processes are closing
        (`met`). Return False if that takes longer."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not self._unfinished or self.error is not None or (met and self._met), timeout=seconds
            )

    def _exchange_all(self) -> None:
        ended = False
        while not ended:
            given = self._given.get()
            try:
                ended = self._exchange(given)
            except Exception as error:  # noqa: BLE001 (raised in the loop, if it wants that)
                self.error, ended = error, True
            if ended:
                self._kept.close()
            self._note(finished=1)

    def _note(self, *, finished: int = 0, met: bool = False) -> None:
        with self._changed:
            self._unfinished -= finished
            self._met |= met
            self._changed.notify_all()

    def _exchange(self, given: Contribution) -> bool:
        """Exchange one part of each process. Return whether all are closing."""
        headers = self.group.share_headers(given.part.header)
        _require_agreement(headers)
        closing = headers[0].state is State.CLOSING
        if given.part.header.lost:
            self.own.note_all()
        if closing:
            self._note(met=True)
        word, self._is_asked = _ENDED, True
        if self.recorder is None:
            if not closing:
                self._send_part(given.part, headers)
            if not self._serve():
                raise SharedEndError("process 0 records no more")
            return closing
        try:
            if closing:
                self._kept.close()
                given.finish()
            else:
                self._write(given, headers)
                if not self.recorder.is_recording:
                    # It keeps its last matrix while the others can still be asked.
                    self._kept.close()
                    self.recorder.close()
                    raise SharedEndError(self.recorder.why_ended or "it was closed")
            word = _DONE
        finally:
            self._is_asked = False
            self.group.say(word)
        return closing

    def _send_part(self, part: StepPart, headers: Sequence[Header]) -> None:
        moved = part.moved.ids
        kept = self._keeps_vectors(headers)
        self.group.collect(
            part.encode(self.own.own_vectors(moved) if kept else None), self._sizes(headers, kept), "parts"
        )
        if not kept:
            self.own.note_moved(moved)

    def _write(self, given: Contribution, headers: Sequence[Header]) -> None:
        part = given.part
        kept = self._keeps_vectors(headers)
        contents = self.group.collect(np.empty(0, np.uint8), self._sizes(headers, kept), "parts")
        parts = [part]
        found = [self.own.own_vectors(part.moved.ids)] if kept else []
        for header, owned, content in zip(headers[1:], self._parts[1:], contents[1:], strict=True):
            other, vectors = StepPart.decode(header, content, owned.columns if kept else None, self._shape[0])
            parts.append(other)
            if vectors is not None:
                found.append(vectors)
        rows = join_rows(parts, self._owners, self._shape[0])
        kept_rows = None
        if self.matrix is not None:
            self.matrix.is_stale |= any(header.lost or (header.moved and not kept) for header in headers)
            for owned, one, vectors in zip(self._parts, parts, found, strict=kept):
                self.matrix.replace_rows(owned, one.moved.ids, vectors)
            if kept:
                kept_rows = self.matrix.vectors(rows.moved_ids)
            else:
                self.own.note_moved(part.moved.ids)
        elif 2 * len(rows.moved_ids) <= self._shape[0]:
            kept_rows = self.own.own_vectors(rows.moved_ids)
        if self.recorder is not None and self.recorder.run is not None:
            numbers = sum(vectors.size for vectors in found[1:])
            self._kept.add_step(
                self.recorder.run.exchanges_path,
                *self.recorder.next_step,
                headers,
                numbers,
                self.group.traffic,
            )
        given.write(parts, rows, kept_rows)

    def _keeps_vectors(self, headers: Sequence[Header]) -> bool:
        """Return whether the moved rows of a split table are sent: at most half of it, or all of a small one."""
        rows, width = self._shape
        moved = sum(header.moved for header in headers)
        return self.is_split and (2 * moved <= rows or 4 * rows * width <= SMALL_MATRIX)

    def _sizes(self, headers: Sequence[Header], kept: bool) -> list[int]:
        return [
            part_bytes(header, owned.columns if kept else None)
            for header, owned in zip(headers, self._parts, strict=True)
        ]

    def _serve(self) -> bool:
        """Answer the first process until it has written. Return whether the record goes on."""
        while (word := self.group.say(_DONE)) == _ROWS:
            self._send_rows()
        return word == _DONE

    def _collect_rows(self) -> list[Bytes]:
        if not self._is_asked:
            raise MissingProcessError("the other processes do not wait to be asked for their rows")
        self.group.say(_ROWS)
        return self._send_rows()

    def _send_rows(self) -> list[Bytes]:
        rows = self.own.take_stale()
        sizes = self.group.share_number(len(rows))
        self._kept.note_rows(sizes)
        return self.group.collect(rows, sizes, "rows")


def _require_agreement(headers: Sequence[Header]) -> None:
    """Raise SharedEndError unless all processes give the same step, or all are closing."""
    for rank, header in enumerate(headers):
        if header.state is State.FAILED:
            raise SharedEndError(f"process {rank}: {header.message}")
    states = [header.state for header in headers]
    if len(set(states)) > 1:
        raise SharedEndError(
            f"process {states.index(State.CLOSING)} has closed its watcher, and others go on"
        )
    steps = {(header.number, header.steps) for header in headers}
    if len(steps) > 1:
        numbers = ", ".join(str(header.number) for header in headers)
        raise SharedEndError(
            f"the processes have taken different steps ({numbers}), so they do not train together"
        )
    if len({header.checksum for header in headers}) > 1:
        raise SharedEndError(
            "the embeddings of the processes differ, so they do not train one model together: watch with alone=True"
        )
