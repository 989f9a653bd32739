"""Bad batches, planted into the training of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from lamplighter.model.batch_reader import BatchReader

BadBatch = Literal["random tokens", "one repeated token", "random targets", "shuffled targets"]


def bad_batch_at(bad: int | None, kind: BadBatch | None) -> Callable[..., Any]:
    """Return a method for `BatchReader.batch` that spoils the batch of one step; with None, of no step."""
    read = BatchReader.batch

    def batch(self: BatchReader, step: int) -> tuple[NDArray[np.int64], torch.Tensor, torch.Tensor]:
        host, ids, targets = read(self, step)
        if step != bad:
            return host, ids, targets
        draw = torch.Generator().manual_seed(step)
        vocabulary = 1 + int(self._ids.max())  # pyright: ignore[reportPrivateUsage]
        anything = torch.randint(0, vocabulary, (2, *ids.shape), generator=draw)
        if kind == "random tokens":
            ids, targets = anything
        elif kind == "one repeated token":
            ids, targets = torch.full_like(ids, 7), torch.full_like(targets, 7)
        elif kind == "random targets":
            targets = anything[1]
        else:
            targets = targets.flatten()[torch.randperm(targets.numel(), generator=draw)].view_as(targets)
        return ids.numpy(), ids, targets

    return batch
