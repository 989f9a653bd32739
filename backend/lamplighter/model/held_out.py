"""The loss of a model on held-out text."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from lamplighter.contract.recipe import Recipe
from lamplighter.model.batches import SAMPLE_TOKENS, positions_after
from lamplighter.model.learner import Learner


class HeldOutLoss:
    """The loss on a run's held-out text. Measuring it changes neither the model nor any random state."""

    def __init__(
        self, recipe: Recipe, token_ids: NDArray[np.uint32], sample_tokens: int = SAMPLE_TOKENS
    ) -> None:
        """Choose the windows to read.

        Args:
            recipe: the run's recipe.
            token_ids: the held-out text, shape (M,).
            sample_tokens: predictions to average, unless the text has fewer.
        """
        context, unit = recipe.model.context, recipe.corpus.unit_tokens
        last = len(token_ids) - 1 - context
        windows = min(last // max(context, unit) + 1, max(1, sample_tokens // context))
        starts = unit * np.linspace(0, last // unit, max(0, windows)).astype(np.int64)
        self.windows = torch.from_numpy(token_ids[positions_after(starts, context)].astype(np.int64))
        """The windows, token ids of shape (N, context + 1)."""
        self._at_once = recipe.sequences

    @property
    def predictions(self) -> int:
        """Return the number of averaged predictions."""
        return len(self.windows) * max(0, self.windows.shape[1] - 1)

    def measure(self, learner: Learner) -> float | None:
        """Return the mean loss in nats; None if the text is shorter than a window, or the loss is not finite."""
        if not len(self.windows):
            return None
        total = 0.0
        with torch.no_grad():
            for windows in self.windows.split(self._at_once):
                on_device = windows.to(learner.device)
                with torch.autocast(
                    learner.device.type, learner.autocast, enabled=learner.autocast is not None
                ):
                    loss = learner.model(on_device[:, :-1], on_device[:, 1:])
                total += float(loss) * len(windows)
        mean = total / len(self.windows)
        return mean if math.isfinite(mean) else None
