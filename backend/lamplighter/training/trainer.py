"""The training loop of a run: start or replay, then step, observe and record, applying requests in between.

After a crash the trainer loads the last checkpoint and recomputes the steps since (`resume.py`). While their digests
match the recorded ones it writes nothing; at the first difference it starts a new attempt, which supersedes the old
steps from there on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from lamplighter.contract.sentences import say
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.held_out import HeldOutLoss, SumAccuracy
from lamplighter.model.learner import Learner, choose_device
from lamplighter.model.observer import Observation, Observer
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.lines import SpokenLine
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.step_commit import MeasuredStep, StepCommitter
from lamplighter.training.control import DiskWait, RunControl, StopFlag
from lamplighter.training.energy_log import EnergyLog
from lamplighter.training.lines import LineSpeaker, resolve_prompts
from lamplighter.training.resume import RunCheckpoints, RunWaypoints, replay_steps
from lamplighter.training.trained_model import ComputedStep, TrainedModel


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


class Trainer:
    """The trainer of one run whose corpus is in its folder. Holds no lock: the caller holds the trainer's role."""

    def __init__(
        self,
        run: RunFolder,
        writer: StepsWriter,
        stop: StopFlag,
        on_progress: Callable[[Progress], None] | None = None,
        model: TrainedModel | None = None,
    ) -> None:
        """Build the model, unless one is given. Raises ValueError if the recipe cannot be run on this
        machine, FormatError if this version cannot read the folder.
        """
        recipe = run.recipe
        torch.set_num_threads(recipe.threads)
        device = choose_device(recipe) if model is None else torch.device("cpu")
        self._model = TrainedModel(run, device) if model is None else model
        self._run, self._recipe, self._writer, self._stop = run, recipe, writer, stop
        self._reader = StepsReader(run.steps_path)
        self._control = RunControl(run, writer, self._reader)
        self._batches = BatchReader(recipe, run.token_ids, device)
        held_out = run.held_out_ids
        self._held_out = None if held_out is None else HeldOutLoss(recipe, held_out)
        self._accuracy = (
            SumAccuracy(recipe, run.token_ids, held_out)
            if recipe.corpus.kind == "modular" and held_out is not None
            else None
        )
        self._speaker = LineSpeaker(recipe, resolve_prompts(run, self._reader.facts()))
        self._on_progress = on_progress
        self._disk_wait = DiskWait(run.path, writer, self._reader, self._control, stop)
        self._checkpoints = RunCheckpoints(run, writer, self._control)
        self._waypoints = RunWaypoints(run, writer, self._reader, self._control, self._checkpoints)
        self._energy = EnergyLog(
            recipe.cadence.keyframe_every,
            self._control,
            writer,
            self._reader,
            device,
            self._model.processor_seconds,
        )
        learner, observer = self._start_afresh()
        writer.set_facts(
            {
                "layers": observer.layers,
                "parameters": sum(p.numel() for p in learner.model.parameters()),
                "device": str(device),
                "torch": torch.__version__,
                "steps": self._control.end,
                "prompts": self._speaker.prompts,
            }
        )
        self._control.reserve_space()

    def _start_afresh(self) -> tuple[Learner, Observer]:
        """Return the model in its initial state, with its observer, and make the committer of its steps."""
        learner, observer = self._model.start_afresh()
        self._committer = StepCommitter(
            self._run,
            self._writer,
            observer,
            self._reader.facts(),
            self._measure_held_out,
            self._say_lines,
        )
        return learner, observer

    def run(self) -> Phase:
        """Train until the end, a stop or a failure. Return the phase of the run afterwards. Raises one of
        `DISK_FULL_ERRORS` if the disk is too full to record a change of phase. Committed steps are safe:
        continue with another `Trainer`, as after a crash.
        """
        control = self._control
        control.poll(self._reader.newest_step()[1], now=True)
        if control.has_ended:
            return control.phase
        if control.restart_rate is not None and self._writer.attempt:
            step = self._restart_from_oldest(control.restart_rate)
        else:
            step = self._resume() if self._writer.attempt else self._start_run()
        if step is None:
            # Stopped during the replay: the model is behind the record, so do not save it.
            self._interrupt_if_told(self._reader.newest_step()[1])
            return control.phase
        if control.phase != Phase.PAUSED:
            control.set_phase(Phase.RUNNING, step, event="started" if step == 0 else "resumed")
        paused = False
        while True:
            control.poll(step)
            # Also after a pause that came while the step waited for disk space.
            if control.phase == Phase.PAUSED and not paused:
                self._energy.try_commit_sum(step)
                self._waypoints.keep(step, self._model)
            paused = control.phase == Phase.PAUSED
            if self._stop.reason == "terminate":
                self._try_checkpoint(step)
                return control.phase
            if self._stop.reason or control.stop_requested:
                self._try_checkpoint(step)
                control.interrupt(step)
            elif step >= control.end:
                self._try_checkpoint(step)
                control.set_phase(Phase.FINISHED, step, say("steps_done", steps=control.end))
            if control.has_ended:
                return control.phase
            if not control.may_step():
                self._energy.pause()
                self._model.require_all()
                continue
            self._energy.resume()
            if not self._advance_to(step + 1):
                # The model is one step ahead of the record, so do not save it.
                self._interrupt_if_told(step)
                return control.phase
            step += 1
            if self._checkpoints.retry_is_due or step % self._recipe.cadence.checkpoint_every == 0:
                self._try_checkpoint(step)
            self._visit_waypoint(step)

    def close(self) -> None:
        """Close the reader of the steps, and release the space reserved for requests."""
        self._reader.close()
        self._control.close()
        self._model.close()

    def _interrupt_if_told(self, step: int) -> None:
        if not self._control.has_ended and (self._stop.reason == "interrupt" or self._control.stop_requested):
            self._control.interrupt(step)

    def _start_run(self) -> int:
        model = self._model.learner, self._model.observer
        told = [] if self._recipe.parent is None else self._checkpoints.restore_start(model)
        with self._writer.transaction():
            self._writer.start_attempt(0)
            for line in told:
                self._writer.add_event(0, "fork", line)
            self._committer.add_keyframe(0)
            self._energy.commit_sum(0)
        # Only after the matrix, for which the map waits.
        self._committer.add_held_out_loss(0)
        self._committer.add_lines(0)
        self._visit_waypoint(0)
        return 0

    def _resume(self) -> int | None:
        """Resume from the newest checkpoint. Returns the last committed step, or the step reached by a new
        attempt; None if stopped or failed.
        """
        self._waypoints.clear_superseded(self._reader.newest_step()[1])
        checkpoint_step = self._restore_checkpoint()
        # Recomputed steps take energy again.
        self._energy.resume()
        self._visit_waypoint(checkpoint_step)
        step = replay_steps(
            self._writer,
            self._reader,
            self._control,
            self._stop,
            checkpoint_step,
            compute=self._compute_step,
            commit=self._commit_step,
            on_same=self._pass_replayed,
        )
        if step is not None:
            # The replay may have begun a new attempt.
            self._waypoints.clear_superseded(step)
            self._visit_waypoint(step)
        return step

    def _pass_replayed(self, observation: Observation) -> None:
        self._report(observation, replaying=True)
        self._visit_waypoint(observation.step)

    def _restart_from_oldest(self, learning_rate: float) -> int:
        """Restart a failed run from the oldest checkpoint at another learning rate, as a new attempt.

        The weights just before the failed step may be beyond repair; older ones may not be. A checkpoint saved at the
        start of the new attempt records the rate for a replay.
        """
        checkpoint_step = self._restore_checkpoint(oldest=True)
        self._control.learning_rate = learning_rate
        attempt = self._writer.start_attempt(checkpoint_step + 1)
        self._disk_wait.retry(lambda: self._checkpoints.write(checkpoint_step, self._model))
        self._waypoints.clear_superseded(checkpoint_step)
        self._waypoints.keep(checkpoint_step, self._model, next_attempt=attempt)
        self._writer.add_event(
            checkpoint_step,
            "attempt",
            say("attempt_continues", attempt=attempt, step=checkpoint_step, rate=learning_rate),
        )
        return checkpoint_step

    def _measure_held_out(self) -> tuple[float, dict[str, float]] | None:
        if self._held_out is None:
            return None
        counts = self._run.vocabulary.counts
        learner = self._model.learner
        measured = self._held_out.measure_by_frequency(learner, counts)
        if measured is None or self._accuracy is None:
            return measured
        # The numbers of a clock are all equally frequent.
        return measured[0], self._accuracy.measure(learner)

    def _say_lines(self, step: int) -> list[SpokenLine]:
        if not self._speaker.is_due(step):
            return []
        return self._speaker.speak(self._model.learner, step)

    def _advance_to(self, step: int) -> bool:
        """Compute one step and commit it. Return False if it was not finite, so that the run failed, or if a
        stop came while it waited for disk space.
        """
        return self._commit_step(self._compute_step(step))

    def _commit_step(self, computed: ComputedStep) -> bool:
        observation = computed.observation
        if not observation.is_finite:
            self._control.set_phase(
                Phase.FAILED,
                observation.step,
                say("loss_not_finite", step=observation.step, loss=observation.loss),
            )
            return False
        # Keep the rate of this step: requests may change it during a wait for space.
        rate = self._control.learning_rate
        kept = self._disk_wait.retry(
            lambda: self._record(computed, rate),
            lambda: self._report_wait(observation),
            held_after=observation.step - 1,
        )
        if kept:
            self._report(observation, replaying=False)
        return kept

    def _record(self, computed: ComputedStep, rate: float) -> None:
        seen, ended = computed.observation, computed.ended
        record = self._committer.encode_step(
            MeasuredStep(
                seen,
                seen.moved_vectors,
                seen.digest(),
                rate,
                ended,
                computed.seconds,
                top_losses=seen.top_losses,
            )
        )
        self._model.note_step(self._writer.attempt, seen.step)
        # Read last, so that it includes the work done for this step.
        self._committer.commit(replace(record, energy=self._energy.read_due(seen.step)))
        self._committer.observe_seconds = time.time() - ended

    def _compute_step(self, step: int) -> ComputedStep:
        """Compute a step at the current learning rate and observe it."""
        self._energy.count_step()
        return self._model.compute(step, self._control.learning_rate, *self._batches.batch(step))

    def _restore_checkpoint(self, *, oldest: bool = False) -> int:
        """Restore the newest (or oldest) valid checkpoint. Return its step; 0 if there is none."""
        _, last = self._reader.newest_step()
        return self._checkpoints.restore(
            self._reader.lineage(),
            last,
            (self._model.learner, self._model.observer),
            self._start_afresh,
            oldest=oldest,
        )

    def _report_wait(self, observation: Observation) -> None:
        self._energy.pause()
        self._report(observation, replaying=False, waiting=True)

    def _try_checkpoint(self, step: int) -> None:
        self._energy.try_commit_sum(step)
        self._checkpoints.try_write(step, self._model)

    def _visit_waypoint(self, step: int) -> None:
        self._waypoints.visit(step, self._model)

    def _report(self, observation: Observation, *, replaying: bool, waiting: bool = False) -> None:
        if self._on_progress is not None:
            self._on_progress(
                Progress(
                    observation.step,
                    self._control.end,
                    observation.loss,
                    len(observation.batch_ids),
                    replaying,
                    waiting,
                )
            )
