"""The recorder of a training in several processes: each gives its parts to it, and the first has the record.

A thread exchanges the parts of a step while the loop goes on: the headers of all, then the parts to the first process,
which writes the step and says so. While it writes, it may ask for rows that a snapshot needs. A process waits for the
others in its loop only if the step before is still being exchanged when the next one ends.
"""

from __future__ import annotations

import atexit
import os
import queue
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import numpy as np

from lamplighter.client.errors import InputError
from lamplighter.client.recorder import Recorder
from lamplighter.client.recording.record_warnings import describe_error, print_notice, warn
from lamplighter.client.sharding.joined_step import JoinedRows, join_rows
from lamplighter.client.sharding.owned_part import OwnedPart
from lamplighter.client.sharding.shared_matrix import Bytes, OwnRows, SharedMatrix
from lamplighter.client.sharding.step_part import Header, State, StepPart, part_bytes
from lamplighter.client.sharding.watch_group import PATIENCE, MissingProcessError, WatchGroup
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.wire.binary import Floats

_CLOSING_PATIENCE, _EXIT_PATIENCE = 30.0, 3_600.0
"""Seconds that a process waits for all to close, and that it waits as its program ends, when it keeps no other from going
on: the first often has work after the loop."""
_LAST_PATIENCE, _FAILED_PATIENCE = 600.0, 2.0
"""Seconds that a process waits for the last matrix, and for its last step after an error."""
_DONE, _ROWS, _ENDED = 0, 1, 2
"""What the first process says: the step is written; rows are needed; the record has ended."""
_SMALL_MATRIX = 1 << 18
"""Bytes of a table up to which all moved rows are kept, as in `StepRecording`."""

WriteStep = Callable[[list[StepPart], JoinedRows, Floats | None], object]
"""Writes a step: the parts of all processes, their rows, and the moved rows, shape (moved, D), if the record keeps them."""


class SharedEndError(InputError):
    """The record has ended in all processes, and each knows why."""


def _write_nothing(parts: list[StepPart], rows: JoinedRows, vectors: Floats | None) -> None: ...


class _Given(NamedTuple):
    part: StepPart
    write: WriteStep = _write_nothing
    finish: Callable[[], object] = lambda: None
    """Called in the first process once all are closing."""


