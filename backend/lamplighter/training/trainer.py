"""The training loop of a run: start or replay, then step, observe and record, applying requests in between.

After a crash the trainer loads the last checkpoint and recomputes the steps since. While their digests equal
the recorded ones it writes nothing; at the first difference it begins a new attempt, which supersedes the
old steps from there on.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.checkpoint import (
    RETRY_SECONDS,
    CheckpointError,
    list_checkpoints,
    load_checkpoint,
    save_checkpoint,
)
from lamplighter.model.learner import build_learner, choose_device
from lamplighter.model.observer import Observation, Observer
from lamplighter.model.step import train_step
from lamplighter.runfolder.disk_full_flag import DiskFullFlag
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepsReader, StepsWriter
from lamplighter.runfolder.writing.free_space import DISK_FULL_ERRORS, log_line, retry_while_full
from lamplighter.training.control import RunControl, StopFlag, requested_learning_rate
from lamplighter.training.recorder import TrainingRecorder


@dataclass(frozen=True)
class Progress:
    """The progress of a run, for a progress bar."""

    step: int
    end: int
    loss: float
    lit: int
    replaying: bool
    waiting: bool = False
    """True while the finished step waits for disk space."""


def synchronise(device: torch.device) -> None:
    """Wait until the device is idle: GPUs compute asynchronously, so only then is a measured time correct."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    elif device.type == "mps":
        torch.mps.synchronize()


