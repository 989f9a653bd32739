"""`lamplighter.watch` for the Trainer of `transformers`: `Trainer(..., callbacks=[lamplighter.TransformersCallback()])`."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback  # pyright: ignore[reportMissingImports]

from lamplighter.client.sharding.refusals import DEEPSPEED, refusal
from lamplighter.client.watching.watch import watch
from lamplighter.client.watching.watcher import Watch

_COSTS = ("_runtime", "_per_second")
"""Suffixes of metrics about the time of an evaluation."""


class TransformersCallback(TrainerCallback):  # pyright: ignore[reportUntypedBaseClass]
    """A callback that watches a Trainer's model from the first step to the last, with the Trainer's step numbers.

    Metrics of an evaluation are kept as curves.
    """

    def __init__(self, tokenizer: Any = None, folder: Any = None, **options: Any) -> None:
        """Prepare for `watch`.

        Args:
            tokenizer: as for `watch`; None: the Trainer's own (`processing_class`).
            folder: as for `watch`.
            options: the other arguments of `watch`.
        """
        super().__init__()
        self._tokenizer, self._folder, self._options = tokenizer, folder, options
        self.watcher: Watch | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **others: Any) -> None:
        """Watch the model.

        Raises:
            InputError: this training cannot be watched.
        """
        if getattr(args, "deepspeed", None):
            raise refusal(DEEPSPEED)
        tokenizer = self._tokenizer if self._tokenizer is not None else others.get("processing_class")
        options: dict[str, Any] = {"first_step": state.global_step, "steps": state.max_steps, **self._options}
        self.watcher = watch(model, tokenizer, self._folder, **options)

    def on_step_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Set the number of the step."""
        if self.watcher is not None:
            self.watcher.next_step = state.global_step + 1

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: dict[str, Any] | None = None, **others: Any
    ) -> None:
        """Log the evaluation's metrics."""
        measured = {
            name: value
            for name, value in (metrics or {}).items()
            if isinstance(value, int | float) and name != "epoch" and not name.endswith(_COSTS)
        }
        if self.watcher is not None:
            self.watcher.log(**measured)

    def on_train_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """End the record."""
        if self.watcher is not None:
            self.watcher.close()
