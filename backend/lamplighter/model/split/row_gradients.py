"""The gradients of rows that several processes read."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


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