class Trainer:
    """The trainer of one run whose corpus is in its folder. Holds no lock: the caller holds the trainer's role."""

    def __init__(
        self,
        run: RunFolder,
        writer: StepsWriter,
        stop: StopFlag,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        """Build the model.

        Raises:
            ValueError: the recipe cannot be run on this machine.
            FormatError: the folder cannot be read by this version.
        """
        recipe = run.recipe
        torch.set_num_threads(recipe.threads)
        device = choose_device(recipe)
        self._run, self._recipe, self._writer, self._stop = run, recipe, writer, stop
        self._reader = StepsReader(run.steps_path)
        self._control = RunControl(run, writer, self._reader)
        self._device = device
        self._batches = BatchReader(recipe, run.token_ids, device)
        self._on_progress = on_progress
        self._checkpoint_retry_at: float | None = None
        self._disk_full_flag = DiskFullFlag(run.path)
        self._checkpoint_failed = False
        self._build_model()
        writer.set_facts(
            {
                "layers": self._observer.layers,
                "parameters": sum(p.numel() for p in self._learner.model.parameters()),
                "device": str(device),
                "torch": torch.__version__,
                "steps": self._control.end,
            }
        )

    def _build_model(self) -> None:
        """Build the model in its initial state, with its observer and recorder."""
        self._learner = build_learner(self._recipe, len(self._run.vocabulary), self._device)
        self._observer = Observer(self._learner, self._recipe.cadence.verify_every)
        self._recorder = TrainingRecorder(self._run, self._writer, self._observer, self._reader.facts())

    def run(self) -> str:
        """Train until the end, a stop or a failure. Return the phase of the run afterwards.

        Raises:
            apsw.FullError, apsw.IOError: (`DISK_FULL_ERRORS`) the disk is too full to record a change of phase.
                Committed steps are safe: continue with another `Trainer`, as after a crash.
        """
        control = self._control
        control.poll(self._reader.newest_step()[1], now=True)
        if control.has_ended:
            return control.phase
        if control.restart_rate is not None and self._writer.attempt:
            step = self._restart_from_oldest(control.restart_rate)
        else:
            step = self._replay() if self._writer.attempt else self._start_run()
        if step is None:
            # Stopped during the replay: the model is behind the record, so do not save it.
            if self._stop.reason == "interrupt":
                control.interrupt(self._reader.newest_step()[1])
            return control.phase
        if control.phase != "paused":
            control.set_phase("running", step, event="started" if step == 0 else "resumed")
        while True:
            control.poll(step)
            if self._stop.reason == "terminate":
                self._try_checkpoint(step)
                return control.phase
            if self._stop.reason or control.stop_requested:
                self._try_checkpoint(step)
                control.interrupt(step)
            elif step >= control.end:
                self._try_checkpoint(step)
                control.set_phase("finished", step, f"all {control.end} steps are done")
            if control.has_ended:
                return control.phase
            if not control.may_step():
                continue
            if not self._advance_to(step + 1):
                if self._stop.reason == "interrupt" and not control.has_ended:
                    # The model is one step ahead of the record, so do not save it.
                    control.interrupt(step)
                return control.phase
            step += 1
            due = self._checkpoint_retry_at is not None and time.monotonic() >= self._checkpoint_retry_at
            if due or step % self._recipe.cadence.checkpoint_every == 0:
                self._try_checkpoint(step)

    def close(self) -> None:
        """Close the reader of the steps."""
        self._reader.close()

    def _start_run(self) -> int:
        with self._writer.transaction():
            self._writer.start_attempt(0)
            self._recorder.record_start()
        return 0

    def _restart_from_oldest(self, learning_rate: float) -> int:
        """Restart a failed run from the oldest checkpoint at another learning rate, as a new attempt.

        The weights just before the failed step are beyond repair at any rate; older ones may not be. A checkpoint
        saved at the start of the new attempt records the rate for a replay.
        """
        _, last = self._reader.newest_step()
        checkpoint_step = self._load_checkpoint(self._reader.lineage(), last, oldest=True)
        self._control.learning_rate = learning_rate
        attempt = self._writer.start_attempt(checkpoint_step + 1)
        self._retry_while_full(lambda: self._write_checkpoint(checkpoint_step))
        self._writer.add_event(
            checkpoint_step,
            "attempt",
            f"attempt {attempt} goes on from step {checkpoint_step} at the learning rate {learning_rate:g};"
            " what followed in the attempt before no longer counts",
        )
        return checkpoint_step

    def _advance_to(self, step: int) -> bool:
        """Compute one step and commit it.

        Returns:
            False if the step was not finite and the run has failed, or if a stop came while it waited for disk
            space.
        """
        return self._commit_observation(*self._compute_step(step))

    def _commit_observation(self, seen: Observation, ended: float, seconds: float) -> bool:
        if not seen.is_finite:
            self._control.set_phase(
                "failed",
                seen.step,
                f"step {seen.step}: the loss or a gradient is no longer a finite number (loss {seen.loss})."
                " All steps before it are kept. Continue with a lower learning rate: it goes on from an earlier checkpoint.",
            )
            return False
        rate = self._control.learning_rate
        kept = self._retry_while_full(
            lambda: self._recorder.record(seen, rate, ended, seconds),
            lambda: self._report(seen, replaying=False, waiting=True),
        )
        if kept:
            self._report(seen, replaying=False)
        return kept

    def _retry_while_full(self, write: Callable[[], None], on_wait: Callable[[], None] | None = None) -> bool:
        """Call `write`, which must succeed before training continues; wait and retry while the disk is full.

        Returns:
            False if a stop came meanwhile.
        """
        begun, waited = time.monotonic(), False

        def work() -> bool:
            write()
            return True

        def note_wait() -> None:
            nonlocal waited
            waited = True
            self._disk_full_flag.set()
            if on_wait is not None:
                on_wait()

        try:
            done = retry_while_full(
                work, lambda: self._stop.reason, "training", also_full=(CheckpointError,), on_wait=note_wait
            )
        finally:
            self._disk_full_flag.clear()
        if done and waited:
            message = f"training waited {time.monotonic() - begun:,.0f} s for room on the disk"
            with contextlib.suppress(*DISK_FULL_ERRORS):
                self._writer.add_event(self._reader.newest_step()[1], "room", message)
        return done is not None

    def _compute_step(self, step: int) -> tuple[Observation, float, float]:
        """Compute a step.

        Returns:
            Its observation, the time at which training ended (Unix seconds), and its duration in seconds.
        """
        self._learner.set_learning_rate(self._control.learning_rate)
        host_ids, ids, targets = self._batches.batch(step)
        begun = time.perf_counter()
        result = train_step(self._learner, ids, targets)
        synchronise(self._device)
        seconds, ended = time.perf_counter() - begun, time.time()
        return self._observer.observe(step, host_ids, result), ended, seconds

    def _replay(self) -> int | None:
        """Replay from the last checkpoint to the last committed step.

        Returns:
            That step, or the step a new attempt has reached; None if stopped or failed on the way.
        """
        _, last = self._reader.newest_step()
        line = self._reader.lineage()
        checkpoint_step = self._load_checkpoint(line, last)
        rates = {
            applied.step: rate
            for applied in self._reader.applied()
            if (rate := requested_learning_rate(applied)) is not None
            and any(a == applied.attempt and first <= applied.step <= end for a, first, end in line)
        }
        recorded = self._reader.digests(checkpoint_step + 1, last)
        for step in range(checkpoint_step + 1, last + 1):
            if self._stop.reason:
                return None
            self._control.learning_rate = rates.get(step, self._control.learning_rate)
            seen, ended, seconds = self._compute_step(step)
            if seen.digest() != recorded.get(step):
                attempt = self._writer.start_attempt(step)
                self._writer.add_event(
                    step,
                    "attempt",
                    f"computing step {step} again gave other numbers: attempt {attempt} begins here,"
                    f" what followed in the attempt before no longer counts",
                )
                return step if self._commit_observation(seen, ended, seconds) else None
            self._report(seen, replaying=True)
        self._control.learning_rate = rates.get(last + 1, self._control.learning_rate)
        if self._writer.has_tiles_after(last):
            attempt = self._writer.start_attempt(last + 1)
            self._writer.add_event(
                last,
                "attempt",
                f"steps after {last} were lost from the record and not from the tiles (a power cut, or a copy):"
                f" attempt {attempt} begins here",
            )
        return last

    def _load_checkpoint(self, line: list[tuple[int, int, int]], last: int, *, oldest: bool = False) -> int:
        """Load the newest (or oldest) readable checkpoint on the lineage.

        Returns:
            Its step; 0 if there is none.
        """
        files = list_checkpoints(self._run.checkpoints)
        for file in files if oldest else reversed(files):
            if file.step > last or not any(a == file.attempt and b - 1 <= file.step <= c for a, b, c in line):
                # A checkpoint of superseded steps must neither be loaded nor displace valid ones.
                file.path.unlink(missing_ok=True)
                continue
            try:
                state = load_checkpoint(file, self._learner, self._observer)
            except ValueError as error:
                self._writer.add_event(file.step, "checkpoint", f"{error}; another is used")
                self._build_model()
                continue
            self._control.learning_rate = state["learning_rate"]
            return file.step
        # Not the rate of a request applied just now, which only holds from its own step on.
        self._control.learning_rate = self._recipe.optimiser.learning_rate
        return 0

    def _try_checkpoint(self, step: int) -> None:
        """Write a checkpoint. On failure record an event and schedule a retry; earlier checkpoints stay."""
        self._checkpoint_retry_at = None
        try:
            self._write_checkpoint(step)
            if self._checkpoint_failed:
                self._checkpoint_failed = False
                with contextlib.suppress(*DISK_FULL_ERRORS):
                    self._writer.add_event(step, "checkpoint", f"the checkpoint of step {step} is written")
        except CheckpointError as error:
            self._checkpoint_retry_at = time.monotonic() + RETRY_SECONDS
            if not self._checkpoint_failed:
                self._checkpoint_failed = True
                message = f"{error}; those before it are kept, and it is tried again"
                log_line(message)
                with contextlib.suppress(*DISK_FULL_ERRORS):
                    self._writer.add_event(step, "checkpoint", message)

    def _write_checkpoint(self, step: int) -> None:
        state = {"learning_rate": self._control.learning_rate}
        save_checkpoint(
            self._run.checkpoints, step, self._writer.attempt, self._learner, self._observer, state
        )

    def _report(self, seen: Observation, *, replaying: bool, waiting: bool = False) -> None:
        if self._on_progress is not None:
            self._on_progress(
                Progress(seen.step, self._control.end, seen.loss, len(seen.batch_ids), replaying, waiting)
            )
