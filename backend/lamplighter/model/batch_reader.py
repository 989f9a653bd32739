"""Batches of a run, read onto the training device."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from lamplighter.contract.recipe import Recipe
from lamplighter.model.batches import batch_positions, check_length


class BatchReader:
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
