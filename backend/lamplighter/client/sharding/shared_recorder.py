"""The recorder of a training in several processes: each gives its parts to it, and the first has the record.

The parts of a step are exchanged while the loop goes on (`step_exchange.py`). A process waits for the others in its loop only
if the step before is still being exchanged when the next one ends.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from pathlib import Path

from lamplighter.client.recorder import Recorder
from lamplighter.client.recording.record_warnings import describe_error, print_notice, warn
from lamplighter.client.sharding.step_exchange import Contribution, SharedEndError, StepExchange, WriteStep
from lamplighter.client.sharding.step_part import Header, State, StepPart
from lamplighter.client.sharding.watch_group import PATIENCE, MissingProcessError
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.run_folder import RunFolder

_CLOSING_PATIENCE, _EXIT_PATIENCE = 30.0, 3_600.0
"""Seconds that a process waits for all to close, and that it waits as its program ends, when it keeps no other from going
on: the first often has work after the loop."""
_LAST_PATIENCE, _FAILED_PATIENCE = 600.0, 2.0
"""Seconds that a process waits for the last matrix, and for its last step after an error."""


class SharedRecorder:
    """What the watcher of each process has in place of a `Recorder`, with the methods that it calls."""

    def __init__(self, exchange: StepExchange) -> None:
        self.exchange = exchange
        """What the processes do together."""
        self.run: RunFolder | None = None
        """The run's folder, in the first process."""
        self._steps, self._closed = 0, False
        self._process, self._earlier_error = os.getpid(), getattr(sys, "last_value", None)

    @property
    def recorder(self) -> Recorder | None:
        """Return the record; None in other processes than the first."""
        return self.exchange.recorder

    def begin_record(self, record: Callable[[], Recorder] | None) -> None:
        self.exchange.begin_record(record)
        self.run = None if self.recorder is None else self.recorder.run

    @property
    def folder(self) -> Path:
        """Return the path of the run's folder; for messages in other processes its place in the group."""
        if self.recorder is None:
            return Path(f"process {self.exchange.group.rank} of {self.exchange.group.size}")
        return self.recorder.folder

    @property
    def at(self) -> int:
        """Return the number of steps that were given."""
        return self._steps

    def note(self, kind: str, message: str) -> None:
        if self.recorder is not None:
            self.recorder.note(kind, message)

    def add_scalars(self, scalars: str) -> None:
        if self.recorder is not None:
            self.exchange.await_all(_FAILED_PATIENCE)
            self.recorder.add_scalars(scalars)

    def lose_step(self) -> None:
        self.exchange.own.note_all()
        if self.recorder is not None:
            self.recorder.lose_step()

    def give(self, part: StepPart, write: WriteStep) -> None:
        """Give this process's part of a step, without waiting. `write` is called in the first process, in a
        thread of this recorder. Raises why the record has ended."""
        self._raise_error()
        self._steps += 1
        self.exchange.give(Contribution(part, write))

    def wait_for_others(self) -> None:
        """Wait until the steps that were given are recorded, before the table's copy changes. Raises
        MissingProcessError, or why the record has ended."""
        if not self.exchange.await_all(PATIENCE):
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

        self.exchange.give(Contribution(StepPart(Header(State.CLOSING)), finish=finish))
        came = self.exchange.await_all(patience, met=True)
        if not came and self.recorder is None and patience < _EXIT_PATIENCE:
            atexit.register(self.exchange.await_all, _EXIT_PATIENCE)
            return
        if not (came and self.exchange.await_all(_LAST_PATIENCE)):
            error: Exception | None = MissingProcessError(
                "not all processes have closed their watchers: close them in each"
            )
        elif (error := self.exchange.error) is None:
            self.exchange.group.close()
            return
        self._end_alone()
        if self.recorder is None:
            self._tell_end(error)
        else:
            self.recorder.end_with(error)

    def close_at_exit(self) -> None:
        """Close as the program ends; within seconds if it ends with an error."""
        error = self.error_of_loop()
        if error is None:
            self._close(Phase.FINISHED, "", _EXIT_PATIENCE)
            return
        try:
            self.close_after(error)
            if os.getpid() == self._process:
                # A thread that comes back from gloo while the interpreter is finalised aborts the program (exit code -6).
                self.exchange.await_all(_FAILED_PATIENCE)
        except KeyboardInterrupt:
            pass  # a second Ctrl-C: the recorder's own handler ends the record

    def error_of_loop(self) -> BaseException | None:
        """Return the last error that Python printed, if it happened during this loop."""
        error = getattr(sys, "last_value", None)
        return None if error is self._earlier_error else error

    def close_after(self, error: BaseException | None, message: str = "") -> None:
        if error is None:
            self.close(message=message)
        elif not self._closed and os.getpid() == self._process:
            self._leave(f"the loop stopped: {type(error).__name__}: {error}")
            if self.recorder is not None:
                self.recorder.close_after(error)

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
        self.exchange.await_all(_FAILED_PATIENCE)
        self.exchange.give(Contribution(StepPart(Header(State.FAILED, message=why))))
        self._end_alone()

    def _end_alone(self) -> None:
        """Let the record end without the last matrix, if the other processes have parts of it."""
        if self.exchange.is_split and self.recorder is not None:
            self.recorder.lose_step()

    def _raise_error(self) -> None:
        if self.exchange.error is not None:
            raise self.exchange.error
