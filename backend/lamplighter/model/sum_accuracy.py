"""The shares of sums that a model gets right: of those it has read, and of those it never saw."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from lamplighter.contract.recipe import SUM_TOKENS, Recipe
from lamplighter.model.learner import Learner

_MAX_SUMS = 4_096
"""Maximum sums of each part that are asked; their order is random, so the first are a sample."""


class SumAccuracy:
    """The accuracy of a run of the corpus kind `modular`. Measuring it changes neither the model nor any random state."""

    def __init__(self, recipe: Recipe, read: NDArray[np.uint32], held_out: NDArray[np.uint32]) -> None:
        """Take the sums that training reads and those held out, token ids of shape (5 N,) and (5 M,)."""
        self._parts = {
            name: torch.from_numpy(ids.reshape(-1, SUM_TOKENS)[:_MAX_SUMS].astype(np.int64))
            for name, ids in (("accuracy_read", read), ("accuracy_held_out", held_out))
        }
        self._at_once = recipe.sequences
        self._chance = 1 / (recipe.corpus.modulus or 1)

    def measure(self, learner: Learner) -> dict[str, float]:
        """Return `accuracy_read`, `accuracy_held_out` and `accuracy_chance`: shares of right answers, from 0 to 1."""
        found = {name: self._share_right(learner, sums) for name, sums in self._parts.items()}
        return found | {"accuracy_chance": self._chance}

    @torch.no_grad()
    def _share_right(self, learner: Learner, sums: torch.Tensor) -> float:
        right = 0
        for some in sums.to(learner.device).split(self._at_once):
            with torch.autocast(learner.device.type, learner.autocast, enabled=learner.autocast is not None):
                answers = learner.model.logits(some[:, :-1])[:, -1].argmax(dim=1)
            right += int((answers == some[:, -1]).sum())
        return right / len(sums)
