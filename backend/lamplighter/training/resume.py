"""Resumption of a run: load a valid checkpoint, then replay the steps recorded after it.

The trainer passes the model and the functions that compute and commit a step.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from lamplighter.contract.sentences import decode_message, say
from lamplighter.forks.errors import StartLostError
from lamplighter.model.checkpoint import (
    RETRY_SECONDS,
    CheckpointError,
    CheckpointFile,
    checkpoint_name,
    list_checkpoints,
    load_checkpoint,
    save_checkpoint,
)
from lamplighter.model.learner import Learner
from lamplighter.model.observer import Observation, Observer
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.learning_rates import requested_rates
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.free_space import DISK_FULL_ERRORS, log_line
from lamplighter.training.control import RunControl, StopFlag
from lamplighter.training.fork_start import TOLD
from lamplighter.training.trained_model import ComputedStep, TrainedModel


class RunCheckpoints:
    """The checkpoints of one run, with the learning rate after each."""

    def __init__(self, run: RunFolder, writer: StepsWriter, control: RunControl) -> None:
        self._run, self._writer, self._control = run, writer, control
        self.last_written = ""
        """The name of the last checkpoint written by this trainer."""
        self._last_rate = 0.0
        self._retry_at: float | None = None
        self._failed = False

    @property
    def retry_is_due(self) -> bool:
        return self._retry_at is not None and time.monotonic() >= self._retry_at

    def restore(
        self,
        lineage: Lineage,
        last: int,
        model: tuple[Learner, Observer],
        build_model: Callable[[], tuple[Learner, Observer]],
        *,
        oldest: bool = False,
    ) -> int:
        """Restore the newest (or oldest) readable checkpoint on the lineage. Return its step; 0 if there is
        none. `last`: the newest committed step. `model`: in its initial state, with its observer;
        `build_model` rebuilds both after a damaged file has left them half restored.
        """
        files = list_checkpoints(self._run.checkpoints)
        for file in files if oldest else reversed(files):
            if file.step > last or not lineage.goes_on_from(file.attempt, file.step):
                # A checkpoint of superseded steps must neither be loaded nor displace valid ones.
                file.path.unlink(missing_ok=True)
                continue
            try:
                state = load_checkpoint(file, *model)
            except ValueError as error:
                self._writer.add_event(file.step, "checkpoint", say("checkpoint_replaced", error=str(error)))
                # The waypoint may be a hard link to it; the replay writes it again.
                (self._run.waypoints / file.path.name).unlink(missing_ok=True)
                model = build_model()
                continue
            self._control.learning_rate = state["learning_rate"]
            return file.step
        if self._run.recipe.parent is not None:
            self.restore_start(model)
            return 0
        # Not the rate of a request just applied, which holds only from its step on.
        self._control.learning_rate = self._run.recipe.optimiser.learning_rate
        return 0

    def restore_start(self, model: tuple[Learner, Observer]) -> list[str]:
        """Restore the state with which a fork begins. Return what is to be told about it. Raises
        StartLostError if it is gone or damaged.
        """
        name = checkpoint_name(0, 1)
        for folder in (self._run.checkpoints, self._run.waypoints):
            with contextlib.suppress(ValueError):
                state = load_checkpoint(CheckpointFile(0, 1, folder / name), *model)
                self._control.learning_rate = state["learning_rate"]
                if folder == self._run.checkpoints:
                    self.last_written, self._last_rate = name, self._control.learning_rate
                return [decode_message(str(line)) for line in state.get(TOLD, [])]
        raise StartLostError(say("start_lost"))

    def write(self, step: int, model: TrainedModel) -> None:
        """Write a checkpoint, unless it was just written. Raises CheckpointError if the file could not be
        written; earlier checkpoints stay.
        """
        attempt, rate = self._writer.attempt, self._control.learning_rate
        name = checkpoint_name(step, attempt)
        # Writing it again would break its hard link to the waypoint.
        if (name, rate) == (self.last_written, self._last_rate) and (self._run.checkpoints / name).exists():
            return
        save_checkpoint(
            self._run.checkpoints,
            step,
            attempt,
            model.whole_learner(),
            model.observer,
            {"learning_rate": rate},
        )
        self.last_written, self._last_rate = name, rate

    def try_write(self, step: int, model: TrainedModel) -> None:
        """Write a checkpoint. On failure record an event and schedule a retry; earlier checkpoints stay."""
        self._retry_at = None
        try:
            self.write(step, model)
            if self._failed:
                self._failed = False
                with contextlib.suppress(*DISK_FULL_ERRORS):
                    self._writer.add_event(step, "checkpoint", say("checkpoint_written", step=step))
        except CheckpointError as error:
            self._retry_at = time.monotonic() + RETRY_SECONDS
            if not self._failed:
                self._failed = True
                message = say("checkpoint_failed", error=str(error))
                log_line(message)
                with contextlib.suppress(*DISK_FULL_ERRORS):
                    self._writer.add_event(step, "checkpoint", message)


def replay_steps(
    writer: StepsWriter,
    reader: StepsReader,
    control: RunControl,
    stop: StopFlag,
    checkpoint_step: int,
    *,
    compute: Callable[[int], ComputedStep],
    commit: Callable[[ComputedStep], bool],
    on_same: Callable[[Observation], None],
) -> int | None:
    """Replay from a restored checkpoint to the last committed step. Return it, or the step reached by a new
    attempt; None if stopped or failed. `control` gets the learning rates that requests set during the
    replay. `commit`: commits the first step of a new attempt; returns whether it succeeded. `on_same`:
    receives every step that matched its record.
    """
    _, last = reader.newest_step()
    rates = requested_rates(reader)
    recorded = reader.digests(checkpoint_step + 1, last)
    for step in range(checkpoint_step + 1, last + 1):
        if stop.reason:
            return None
        control.learning_rate = rates.get(step, control.learning_rate)
        computed = compute(step)
        if computed.observation.digest() != recorded.get(step):
            attempt = writer.start_attempt(step)
            writer.add_event(
                step,
                "attempt",
                say("attempt_differs", step=step, attempt=attempt),
            )
            return step if commit(computed) else None
        on_same(computed.observation)
    control.learning_rate = rates.get(last + 1, control.learning_rate)
    if writer.has_tiles_after(last):
        attempt = writer.start_attempt(last + 1)
        writer.add_event(
            last,
            "attempt",
            say("attempt_lost", step=last, attempt=attempt),
        )
    return last
