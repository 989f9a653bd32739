"""Updates of the same length in random directions, to compare with the real one."""

from __future__ import annotations

import copy
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from lamplighter.contract.answers.microscope import RandomUpdates
from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.examination.kinds.microscope.retaken_step import RetakenStep, measure_loss, to_number

DRAWS = 5
_SHARE = 2
"""One in this many of the batch's sequences is read after each update, because reading takes the time."""


@torch.no_grad()
def describe_random_updates(model: ExaminedModel, retaken: RetakenStep) -> RandomUpdates:
    """Return the loss of part of the batch after random updates, each as long as the real one.

    The `DRAWS` directions are seeded by the step's number.
    """
    read = max(1, len(retaken.targets) // _SHARE)
    ids, targets = torch.from_numpy(retaken.token_ids[:read]).to(model.learner.device), retaken.targets[:read]
    old = list(retaken.before.model.parameters())
    length = _length([new - one for one, new in zip(old, retaken.after.model.parameters(), strict=True)])
    moved = copy.copy(retaken.before)
    moved.model = copy.deepcopy(retaken.before.model)
    # On the CPU, because a seed gives other numbers on another device.
    random = torch.Generator().manual_seed(retaken.observation.step)
    losses: list[float | None] = []
    for _ in range(DRAWS):
        directions = [torch.randn(one.shape, generator=random) for one in old]
        scale = length / _length(directions)
        for parameter, start, direction in zip(moved.model.parameters(), old, directions, strict=True):
            torch.add(start, direction.to(start), alpha=scale, out=parameter.data)
        losses.append(to_number(measure_loss(moved, ids, targets)))
    return RandomUpdates(
        before=to_number(F.cross_entropy(retaken.logits[: targets.numel()], targets.flatten())),
        after=to_number(measure_loss(retaken.after, ids, targets)),
        losses=losses,
        predictions=targets.numel(),
        cosine_spread=1 / math.sqrt(sum(one.numel() for one in old)),
    )


def _length(parts: list[Tensor]) -> float:
    return math.sqrt(sum(float(torch.linalg.vector_norm(part)) ** 2 for part in parts))
