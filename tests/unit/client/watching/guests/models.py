"""The models that the loops train. What a loop saves refers to them by name."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

V, D = 24, 4


class Tiny(nn.Module):
    """A model that returns its loss as nanoGPT's does."""

    def __init__(self, *, table: Any = None, tied: bool = False) -> None:
        super().__init__()
        self.wte = nn.Embedding(V, D) if table is None else table
        self.mid = nn.Linear(D, D)
        self.head = nn.Linear(D, V, bias=False)
        if tied:
            self.head.weight = self.wte.weight

    def logits(self, ids: Any) -> Tensor:
        """Return the logits of the next token."""
        return self.head(torch.tanh(self.mid(self.wte(ids))))

    def forward(self, ids: Any, targets: Tensor | None = None) -> Any:
        """Return logits and loss."""
        logits = self.logits(ids)
        return logits, None if targets is None else cross_entropy(logits, targets)


class Custom(Tiny):
    """A model that computes its logits, or its output of logits and loss, in another way."""

    def __init__(self, logits: Any = None, output: Any = None, table: Any = None) -> None:
        super().__init__(table=table)
        self.computed, self.output = logits, output

    def logits(self, ids: Any) -> Tensor:
        """Return the logits as `logits(model, ids)` computes them."""
        return self.computed(self, ids) if self.computed else super().logits(ids)

    def forward(self, ids: Any, targets: Tensor | None = None) -> Any:
        """Return what `output(logits, loss)` makes of logits and loss."""
        found = super().forward(ids, targets)
        return self.output(*found) if self.output else found


class Scripted(nn.Module):
    """A model that TorchScript can compile."""

    def __init__(self) -> None:
        super().__init__()
        self.wte = nn.Embedding(V, D)
        self.head = nn.Linear(D, V)

    def forward(self, ids: Tensor) -> Tensor:
        """Return logits."""
        return self.head(self.wte(ids))


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the loss of a batch, in nats per token."""
    return functional.cross_entropy(logits.flatten(0, -2), targets.flatten())


def batch(rows: int = 2) -> Tensor:
    """Return random ids."""
    return torch.randint(0, V, (rows, 5))


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    """Return an optimiser of all parameters."""
    return torch.optim.SGD(model.parameters(), lr=0.1)


def adamw(model: nn.Module) -> torch.optim.Optimizer:
    """Return an optimiser that moves every row."""
    return torch.optim.AdamW(model.parameters(), lr=0.01)
