"""The training loop of a run: start or replay, then step, observe, record, and do as asked in between.

After a crash the last checkpoint is loaded and the steps since are computed again. While their digests equal
the recorded ones nothing is written; at the first difference a new attempt begins and the old tail no longer
counts.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from lamplighter.corpora.batches import batch_positions, check_length
from lamplighter.recipe import Recipe
from lamplighter.runfolder.folder import RunFolder
from lamplighter.runfolder.room import NO_ROOM, insist, say
from lamplighter.runfolder.steps import StepsReader, StepsWriter
from lamplighter.runfolder.waiting import WaitingSign
from lamplighter.training.checkpoint import (
    RETRY_SECONDS,
    CheckpointError,
    list_checkpoints,
    load_checkpoint,
    save_checkpoint,
)
from lamplighter.training.control import Control, Stop, asked_rate
from lamplighter.training.observe import Observation, Observer
from lamplighter.training.recorder import Recorder
from lamplighter.training.step import Learner, make_learner, train_step
from lamplighter.training.transformer import Transformer


@dataclass(frozen=True)
class Progress:
    """What a progress bar needs."""

    step: int
    end: int
    loss: float
    lit: int
    replaying: bool
    waiting: bool = False
    """The step is done, and waits for room on the disk."""


def choose_device(recipe: Recipe) -> torch.device:
    """The device a recipe means here.

    Raises:
        ValueError: the recipe names one that this machine has not got, or that cannot do what it asks.
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
    """The model and optimisers of a recipe, as they are before the first step; the same bits for a seed."""
    torch.manual_seed(recipe.seed)
    sparse = recipe.optimiser.kind != "adam" and not recipe.model.tied
    model = Transformer(recipe.model, vocabulary, sparse=sparse).to(device)
    lower = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return make_learner(model, recipe.optimiser, torch.bfloat16 if lower else None)


class Batches:
    """Batch n of a run, a pure function of the recipe, the corpus and n."""

    def __init__(self, recipe: Recipe, token_ids: NDArray[np.uint32], device: torch.device) -> None:
        self._recipe, self._device = recipe, device
        check_length(recipe, len(token_ids))
        self._ids = token_ids.astype(np.int64)

    def batch(self, step: int) -> tuple[NDArray[np.int64], torch.Tensor, torch.Tensor]:
        """What step `step` reads, (B, T) on the host and on the device, and the ids that follow each."""
        window = self._ids[batch_positions(self._recipe, len(self._ids), step)]
        on_device = torch.from_numpy(window).to(self._device)
        return window[:, :-1], on_device[:, :-1], on_device[:, 1:]


def _wait_for(device: torch.device) -> None:
    """GPUs compute beside the program: a time is true only once they are done."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    elif device.type == "mps":
        torch.mps.synchronize()


class Trainer:
    """Trains one run whose corpus is in its folder. Holds no lock: the caller has the trainer's role."""

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
        """The model as it is before the first step, and who watches it."""
        self._learner = build_learner(self._recipe, len(self._run.vocabulary), self._device)
        self._observer = Observer(self._learner, self._recipe.cadence.verify_every)
        self._recorder = Recorder(self._run, self._writer, self._observer, self._reader.facts())

    def run(self) -> str:
        """Train until the end, a stop, or a fault. Returns the phase the run is left in.

        Raises:
            apsw.FullError, apsw.IOError: (`NO_ROOM`) there is no room to say what happens next. All that was
                committed holds: go on with another `Trainer`, as after a crash.
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
            # Stopped on the way back: the model is at an earlier step than the record, so nothing is kept of it.
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
                    # The model is a step ahead of the record: nothing is kept of it.
                    control.interrupt(step)
                return control.phase
            step += 1
            due = self._retry_checkpoint is not None and time.monotonic() >= self._retry_checkpoint
            if due or step % self._recipe.cadence.checkpoint_every == 0:
                self._checkpoint(step)

    def close(self) -> None:
        """Let go of the folder."""
        self._reader.close()

    def _start(self) -> int:
        with self._writer.together():
            self._writer.begin_attempt(0)
            self._recorder.keep_start()
        return 0

    def _begin_anew(self, learning_rate: float) -> int:
        """After a failure: go back to the oldest checkpoint and on from there at another rate, as a new attempt.

        The weights just before the failed step are lost whatever the rate; those of a while before may not be.
        The checkpoint that the new attempt begins with says at which rate, so that a replay knows it.
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
        """Do one step and commit it. False when it was no finite step and the run has failed, or when a stop
        was asked for while it waited for room on the disk."""
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
        """Do what must be on the disk before anything else: training waits until there is room for it.

        Returns:
            False when told to stop meanwhile.
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
        """A step and its observation, when training ended (Unix seconds), and how long it took."""
        self._learner.set_learning_rate(self._control.learning_rate)
        host_ids, ids, targets = self._batches.batch(step)
        begun = time.perf_counter()
        result = train_step(self._learner, ids, targets)
        _wait_for(self._device)
        seconds, ended = time.perf_counter() - begun, time.time()
        return self._observer.observe(step, host_ids, result), ended, seconds

    def _replay(self) -> int | None:
        """Come back to the last committed step.

        Returns:
            The step, or the one a new attempt has reached; None when stopped (or failed) on the way.
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
        """Take up the newest (or oldest) checkpoint that counts and can be read.

        Returns:
            Its step; 0 where there is none.
        """
        files = list_checkpoints(self._run.checkpoints)
        for file in files if oldest else reversed(files):
            if file.step > last or not any(a == file.attempt and b - 1 <= file.step <= c for a, b, c in line):
                # Of a superseded tail: it must neither be taken up nor push out those that count.
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
        # Not the rate of a request just taken up: that holds from the step it begins with.
        self._control.learning_rate = self._recipe.optimiser.learning_rate
        return 0

    def _checkpoint(self, step: int) -> None:
        """Write a checkpoint. One that cannot be written is said, and tried again: those before it stay."""
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
