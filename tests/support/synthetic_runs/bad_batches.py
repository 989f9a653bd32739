"""Bad batches, planted into the training of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from lamplighter.model.batch_reader import BatchReader

BadBatch = Literal[
    "random tokens",
    "one repeated token",
    "random targets",
    "shuffled targets",
    "a quarter random",
    "one sequence random",
    "reversed text",
    "read twice",
]


def bad_batch_at(bad: int | None, kind: BadBatch | None, until: int | None = None) -> Callable[..., Any]:
    """Return a method for `BatchReader.batch` that spoils the batches of steps; with None, of no step.

    Args:
        bad: the first of the steps.
        kind: how they are spoilt.
        until: the last; None: the first alone.
    """
    read = BatchReader.batch

    def batch(self: BatchReader, step: int) -> tuple[NDArray[np.int64], torch.Tensor, torch.Tensor]:
        if bad is None or kind is None or not bad <= step <= (until or bad):
            return read(self, step)
        host, ids, targets = read(self, step - 1 if kind == "read twice" else step)
        draw = torch.Generator().manual_seed(step)
        vocabulary = 1 + int(self._ids.max())  # pyright: ignore[reportPrivateUsage]
        anything = torch.randint(0, vocabulary, (2, *ids.shape), generator=draw)
        if kind == "random tokens":
            ids, targets = anything
        elif kind == "one repeated token":
            ids, targets = torch.full_like(ids, 7), torch.full_like(targets, 7)
        elif kind == "random targets":
            targets = anything[1]
        elif kind == "shuffled targets":
            targets = targets.flatten()[torch.randperm(targets.numel(), generator=draw)].view_as(targets)
        elif kind == "reversed text":
            ids, targets = targets.flip(-1), ids.flip(-1)
        elif kind in ("a quarter random", "one sequence random"):
            spoilt = max(1, len(ids) // 4) if kind == "a quarter random" else 1
            ids, targets = ids.clone(), targets.clone()
            ids[:spoilt], targets[:spoilt] = anything[:, :spoilt]
        else:
            return host, ids, targets
        return ids.numpy(), ids, targets

    return batch
