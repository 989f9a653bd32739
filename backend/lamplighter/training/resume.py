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
    clear_partial_checkpoints,
    list_checkpoints,
    load_checkpoint,
    save_checkpoint,
)
from lamplighter.model.learner import Learner
from lamplighter.model.observer import Observation, Observer
from lamplighter.platform.folder_sync import link_durably
from lamplighter.platform.private_modes import make_private_folder
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.learning_rates import requested_rates
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.free_space import DISK_FULL_ERRORS, log_line, spare_bytes
from lamplighter.runfolder.writing.waypoint_budget import (
    estimate_checkpoint_bytes,
    is_waypoint_due,
    surplus_waypoints,
    waypoint_room,
)
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
            model.learner,
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


class RunWaypoints:
    """The waypoints of one run, written and thinned by its trainer."""

    def __init__(
        self,
        run: RunFolder,
        writer: StepsWriter,
        reader: StepsReader,
        control: RunControl,
        checkpoints: RunCheckpoints,
    ) -> None:
        """Use the run's folder of waypoints, which need not exist."""
        self._run, self._writer, self._reader, self._control = run, writer, reader, control
        self._checkpoints = checkpoints
        vocabulary = len(run.vocabulary)
        self._every = run.recipe.cadence.waypoint_every
        self._room = waypoint_room(run.recipe, vocabulary)
        self._file_bytes = estimate_checkpoint_bytes(run.recipe, vocabulary)
        self._is_fork = run.recipe.parent is not None
        self._failed = False

    def visit(self, step: int, model: TrainedModel) -> None:
        """Keep the state after `step` if a waypoint is due there."""
        # A fork's step 0 follows from no seed.
        if is_waypoint_due(step, self._every, self._room) or (self._is_fork and step == 0):
            self.keep(step, model)

    def keep(self, step: int, model: TrainedModel, *, next_attempt: int | None = None) -> None:
        """Keep the state after a committed step, unless it is kept already. Record an event at the first
        failure in a row. `next_attempt`: the attempt that continues from here at another learning rate, if
        any.
        """
        if not self._room and not (self._is_fork and step == 0):
            return
        attempt = next_attempt or self._reader.lineage().attempt_at(step)
        name = checkpoint_name(step, attempt)
        if (self._run.waypoints / name).exists():
            return
        try:
            self._require_room()
            make_private_folder(self._run.waypoints, exist_ok=True)
            if not (
                self._checkpoints.last_written == name
                and link_durably(self._run.checkpoints / name, self._run.waypoints / name)
            ):
                state = {"learning_rate": self._control.learning_rate}
                save_checkpoint(
                    self._run.waypoints,
                    step,
                    attempt,
                    model.learner,
                    model.observer,
                    state,
                    kept=None,
                )
            self._thin()
        except (CheckpointError, OSError) as error:
            self._note_failure(step, error)
        else:
            self._failed = False

    def clear_superseded(self, last: int) -> None:
        """Remove the waypoints of superseded or lost steps, after the newest committed step `last`, and
        incomplete files of a killed trainer.
        """
        lineage = self._reader.lineage()
        with contextlib.suppress(OSError):
            clear_partial_checkpoints(self._run.waypoints)
            for file in list_checkpoints(self._run.waypoints):
                if file.step > last or not lineage.goes_on_from(file.attempt, file.step):
                    file.path.unlink(missing_ok=True)

    def _require_room(self) -> None:
        """Leave space for snapshots and checkpoints; even a hard link takes space once its checkpoint is removed."""
        if spare_bytes(self._run.path) < self._file_bytes:
            raise CheckpointError("the disk is nearly full")

    def _thin(self) -> None:
        if not self._room:
            return
        files = list_checkpoints(self._run.waypoints)
        starts = {attempt.first - 1 for attempt in self._reader.lineage().ranges}
        surplus = set(surplus_waypoints([file.step for file in files], self._every, self._room, starts))
        for file in files:
            if file.step in surplus:
                file.path.unlink(missing_ok=True)

    def _note_failure(self, step: int, error: Exception) -> None:
        if self._failed:
            return
        self._failed = True
        message = say("waypoint_failed", step=step, error=str(error))
        log_line(message)
        with contextlib.suppress(*DISK_FULL_ERRORS):
            self._writer.add_event(step, "waypoint", message)
