"""A matrix of a model with a row for each token, and the module that looks up tokens in it."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn


class WatchedTable:
    """The parameter `owner.attribute`, looked up by name each time because loops replace parameters. Calls of
    its owner look up tokens in it; `name` is its name in the model."""

    def __init__(self, owner: nn.Module, attribute: str, name: str) -> None:
        self.owner, self.attribute, self.name = owner, attribute, name or type(owner).__name__
        self.guessed = False
        """True if the model has other candidates."""

    @property
    def weight(self) -> Tensor:
        return cast(Tensor, getattr(self.owner, self.attribute))

    @property
    def is_looked_up(self) -> bool:
        """Return whether calls of the module take the ids of rows; those of an output layer do not."""
        return not isinstance(self.owner, nn.Linear)

    def readers(self, model: nn.Module) -> list[nn.Module]:
        """Return the modules of a model whose calls look up rows of this matrix: an encoder and a decoder may share it,
        and an output layer shares it without lookups."""
        if not self.is_looked_up:
            return []
        embeddings = (one for one in model.modules() if isinstance(one, nn.Embedding | nn.EmbeddingBag))
        sharing = [one for one in embeddings if one.weight is self.weight and one is not self.owner]
        return [self.owner, *sharing]
