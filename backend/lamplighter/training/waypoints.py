"""The waypoints of a run: permanent checkpoints, from which any step can soon be recomputed.

They are optional: a run resumes from its checkpoints (`resume.py`), and a waypoint that cannot be written is skipped.
`runfolder/writing/waypoint_budget.py` decides which to keep.
"""

from __future__ import annotations

import contextlib

from lamplighter.contract.sentences import say
from lamplighter.model.checkpoint import (
    CheckpointError,
    checkpoint_name,
    clear_partial_checkpoints,
    list_checkpoints,
    save_checkpoint,
)
from lamplighter.platform.folder_sync import link_durably
from lamplighter.platform.private_modes import make_private_folder
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
from lamplighter.training.control import RunControl
from lamplighter.training.resume import RunCheckpoints
from lamplighter.training.trained_model import TrainedModel


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
                    model.whole_learner(),
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
