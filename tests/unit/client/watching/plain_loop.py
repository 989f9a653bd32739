"""A loop of a few lines, for tests to which the loop does not matter."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from tests.unit.client.watching.small_model import batch


def train(model: Any, steps: int, *, own_loss: bool = False) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        ids = batch()
        logits, loss = model(ids, None if own_loss else ids)
        if own_loss:
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), ids.flatten())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
