"""The watcher of a training, called by hooks.

A forward pass is added to its step when its backward pass reaches the embedding's output, so the passes of a step that
a GradScaler skipped, an evaluation, and a prefetched batch are not added to another step. A step ends when an optimiser
that holds this weight has stepped.
"""

from __future__ import annotations

import atexit
import time
import weakref
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from torch import Tensor, nn
from torch.optim.optimizer import Optimizer

from lamplighter.client.errors import InputError
from lamplighter.client.recorder import Recorder
from lamplighter.client.sharding.own_time import OwnTime
from lamplighter.client.sharding.owned_part import OwnedPart, is_split
from lamplighter.client.sharding.shared_recorder import SharedRecorder
from lamplighter.client.watching.batch_tally import BatchTally
from lamplighter.client.watching.embedding_search import WatchedTable
from lamplighter.client.watching.guest_hooks import (
    GuestHooks,
    called_by_optimizer_of,
    group_of,
)
from lamplighter.client.watching.probe_readings import ProbeReadings
from lamplighter.client.watching.serving_address import serving_command
from lamplighter.client.watching.shared_step_writer import SharedStepWriter
from lamplighter.client.watching.step_writer import StepWriter, read_number
from lamplighter.client.watching.table_gradient import REASONS, GradientKind, TableGradient
from lamplighter.client.watching.tallied_batch import JoinedSteps, StepWindow
from lamplighter.client.watching.token_losses import TokenLosses
from lamplighter.client.watching.weight_diff import WeightDiff
from lamplighter.contract.sentences import say
from lamplighter.runfolder.phase import Phase

_UNSEEN_STEPS = 200
"""Number of other optimisers' steps or backward passes, without a step of the embedding, after which a warning is
shown."""
_Ending = Literal["steps_recorded_again", "steps_recorded_freed"]
_NO_STEP: dict[_Ending, str] = {
    "steps_recorded_again": "the embedding was watched again",
    "steps_recorded_freed": "the model was freed",
}
_REPLACED = "the embedding was replaced by another: watch the model again once it is final"
_live: weakref.WeakSet[Watcher] = weakref.WeakSet()
"""The watchers that are not closed."""


class Watch:
    """The watch over a training that `lamplighter.watch` returns. This class itself records nothing: the training is
    recorded elsewhere, or cannot be recorded.

    It ends with the program, when its model is freed, and when its embedding is watched again. In a `with` statement it
    ends with the block, and an exception there interrupts the run.
    """

    def __init__(self, introduction: str, step: int = 0) -> None:
        self.introduction = introduction
        """The sentence that is printed at the beginning, or why nothing is recorded."""
        self.folder: Path | None = None
        """The run's folder; None if nothing is recorded."""
        self.address: str | None = None
        """The address at which a server shows the run; None if none does."""
        self.step = step
        """The number of the last finished step, recorded or not."""
        self.next_step: int | None = None
        """The number of the current step, if the loop has its own numbers; otherwise the steps are counted."""
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(error)

    def __repr__(self) -> str:
        return f"<Lamplighter records nothing: {self.introduction}>"

    def log(self, *, loss: Any = None, **scalars: Any) -> None:
        """Log numbers that only the loop knows.

        Args:
            loss: the loss of the current step or, after `optimizer.step()` and before the next forward pass, of the
                step that has just ended, in nats per token. It takes precedence over the loss that the model returned.
            scalars: other numbers by name, kept as curves over the steps.

        Raises:
            InputError: a value is not a number, or a name is invalid; only if `on_error` is "raise".
        """

    def log_losses(self, losses: Tensor, inputs: Tensor, targets: Tensor) -> None:
        """Log the losses of single tokens of the current step, between their forward and their backward pass: the 16 largest
        are kept, with the text before them (docs/outliers.md).

        Args:
            losses: the loss of each token, in nats, shape (sequences, tokens).
            inputs: the ids that were read, of the same shape.
            targets: the ids that were to be predicted, of the same shape; below 0 where there is none.

        Raises:
            InputError: these are no tensors of one such shape; only if `on_error` is "raise".
        """

    def close(self, error: BaseException | None = None) -> None:
        """Remove the hooks and end the record.

        Args:
            error: the exception that ended the training, if one did.
        """


