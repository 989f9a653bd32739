"""The wait for space on a full disk, during which a run can still be paused and stopped."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from lamplighter.contract.sentences import say
from lamplighter.model.checkpoint import CheckpointError
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.role_lock import DiskFullFlag
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.free_space import DISK_FULL_ERRORS, retry_while_full
from lamplighter.training.control import RunControl, StopFlag


class DiskWait:
    """The disk-full handling of one trainer."""

    def __init__(
        self, folder: Path, writer: StepsWriter, reader: StepsReader, control: RunControl, stop: StopFlag
    ) -> None:
        self._flag = DiskFullFlag(folder)
        self._writer, self._reader, self._control, self._stop = writer, reader, control, stop

    def retry(
        self,
        write: Callable[[], None],
        on_wait: Callable[[], None] | None = None,
        *,
        held_after: int | None = None,
    ) -> bool:
        """Call `write`, which must be safe to repeat and must succeed before training continues; wait and
        retry while the disk is full. Return False if a stop came during the wait. `held_after`: the last
        committed step, if `write` commits the next one; requests are then applied during the wait. A pause
        delays the step until the run resumes, a stop drops it.
        """
        start, waited = time.monotonic(), False
        held = None if held_after is None else _HeldStep(self._control, held_after)

        def is_over() -> bool:
            if held is not None:
                held.poll()
            return self._stop.reason is not None or (held is not None and self._control.stop_requested)

        def work() -> bool:
            if held is not None and held.paused:
                self._flag.clear()
                while held.paused and not self._control.may_step():
                    if is_over():
                        return False
            write()
            return True

        def note_wait() -> None:
            nonlocal waited
            waited = True
            self._flag.set()
            if on_wait is not None:
                on_wait()

        try:
            done = retry_while_full(
                work, is_over, "training", also_full=(CheckpointError,), on_wait=note_wait
            )
        finally:
            self._flag.clear()
        if done and waited:
            message = say("disk_waited", seconds=time.monotonic() - start)
            with contextlib.suppress(*DISK_FULL_ERRORS):
                self._writer.add_event(self._reader.newest_step()[1], "room", message)
        return bool(done)


class _HeldStep:
    """A computed step that waits to be committed."""

    def __init__(self, control: RunControl, after: int) -> None:
        self._control, self._after = control, after
        self.paused = False
        """True if the run was paused since the step was computed."""

    def poll(self) -> None:
        before = self._control.phase
        self._control.poll_while_held(self._after)
        if self._control.phase != before:
            self.paused = self._control.phase == Phase.PAUSED