class SharedRecorder:
    """What the watcher of each process has in place of a `Recorder`, with the methods that it calls."""

    def __init__(
        self, group: WatchGroup, parts: Sequence[OwnedPart], own: OwnRows, shape: tuple[int, int]
    ) -> None:
        """Prepare to exchange.

        Args:
            group: the processes.
            parts: the part of the table that each owns.
            own: the rows of this process.
            shape: of the table, (V, D).
        """
        self.group, self._parts, self._own, self._shape = group, parts, own, shape
        self._owners = [rank for rank, part in enumerate(parts) if not part.is_empty]
        self.is_split = self._owners != [0]
        """True if no process has the whole table."""
        self.matrix = SharedMatrix(shape, parts, self._collect_rows) if self.is_split else None
        """The whole table in the first process, if it is split."""
        self.recorder: Recorder | None = None
        """The record, in the first process."""
        self.run: RunFolder | None = None
        """The run's folder, in the first process."""
        self._steps = 0
        self._given: queue.SimpleQueue[_Given] = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._unfinished, self._met = 0, False
        self._error: Exception | None = None
        self._closed, self._is_asked = False, True
        self._process, self._earlier_error = os.getpid(), getattr(sys, "last_value", None)

    def begin_record(self, record: Callable[[], Recorder] | None) -> None:
        """Begin the record; all processes call this.

        Args:
            record: makes the record, in the first process; None in the others.

        Raises:
            MissingProcessError: the first process cannot record.
            Exception: in the first process: what `record` raised.
        """
        if record is None:
            if not self._serve():
                raise MissingProcessError("process 0 could not begin the record")
        else:
            try:
                self.recorder = record()
                self.run = self.recorder.run
            except BaseException:
                self.group.say(_ENDED)
                raise
            self._is_asked = False
            self.group.say(_DONE)
        threading.Thread(target=self._exchange_all, name="lamplighter-share", daemon=True).start()

    @property
    def folder(self) -> Path:
        """Return the path of the run's folder; for messages in other processes its place in the group."""
        if self.recorder is None:
            return Path(f"process {self.group.rank} of {self.group.size}")
        return self.recorder.folder

    @property
    def at(self) -> int:
        """Return the number of steps that were given."""
        return self._steps

    def note(self, kind: str, message: str) -> None:
        """Add an event to the last recorded step."""
        if self.recorder is not None:
            self.recorder.note(kind, message)

    def add_scalars(self, scalars: str) -> None:
        """Store encoded numbers of the first process's loop."""
        if self.recorder is not None:
            self._wait(_FAILED_PATIENCE)
            self.recorder.add_scalars(scalars)

    def lose_step(self) -> None:
        """Note that a comparison was not recorded."""
        self._own.note_all()
        if self.recorder is not None:
            self.recorder.lose_step()

    def give(self, part: StepPart, write: WriteStep) -> None:
        """Give this process's part of a step, without waiting.

        Args:
            part: the part.
            write: called in the first process, in a thread of this recorder.

        Raises:
            Exception: why the record has ended.
        """
        self._raise_error()
        self._steps += 1
        self._submit(_Given(part, write))

    def wait_for_others(self) -> None:
        """Wait until the steps that were given are recorded, before the table's copy changes.

        Raises:
            MissingProcessError: another process does not come.
            Exception: why the record has ended.
        """
        if not self._wait(PATIENCE):
            raise MissingProcessError(
                f"for {PATIENCE:.0f} s another process has not taken part in the step before"
            )
        self._raise_error()

    def close(self, phase: str = Phase.FINISHED, message: str = "") -> None:
        """End the record once all processes close it; the first then collects the last matrix, if it is split.

        If not all close it in time, it ends without that matrix, as interrupted. Other processes than the first remain ready
        until their program ends.
        """
        self._close(phase, message, _CLOSING_PATIENCE)

    def _close(self, phase: str, message: str, patience: float) -> None:
        if self._closed or os.getpid() != self._process:
            return
        self._closed = True

        def finish() -> None:
            if self.recorder is not None:
                self.recorder.close(phase, message)

        self._submit(_Given(StepPart(Header(State.CLOSING)), finish=finish))
        came = self._wait(patience, met=True)
        if not came and self.recorder is None and patience < _EXIT_PATIENCE:
            atexit.register(self._wait, _EXIT_PATIENCE)
            return
        if not (came and self._wait(_LAST_PATIENCE)):
            error: Exception | None = MissingProcessError(
                "not all processes have closed their watchers: close them in each"
            )
        elif (error := self._error) is None:
            self.group.close()
            return
        self._end_alone()
        if self.recorder is None:
            self._tell_end(error)
        else:
            self.recorder.end_with(error)

    def close_at_exit(self) -> None:
        """Close as the program ends; without waiting if it ends with an error."""
        error = getattr(sys, "last_value", None)
        if error is None or error is self._earlier_error:
            self._close(Phase.FINISHED, "", _EXIT_PATIENCE)
        else:
            self.__exit__(type(error), error, None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        elif not self._closed and os.getpid() == self._process:
            self._leave(f"the loop stopped: {type(error).__name__}: {error}")
            if self.recorder is not None:
                self.recorder.__exit__(kind, error, trace)

    def end_with(self, error: Exception) -> None:
        """End the record in all processes with an error of this one's watcher; its loop goes on."""
        if not self._closed:
            self._leave(describe_error(error))
        if self.recorder is None:
            self._tell_end(error)
        else:
            self.recorder.end_with(error)

    def _tell_end(self, error: Exception) -> None:
        """Tell in another process than the first that the record has ended; the first warns of what all of them know."""
        if isinstance(error, SharedEndError):
            print_notice(f"{self.folder.name}: the record has ended: {error}")
        else:
            warn(f"{self.folder.name}: the record ends here: {describe_error(error)}. Training continues")

    def _leave(self, why: str) -> None:
        """Tell the others, which hear it at their next step; the last step is recorded if they come soon."""
        self._closed = True
        self._wait(_FAILED_PATIENCE)
        self._submit(_Given(StepPart(Header(State.FAILED, message=why))))
        self._end_alone()

    def _end_alone(self) -> None:
        """Let the record end without the last matrix, if the other processes have parts of it."""
        if self.is_split and self.recorder is not None:
            self.recorder.lose_step()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _submit(self, given: _Given) -> None:
        with self._changed:
            self._unfinished += 1
        self._given.put(given)

    def _wait(self, seconds: float, *, met: bool = False) -> bool:
        """Return whether all that was given is done, or the record has ended, or all processes are closing (`met`)."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not self._unfinished or self._error is not None or (met and self._met),
                timeout=seconds,
            )

    def _exchange_all(self) -> None:
        """Exchange until the record ends: the thread's work."""
        ended = False
        while not ended:
            given = self._given.get()
            try:
                ended = self._exchange(given)
            except Exception as error:  # noqa: BLE001 (raised in the loop, if it wants that)
                self._error, ended = error, True
            self._note(finished=1)

    def _note(self, *, finished: int = 0, met: bool = False) -> None:
        with self._changed:
            self._unfinished -= finished
            self._met |= met
            self._changed.notify_all()

    def _exchange(self, given: _Given) -> bool:
        """Exchange one part of each process. Return whether all are closing."""
        headers = self.group.share_headers(given.part.header)
        _require_agreement(headers)
        closing = headers[0].state is State.CLOSING
        if given.part.header.lost:
            self._own.note_all()
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
                given.finish()
            else:
                self._write(given, headers)
                if not self.recorder.is_recording:
                    # It has reached a limit, and keeps its last matrix while the others can still be asked.
                    self.recorder.close()
                    raise SharedEndError("it has reached its limit")
            word = _DONE
        finally:
            self._is_asked = False
            self.group.say(word)
        return closing

    def _send_part(self, part: StepPart, headers: Sequence[Header]) -> None:
        """Send a part, as another process than the first."""
        moved = part.moved.ids
        kept = self._keeps_vectors(headers)
        self.group.collect(
            part.encode(self._own.vectors(moved) if kept else None), self._sizes(headers, kept), "parts"
        )
        if not kept:
            self._own.note_moved(moved)

    def _write(self, given: _Given, headers: Sequence[Header]) -> None:
        """Collect the parts of all processes and write their step, in the first process."""
        part = given.part
        kept = self._keeps_vectors(headers)
        contents = self.group.collect(np.empty(0, np.uint8), self._sizes(headers, kept), "parts")
        parts = [part]
        found = [self._own.vectors(part.moved.ids)] if kept else []
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
                self._own.note_moved(part.moved.ids)
        elif 2 * len(rows.moved_ids) <= self._shape[0]:
            kept_rows = self._own.vectors(rows.moved_ids)
        given.write(parts, rows, kept_rows)

    def _keeps_vectors(self, headers: Sequence[Header]) -> bool:
        """Return whether the moved rows of a split table are sent: at most half of it, or all of a small one."""
        rows, width = self._shape
        moved = sum(header.moved for header in headers)
        return self.is_split and (2 * moved <= rows or 4 * rows * width <= _SMALL_MATRIX)

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
        """Return the stale rows of all processes, in the first."""
        if not self._is_asked:
            raise MissingProcessError("the other processes do not wait to be asked for their rows")
        self.group.say(_ROWS)
        return self._send_rows()

    def _send_rows(self) -> list[Bytes]:
        rows = self._own.take_stale()
        return self.group.collect(rows, self.group.share_number(len(rows)), "rows")


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