class Watcher(Watch):
    """A watch that records, by hooks: `watch` attaches them, `close` removes them."""

    def __init__(
        self,
        model: nn.Module,
        table: WatchedTable,
        recorder: Recorder | SharedRecorder,
        diff: WeightDiff,
        *,
        every: int,
        gradient: GradientKind | None,
        first_step: int,
        raises: bool,
        part: OwnedPart,
        others: str,
        address: str | None,
        token_losses: bool,
        probes: ProbeReadings | None,
    ) -> None:
        """Prepare to watch.

        Args:
            model: the model, unwrapped.
            recorder: the record, begun with `diff`.
            raises: whether an error is raised in the training instead of ending the record.
            part: the part of the matrix that is compared in this process.
            others: the model's tables, for messages.
            address: the address at which a server shows the run, if any.
            token_losses: whether to compute the losses of single tokens from the model's logits.
        """
        self._model = weakref.ref(model)
        self._owner, self._attribute = weakref.ref(table.owner, self._end_freed), table.attribute
        self._weight = table.weight
        self._recorder = recorder
        self._hooks = GuestHooks(self._end_with)
        self._reads_logits, self._probes = token_losses, probes
        self._losses = TokenLosses(
            len(table.weight),
            self._is_due,
            lambda: self._window.is_skipped(self._gradient.accumulated()),
            self._hooks.guarded,
        )
        self._gradient = TableGradient(model, table, part, gradient)
        looked_up = table.is_looked_up
        rows, width = table.weight.shape
        split = is_split(self._weight)
        self._own_time = OwnTime(split=split)
        self._tally = BatchTally(rows, self._weight.device, self._hooks.guarded, self._own_time)
        if isinstance(recorder, SharedRecorder):
            self._writer: StepWriter = SharedStepWriter(
                recorder, diff, self._losses, part=part, looked_up=looked_up, own_time=self._own_time
            )
        else:
            self._writer = StepWriter(recorder, diff, self._losses, part=part, looked_up=looked_up)
        run = recorder.run
        where = address or f"records {recorder.folder}; to watch it: {serving_command(recorder.folder)}"
        if run is None:
            where = f"{recorder.folder}: the first process has the record of all"
        super().__init__(f"{where} (the embedding is {table.name}, {rows:,} x {width})", first_step)
        self.folder, self.address = None if run is None else run.path, address
        self._every, self._raises = every, raises
        self._doubt = (
            f"{table.name} {tuple(table.weight.shape)} is read at 0, 1, 2, ...: it is a table of positions, not of"
            f" tokens. Name the table of tokens, embedding=...{others}"
            if table.guessed
            else None
        )
        self._window = StepWindow(self._tally.take_batch, split=split)
        self._joined: JoinedSteps | None = None
        self._next_loss: float | None = None
        self._unseen, self._said_eval = 0, False
        self._returned = time.perf_counter()
        self._recorded = first_step
        self.closed = False
        if gradient is not None:
            recorder.note("gradient", say(REASONS[gradient]))

    def install(self, model: nn.Module, table: WatchedTable) -> None:
        """Install the hooks on the model and the table, all of them or none."""
        try:
            self._hooks.install_on_modules(
                *((reader, self._tally.count_ids) for reader in table.readers(model)),
                (model, self._tally.add_loss),
            )
            if self._reads_logits:
                self._hooks.install_on_modules(
                    *((reader, self._losses.note_ids) for reader in table.readers(model)),
                    (model, self._losses.add_output),
                )
            self._gradient.install(
                self._hooks,
                self._tally,
                on_reached=self._reach_table,
                on_passes=self._join_passes,
                on_end=self._end_backward,
            )
            if isinstance(self._recorder, SharedRecorder):
                self._hooks.install_before_modules(self._own_time.call_module)
            self._hooks.install_on_optimizers(self._gradient.begin_step, self._after_step)
            atexit.register(self._close_at_exit)
            _live.add(self)
        except BaseException:
            self._hooks.leave()
            raise

    def __repr__(self) -> str:
        where = self.address or self.folder
        return f"<Lamplighter {'watched' if self.closed else 'watches'} {self._recorder.at} steps: {where}>"

    def log(self, *, loss: Any = None, **scalars: Any) -> None:
        self._hooks.guarded(self._log)(loss, scalars)

    def log_losses(self, losses: Tensor, inputs: Tensor, targets: Tensor) -> None:
        self._hooks.guarded(self._log_losses)(losses, inputs, targets)

    def close(self, error: BaseException | None = None) -> None:
        if self.closed:
            self._hooks.leave()
            return
        self._close(error)

    def _close(self, error: BaseException | None, ending: _Ending | None = None) -> None:
        self._hooks.guarded(self._finish)(error, ending)
        message = say(ending, steps=self._recorder.at) if ending else ""
        self._recorder.close_after(error, message)

    def close_if_watching(self, weight: Tensor) -> None:
        """Close if this matrix is the watched one, which is now watched again."""
        if self._weight is weight:
            self._close(None, "steps_recorded_again")

    def _close_at_exit(self) -> None:
        # The recorder checks how the program ended.
        self._hooks.guarded(self._finish)(self._recorder.error_of_loop())
        self._recorder.close_at_exit()

    def _end_freed(self, reference: Any) -> None:
        # This may run anywhere, also during interpreter shutdown, when names of this module are gone, so it must not
        # raise.
        try:
            if self.closed:
                return
            if self._model() is None:
                self._close(None, "steps_recorded_freed")
            else:
                self._end_with(InputError(_REPLACED))
        except Exception:  # noqa: BLE001
            pass

    def _finish(self, error: BaseException | None, ending: _Ending | None = None) -> None:
        if error is None and self._probes is not None:
            self._probes.read_if_due(self._model(), self.step, last=True)
        # The recorder says what an error of the loop ended.
        if not self._writer.write_end() and error is None:
            why = None if ending is None or self._unseen or self._joined is not None else _NO_STEP[ending]
            nothing = say("no_step_recorded", why=why or self._why_nothing())
            self._writer.warn_once(nothing)
            self._recorder.close(Phase.INTERRUPTED, nothing)
        self._leave()

    def _leave(self) -> None:
        self.closed = True
        self._hooks.leave()
        if self._probes is not None:
            self._probes.close()
        self._writer.note_interruption()
        atexit.unregister(self._close_at_exit)
        _live.discard(self)
        self._window.drop_batch()
        self._joined = None

    def _end_with(self, error: Exception) -> None:
        # Keep the steps that ended before the error, if possible.
        with suppress(Exception):
            self._writer.write_held()
        self._leave()
        if self._raises:
            self._recorder.close_after(error)
            raise error
        self._recorder.end_with(error)

    def _reach_table(self) -> None:
        """Write the step before, as a backward pass of the next one reaches the table."""
        self._own_time.reach_table()
        self._writer.write_held()

    def _join_passes(self, accumulated: Tensor | None) -> None:
        if self._doubt is not None and self._tally.fed_positions:
            raise InputError(self._doubt)
        passes = self._window.join_passes(accumulated)
        if passes.in_eval and not self._said_eval:
            self._said_eval = True
            self._writer.warn_once(
                f"the model has trained in eval mode since step {self._number()}, without dropout: call model.train(), unless"
                " this is intended"
            )

    def _end_backward(self, accumulated: Tensor | None) -> None:
        if accumulated is not None:
            self._window.note_gradient(accumulated)
        self._note_other_step()

    def _note_other_step(self) -> None:
        owner = self._owner()
        if owner is not None and not self._gradient.is_at(owner, self._attribute):
            raise InputError(_REPLACED)
        self._unseen += 1
        if self._unseen % _UNSEEN_STEPS == 0:
            # Otherwise those of a frozen table, for example, which no optimiser holds, would be kept for ever.
            self._tally.forget_passes()
        if self._unseen == _UNSEEN_STEPS:
            self._writer.warn_once(self._why_nothing())

    def _number(self) -> int:
        return self.step + 1 if self.next_step is None else self.next_step

    def _is_due(self) -> bool:
        # Like the recorder: the first step after a multiple, if a loop skips numbers.
        return self._number() // self._every > self._recorded // self._every

    def _after_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        group = group_of(optimizer, self._weight)
        if group is None:
            self._note_other_step()
            return
        if called_by_optimizer_of(self._weight):
            return
        found_inf = getattr(optimizer, "found_inf", None)
        if found_inf is not None and bool(found_inf):
            # A fused optimiser is called and skips its step itself.
            self._window.drop_batch()
            self._losses.take_largest()
            self._gradient.take_norms()
            return
        ended, now = time.time(), time.perf_counter()
        self._own_time.end_step()
        self._writer.write_held()
        due = self._is_due()
        self.step, self.next_step, self._unseen = self._number(), None, 0
        batch = self._window.take_batch()
        self._gradient.end_step(args, kwargs)
        # From the first pass if known, because an evaluation or a checkpoint before it is not training.
        seconds = now - (self._tally.begun or self._returned)
        step = JoinedSteps(
            1, batch.counts, self._gradient.take_norms(), seconds, batch.unreadable, batch.seen
        )
        joined = step if self._joined is None else self._joined.joined_with(step)
        self._joined = None if due else joined
        if not due:
            self._losses.take_largest()
        else:
            rate = group.get("lr")
            self._writer.hold(self._weight, joined, batch, self.step, rate, ended, self._next_loss)
            self._recorded = self.step
        if self._tally.loss_name is not None:
            self._writer.name_loss(self._tally.loss_name)
        if self._probes is not None:
            self._probes.read_if_due(self._model(), self.step)
        self._next_loss, self._tally.begun, self._returned = None, None, time.perf_counter()
        self._own_time.go_on()

    def _log(self, loss: Any, scalars: dict[str, Any]) -> None:
        try:
            value = None if loss is None else read_number(loss, "loss")
            self._writer.scalars.log_scalars(scalars)
        except InputError as error:
            if self._raises:
                raise
            # Nothing else depends on an invalid number.
            self._writer.warn_once(str(error))
            return
        if value is None:
            return
        if self._tally.touched or self._window.is_open:
            self._next_loss = value
        else:
            # It is not kept for a step between two recorded ones.
            self._writer.write_with_loss(value)

    def _log_losses(self, losses: Any, inputs: Any, targets: Any) -> None:
        try:
            self._losses.add_losses(losses, inputs, targets)
        except InputError as error:
            if self._raises:
                raise
            self._writer.warn_once(str(error))

    def _why_nothing(self) -> str:
        if self._joined is not None:
            return f"the loop ended before the first step that is due (every={self._every})"
        if not self._unseen:
            return f"the loop ended before a backward pass reached this embedding {tuple(self._weight.shape)}"
        return (
            f"no optimiser with this embedding ({tuple(self._weight.shape)}) in its parameters has stepped for"
            f" {self._unseen:,} backward passes. If the model was given another embedding (resize_token_embeddings), or the"
            " optimiser holds other weights, watch it again"
        )


def end_earlier_watch(weight: Tensor) -> None:
    """End the watcher of a weight that is watched again, as when a notebook cell is run again."""
    for watcher in list(_live):
        watcher.close_if_watching(weight)
