"""A small model with tied weights that returns its loss as nanoGPT's does."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

V, D = 40, 8
TOKENS = [f"word{i}" for i in range(V)]


class SmallModel(nn.Module):
    def __init__(self, *, tied: bool = True, sparse: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.wte = nn.Embedding(V, D, sparse=sparse)
        self.mid = nn.Linear(D, D)
        self.head = nn.Linear(D, V, bias=False)
        if tied:
            self.head.weight = self.wte.weight

    def forward(self, ids: Tensor, targets: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        logits = self.head(torch.tanh(self.mid(self.wte(ids))))
        loss = None
        if targets is not None:
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        return logits, loss


def batch(rows: int = 2) -> Tensor:
    return torch.randint(0, V, (rows, 5))


def train(model: Any, steps: int) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        ids = batch()
        model(ids, ids)[1].backward()
        optimizer.step()
        optimizer.zero_grad()
