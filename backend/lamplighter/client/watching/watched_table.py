"""A matrix of a model with a row for each token, and the module that looks tokens up in it."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn


class WatchedTable:
    """A parameter of a module, found in it by name each time, since loops replace parameters."""

    def __init__(self, owner: nn.Module, attribute: str, name: str, *, guessed: bool = False) -> None:
        """Take a parameter of `owner`.

        Args:
            owner: the module to which it belongs, and whose calls look tokens up in it.
            attribute: what the module calls it.
            name: what people call it: its name in the model.
            guessed: whether the model has others that could be meant.
        """
        self.owner, self.attribute, self.name = owner, attribute, name or type(owner).__name__
        self.guessed = guessed

    @property
    def weight(self) -> Tensor:
        """Return the matrix, shape (V, D)."""
        return cast(Tensor, getattr(self.owner, self.attribute))

    @property
    def is_looked_up(self) -> bool:
        """Return whether calls of the module name the rows that they read; those of an output layer do not."""
        return not isinstance(self.owner, nn.Linear)

    def readers(self, model: nn.Module) -> list[nn.Module]:
        """Return the modules of a model whose calls read rows of this matrix: an encoder and a decoder may share it, and an
        output layer shares it without reading rows."""
        if not self.is_looked_up:
            return []
        embeddings = (one for one in model.modules() if isinstance(one, nn.Embedding | nn.EmbeddingBag))
        sharing = [one for one in embeddings if one.weight is self.weight and one is not self.owner]
        return [self.owner, *sharing]
