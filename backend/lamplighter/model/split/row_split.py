"""How the rows of a matrix, or the sequences of a batch, are split between processes: in runs of equal length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class RowSplit:
    """A split of things in a row, such that process r has those from `starts[r]` to `starts[r + 1]`."""

    starts: tuple[int, ...]

    @classmethod
    def evenly(cls, things: int, processes: int) -> RowSplit:
        """Split so that no process has two more than another; none is without if there are enough. Raises
        ValueError if there are fewer things than processes.
        """
        if not 1 <= processes <= things:
            raise ValueError(f"{things} cannot be split between {processes} processes")
        return cls(tuple(things * rank // processes for rank in range(processes + 1)))

    @property
    def sizes(self) -> list[int]:
        return [end - start for start, end in zip(self.starts, self.starts[1:], strict=False)]

    def of(self, rank: int) -> slice:
        return slice(self.starts[rank], self.starts[rank + 1])

    def owners(self) -> list[tuple[int, int]]:
        """Return `(offset, rows)` of each process."""
        return list(zip(self.starts, self.sizes, strict=False))


def add_rows(ids: Sequence[Tensor], gradients: Sequence[Tensor], rows: int) -> Tensor:
    """Return the sum of gradients of rows, sparse and coalesced, shape (rows, D), from the distinct rows that
    each process read, and their gradients, shape (n, D) each. Torch would add the gradients of a row in
    any order; here it is that of the sequence.
    """
    distinct = torch.cat(list(ids)).unique()
    total = gradients[0].new_zeros(len(distinct), gradients[0].shape[1])
    for some, gradient in zip(ids, gradients, strict=True):
        total.index_add_(0, torch.searchsorted(distinct, some), gradient)
    return torch.sparse_coo_tensor(
        distinct[None], total, (rows, total.shape[1]), is_coalesced=True, check_invariants=False
    )
