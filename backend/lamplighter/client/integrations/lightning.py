"""`lamplighter.watch` for the Trainer of Lightning: `Trainer(..., callbacks=[lamplighter.LightningCallback(tokenizer)])`."""

from __future__ import annotations

from typing import Any

from lightning.pytorch.callbacks import Callback  # pyright: ignore[reportMissingImports]

from lamplighter.client.sharding.refusals import refuse_kind
from lamplighter.client.watching.watch import watch
from lamplighter.client.watching.watcher import Watch


class LightningCallback(Callback):  # pyright: ignore[reportUntypedBaseClass]
    """A callback that watches a LightningModule from the first step to the last, with the Trainer's step numbers.

    The loss is the one that `training_step` returns. Numbers that a validation logs are kept as curves.
    """

    def __init__(self, tokenizer: Any = None, folder: Any = None, **options: Any) -> None:
        """Prepare for `watch`.

        Args:
            tokenizer: as for `watch`.
            folder: as for `watch`.
            options: the other arguments of `watch`.
        """
        super().__init__()
        self._tokenizer, self._folder, self._options = tokenizer, folder, options
        self._loss, self._step = 0.0, 0
        self.watcher: Watch | None = None

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Watch the model.

        Raises:
            InputError: this training cannot be watched.
        """
        refuse_kind(trainer.strategy)
        steps = trainer.max_steps if trainer.max_steps > trainer.global_step else None
        options: dict[str, Any] = {"first_step": trainer.global_step, "steps": steps, **self._options}
        self.watcher = watch(pl_module, self._tokenizer, self._folder, **options)
        self._loss, self._step = 0.0, self.watcher.step

    def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
        """Set the number of the step."""
        if self.watcher is not None:
            self.watcher.next_step = trainer.global_step + 1

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Log the loss of a finished step: the sum over its batches, each already divided by their number."""
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if self.watcher is None or loss is None:
            return
        self._loss = self._loss + loss.detach()
        if self.watcher.step != self._step:
            self.watcher.log(loss=self._loss)
            self._loss, self._step = 0.0, self.watcher.step

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Log the validation's metrics."""
        if self.watcher is not None and not trainer.sanity_checking:
            self.watcher.log(**{name: float(value) for name, value in trainer.callback_metrics.items()})

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """End the record."""
        if self.watcher is not None:
            self.watcher.close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """End the record with the exception that ended the training."""
        if self.watcher is not None:
            self.watcher.close(exception)
