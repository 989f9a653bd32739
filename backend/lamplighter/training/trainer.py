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

import numpy as np
import torch
from numpy.typing import NDArray

from lamplighter.model.batches import batch_positions, check_length
from lamplighter.model.checkpoint import (
    RETRY_SECONDS,
    CheckpointError,
    list_checkpoints,
    load_checkpoint,
    save_checkpoint,
)
from lamplighter.model.observer import Observation, Observer
from lamplighter.model.step import Learner, make_learner, train_step
from lamplighter.model.transformer import Transformer
from lamplighter.recipe import Recipe
from lamplighter.runfolder.disk_full_flag import WaitingSign
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepsReader, StepsWriter
from lamplighter.runfolder.writing.free_space import NO_ROOM, insist, say
from lamplighter.training.control import Control, Stop, asked_rate
from lamplighter.training.recorder import Recorder


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


def choose_device(recipe: Recipe) -> torch.device:
    """Return the torch device for a recipe on this machine.

    Raises:
        ValueError: the recipe names a device that this machine lacks, or that does not support its updates.
    """
    lazy = recipe.optimiser.kind != "adam" and not recipe.model.tied
    match recipe.device:
        case "auto":
            if torch.cuda.is_available():
                return torch.device("cuda")
            # Sparse gradients have no MPS kernels.
            return torch.device("mps" if torch.backends.mps.is_available() and not lazy else "cpu")
        case "cuda" if not torch.cuda.is_available():
            raise ValueError("device cuda: torch finds no CUDA GPU here; use auto or cpu")
        case "mps" if not torch.backends.mps.is_available():
            raise ValueError("device mps: torch finds no Apple GPU here; use auto or cpu")
        case "mps" if lazy:
            raise ValueError("device mps: it cannot update rows sparsely; use the optimiser adam, or cpu")
        case _:
            return torch.device(recipe.device)


def build_learner(recipe: Recipe, vocabulary: int, device: torch.device) -> Learner:
    """Build the model and optimisers of a recipe in their initial state, which the seed determines bit for bit."""
    torch.manual_seed(recipe.seed)
    sparse = recipe.optimiser.kind != "adam" and not recipe.model.tied
    model = Transformer(recipe.model, vocabulary, sparse=sparse).to(device)
    lower = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return make_learner(model, recipe.optimiser, torch.bfloat16 if lower else None)


class Batches:
    """The batches of a run: batch n is a pure function of the recipe, the corpus and n."""

    def __init__(self, recipe: Recipe, token_ids: NDArray[np.uint32], device: torch.device) -> None:
        self._recipe, self._device = recipe, device
        check_length(recipe, len(token_ids))
        self._ids = token_ids.astype(np.int64)

    def batch(self, step: int) -> tuple[NDArray[np.int64], torch.Tensor, torch.Tensor]:
        """Return the batch of `step`: token ids on the host and on the device, and the next ids; shape (B, T) each."""
        window = self._ids[batch_positions(self._recipe, len(self._ids), step)]
        on_device = torch.from_numpy(window).to(self._device)
        return window[:, :-1], on_device[:, :-1], on_device[:, 1:]


