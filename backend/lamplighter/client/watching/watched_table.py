"""A matrix of a model with a row for each token, and the module that looks up tokens in it."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn


class WatchedTable:
    """A parameter of a module, looked up by name each time because loops replace parameters."""

    def __init__(self, owner: nn.Module, attribute: str, name: str) -> None:
        """Refer to a parameter of `owner`.

        Args:
            owner: the module that owns it and whose calls look up tokens in it.
            attribute: its attribute name in the module.
            name: its name in the model.
        """
        self.owner, self.attribute, self.name = owner, attribute, name or type(owner).__name__
        self.guessed = False
        """True if the model has other candidates."""

    @property
    def weight(self) -> Tensor:
        """Return the matrix, shape (V, D)."""
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
