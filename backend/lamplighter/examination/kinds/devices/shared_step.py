"""A training step shared by several processes, as in data parallelism: each reads part of the batch, and the
gradients are summed.

The embedding's gradient can be sent whole (`dense`), or as the rows that the part has read, with their ids
(`lazy`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor

from lamplighter.model.transformer import Transformer

PROCESSES = 2
_FLOAT_BYTES, _ID_BYTES = 4, 8

Gradients = dict[str, Tensor]
"""Gradients by parameter name, all dense."""


class Collective(Protocol):
    """The collective operations of a process."""

    rank: int
    size: int

    def add_up(self, tensor: Tensor) -> None:
        """Replace a tensor, of the same shape everywhere, by its sum over all processes."""
        ...

    def broadcast(self, tensor: Tensor, source: int) -> None:
        """Replace a tensor, of the same shape everywhere, by that of the process `source`."""
        ...


class CountedCollective:
    """A collective that counts the bytes its process sends."""

    def __init__(self, inner: Collective) -> None:
        self._inner = inner
        self.rank, self.size = inner.rank, inner.size
        self.bytes = 0

    def add_up(self, tensor: Tensor) -> None:
        self.bytes += tensor.numel() * tensor.element_size()
        self._inner.add_up(tensor)

    def broadcast(self, tensor: Tensor, source: int) -> None:
        if source == self.rank:
            self.bytes += tensor.numel() * tensor.element_size()
        self._inner.broadcast(tensor, source)


def part_of_batch(batch: Tensor, rank: int, size: int) -> Tensor:
    """Return a process's sequences of a batch (B, T): every `size`-th, starting at `rank`."""
    return batch[rank::size]


def compute_gradients(model: Transformer, ids: Tensor, targets: Tensor, share: float) -> Gradients:
    """Return a process's part of the gradients: those of its mean loss times its `share` of the batch."""
    for parameter in model.parameters():
        parameter.grad = None
    (share * model(ids, targets)).backward()
    return dict(_named_gradients(model))


def exchange_whole(own: Gradients, collective: Collective) -> Gradients:
    summed = {name: gradient.clone() for name, gradient in own.items()}
    for gradient in summed.values():
        collective.add_up(gradient)
    return summed


def exchange_rows(own: Gradients, table: str, rows: Tensor, collective: Collective) -> Gradients:
    """Return the gradients of the whole batch; that of `table` is sent as rows with their ids. `rows`: the
    rows with a gradient in this process's part, ascending.
    """
    summed = exchange_whole({name: gradient for name, gradient in own.items() if name != table}, collective)
    whole = torch.zeros_like(own[table])
    for source in range(collective.size):
        count = torch.tensor([len(rows)])
        collective.broadcast(count, source)
        mine = source == collective.rank
        ids = rows if mine else rows.new_empty(int(count))
        values = own[table][rows] if mine else whole.new_empty((int(count), whole.shape[1]))
        collective.broadcast(ids, source)
        collective.broadcast(values, source)
        whole.index_add_(0, ids, values)
    return summed | {table: whole}


def whole_bytes(parameters: int) -> int:
    """Return the bytes a process sends in `exchange_whole`: every parameter's gradient in 32 bits."""
    return parameters * _FLOAT_BYTES


def row_bytes(parameters: int, vocabulary: int, dim: int, rows: int) -> int:
    """Return the bytes a process sends in `exchange_rows`: rows with an id each, and all other gradients."""
    return (
        (parameters - vocabulary * dim) * _FLOAT_BYTES + rows * (dim * _FLOAT_BYTES + _ID_BYTES) + _ID_BYTES
    )


def _named_gradients(model: Transformer) -> Iterator[tuple[str, Tensor]]:
    for name, parameter in model.named_parameters():
        gradient = parameter.grad
        assert gradient is not None, "a parameter got no gradient"
        yield name, gradient.to_dense() if gradient.is_sparse else gradient