def _wait_for(device: torch.device) -> None:
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
        stop: Stop,
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
        self._control = Control(run, writer, self._reader)
        self._device = device
        self._batches = Batches(recipe, run.token_ids, device)
        self._on_progress = on_progress
        self._retry_checkpoint: float | None = None
        self._sign = WaitingSign(run.path)
        self._checkpoint_failed = False
        self._build()
        writer.set_facts(
            {
                "layers": self._observer.layers,
                "parameters": sum(p.numel() for p in self._learner.model.parameters()),
                "device": str(device),
                "torch": torch.__version__,
                "steps": self._control.end,
            }
        )

    def _build(self) -> None:
        """Build the model in its initial state, with its observer and recorder."""
        self._learner = build_learner(self._recipe, len(self._run.vocabulary), self._device)
        self._observer = Observer(self._learner, self._recipe.cadence.verify_every)
        self._recorder = Recorder(self._run, self._writer, self._observer, self._reader.facts())

    def run(self) -> str:
        """Train until the end, a stop or a failure. Return the phase of the run afterwards.

        Raises:
            apsw.FullError, apsw.IOError: (`DISK_FULL_ERRORS`) the disk is too full to record a change of phase.
                Committed steps are safe: continue with another `Trainer`, as after a crash.
        """
        control = self._control
        control.look(self._reader.last()[1], now=True)
        if control.over:
            return control.phase
        if control.anew is not None and self._writer.attempt:
            step = self._begin_anew(control.anew)
        else:
            step = self._replay() if self._writer.attempt else self._start()
        if step is None:
            # Stopped during the replay: the model is behind the record, so do not save it.
            if self._stop.reason == "interrupt":
                control.interrupt(self._reader.last()[1])
            return control.phase
        if control.phase != "paused":
            control.set_phase("running", step, event="started" if step == 0 else "resumed")
        while True:
            control.look(step)
            if self._stop.reason == "terminate":
                self._checkpoint(step)
                return control.phase
            if self._stop.reason or control.stop_asked:
                self._checkpoint(step)
                control.interrupt(step)
            elif step >= control.end:
                self._checkpoint(step)
                control.set_phase("finished", step, f"all {control.end} steps are done")
            if control.over:
                return control.phase
            if not control.may_step():
                continue
            if not self._advance(step + 1):
                if self._stop.reason == "interrupt" and not control.over:
                    # The model is one step ahead of the record, so do not save it.
                    control.interrupt(step)
                return control.phase
            step += 1
            due = self._retry_checkpoint is not None and time.monotonic() >= self._retry_checkpoint
            if due or step % self._recipe.cadence.checkpoint_every == 0:
                self._checkpoint(step)

    def close(self) -> None:
        """Close the reader of the steps."""
        self._reader.close()

    def _start(self) -> int:
        with self._writer.together():
            self._writer.begin_attempt(0)
            self._recorder.keep_start()
        return 0

    def _begin_anew(self, learning_rate: float) -> int:
        """Restart a failed run from the oldest checkpoint at another learning rate, as a new attempt.

        The weights just before the failed step are beyond repair at any rate; older ones may not be. A checkpoint
        saved at the start of the new attempt records the rate for a replay.
        """
        _, last = self._reader.last()
        at = self._load_checkpoint(self._reader.line(), last, oldest=True)
        self._control.learning_rate = learning_rate
        attempt = self._writer.begin_attempt(at + 1)
        self._insist(lambda: self._save(at))
        self._writer.add_event(
            at,
            "attempt",
            f"attempt {attempt} goes on from step {at} at the learning rate {learning_rate:g};"
            " what followed in the attempt before no longer counts",
        )
        return at

    def _advance(self, step: int) -> bool:
        """Compute one step and commit it.

        Returns:
            False if the step was not finite and the run has failed, or if a stop came while it waited for disk
            space.
        """
        return self._keep(*self._compute(step))

    def _keep(self, seen: Observation, ended: float, seconds: float) -> bool:
        if not seen.finite:
            self._control.set_phase(
                "failed",
                seen.step,
                f"step {seen.step}: the loss or a gradient is no longer a finite number (loss {seen.loss})."
                " All steps before it are kept. Continue with a lower learning rate: it goes on from an earlier checkpoint.",
            )
            return False
        rate = self._control.learning_rate
        kept = self._insist(
            lambda: self._recorder.record(seen, rate, ended, seconds),
            lambda: self._report(seen, replaying=False, waiting=True),
        )
        if kept:
            self._report(seen, replaying=False)
        return kept

    def _insist(self, write: Callable[[], None], on_wait: Callable[[], None] | None = None) -> bool:
        """Call `write`, which must succeed before training continues; wait and retry while the disk is full.

        Returns:
            False if a stop came meanwhile.
        """
        begun, waited = time.monotonic(), False

        def work() -> bool:
            write()
            return True

        def told() -> None:
            nonlocal waited
            waited = True
            self._sign.show()
            if on_wait is not None:
                on_wait()

        try:
            done = insist(work, lambda: self._stop.reason, "training", also=(CheckpointError,), on_wait=told)
        finally:
            self._sign.hide()
        if done and waited:
            message = f"training waited {time.monotonic() - begun:,.0f} s for room on the disk"
            with contextlib.suppress(*NO_ROOM):
                self._writer.add_event(self._reader.last()[1], "room", message)
        return done is not None

    def _compute(self, step: int) -> tuple[Observation, float, float]:
        """Compute a step.

        Returns:
            Its observation, the time at which training ended (Unix seconds), and its duration in seconds.
        """
        self._learner.set_learning_rate(self._control.learning_rate)
        host_ids, ids, targets = self._batches.batch(step)
        begun = time.perf_counter()
        result = train_step(self._learner, ids, targets)
        _wait_for(self._device)
        seconds, ended = time.perf_counter() - begun, time.time()
        return self._observer.observe(step, host_ids, result), ended, seconds

    def _replay(self) -> int | None:
        """Replay from the last checkpoint to the last committed step.

        Returns:
            That step, or the step a new attempt has reached; None if stopped or failed on the way.
        """
        _, last = self._reader.last()
        line = self._reader.line()
        at = self._load_checkpoint(line, last)
        rates = {
            applied.step: rate
            for applied in self._reader.applied()
            if (rate := asked_rate(applied)) is not None
            and any(a == applied.attempt and first <= applied.step <= end for a, first, end in line)
        }
        recorded = self._reader.digests(at + 1, last)
        for step in range(at + 1, last + 1):
            if self._stop.reason:
                return None
            self._control.learning_rate = rates.get(step, self._control.learning_rate)
            seen, ended, seconds = self._compute(step)
            if seen.digest() != recorded.get(step):
                attempt = self._writer.begin_attempt(step)
                self._writer.add_event(
                    step,
                    "attempt",
                    f"computing step {step} again gave other numbers: attempt {attempt} begins here,"
                    f" what followed in the attempt before no longer counts",
                )
                return step if self._keep(seen, ended, seconds) else None
            self._report(seen, replaying=True)
        self._control.learning_rate = rates.get(last + 1, self._control.learning_rate)
        if self._writer.tiles_go_beyond(last):
            attempt = self._writer.begin_attempt(last + 1)
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
                self._build()
                continue
            self._control.learning_rate = state["learning_rate"]
            return file.step
        # Not the rate of a request applied just now, which only holds from its own step on.
        self._control.learning_rate = self._recipe.optimiser.learning_rate
        return 0

    def _checkpoint(self, step: int) -> None:
        """Write a checkpoint. On failure record an event and schedule a retry; earlier checkpoints stay."""
        self._retry_checkpoint = None
        try:
            self._save(step)
            if self._checkpoint_failed:
                self._checkpoint_failed = False
                with contextlib.suppress(*NO_ROOM):
                    self._writer.add_event(step, "checkpoint", f"the checkpoint of step {step} is written")
        except CheckpointError as error:
            self._retry_checkpoint = time.monotonic() + RETRY_SECONDS
            if not self._checkpoint_failed:
                self._checkpoint_failed = True
                message = f"{error}; those before it are kept, and it is tried again"
                say(message)
                with contextlib.suppress(*NO_ROOM):
                    self._writer.add_event(step, "checkpoint", message)

    def _save(self, step: int) -> None:
        state = {"learning_rate": self._control.learning_rate}
        save_checkpoint(
            self._run.checkpoints, step, self._writer.attempt, self._learner, self._observer, state
        )

    def _report(self, seen: Observation, *, replaying: bool, waiting: bool = False) -> None:
        if self._on_progress is not None:
            self._on_progress(
                Progress(seen.step, self._control.end, seen.loss, len(seen.batch_ids), replaying, waiting)
            )
