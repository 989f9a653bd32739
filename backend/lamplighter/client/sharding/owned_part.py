"""The part of a table that one process of a training owns: a block of whole rows, or of columns of all rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lamplighter.client.errors import InputError


@dataclass(frozen=True)
class OwnedPart:
    """The rows `offset` to `offset + rows` of a table, of them the columns `first_column` to `first_column + columns`."""

    offset: int
    rows: int
    first_column: int
    columns: int

    def own_rows(self, tensor: Tensor) -> Tensor:
        """Return the part of a table or of its gradient in this process, shape (own rows, own columns)."""
        if is_split(tensor):
            return tensor.to_local()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
        if self.is_empty:
            return torch.empty((0, tensor.shape[1]), dtype=tensor.dtype, device=tensor.device)
        return tensor

    @property
    def is_empty(self) -> bool:
        """Return whether the process owns nothing."""
        return not (self.rows and self.columns)


def owned_part(weight: Tensor, rank: int) -> OwnedPart:
    """Return the part of a table that this process owns.

    Of a table that each process has whole (DDP), the first process owns all, so that no row is compared twice.

    Args:
        weight: the table, shape (V, D).
        rank: the number of this process.

    Raises:
        InputError: the table is split in a way whose parts cannot be joined.
    """
    rows, width = weight.shape
    if not is_split(weight):
        return OwnedPart(0, rows, 0, width) if rank == 0 else OwnedPart(0, 0, 0, 0)
    placements = [str(one) for one in _layout(weight).placements]
    if placements != ["S(0)"]:
        raise InputError(
            f"the embedding is split as {', '.join(placements)}: only a table that is split by rows over one mesh, Shard(0),"
            " can be watched"
        )
    from torch.distributed.tensor._utils import (
        compute_local_shape_and_global_offset,
    )

    spec = _layout(weight)
    (own, columns), (offset, first) = compute_local_shape_and_global_offset(
        weight.shape, spec.device_mesh, spec.placements
    )
    return OwnedPart(offset if own else 0, own, first, columns if own else 0)


def is_split(weight: Tensor) -> bool:
    """Return whether a process has only a part of this table or gradient (a DTensor)."""
    return hasattr(weight, "device_mesh")


def check_parts(parts: Sequence[OwnedPart], rows: int, width: int) -> None:
    """Raise InputError unless the parts of all processes cover each number of a table once."""
    owned = [part for part in parts if not part.is_empty]
    inside = all(
        part.offset >= 0
        and part.offset + part.rows <= rows
        and part.first_column >= 0
        and part.first_column + part.columns <= width
        for part in owned
    )
    apart = not any(_overlap(one, other) for at, one in enumerate(owned) for other in owned[:at])
    if not (inside and apart and sum(part.rows * part.columns for part in owned) == rows * width):
        raise InputError(
            "the parts of the embedding in the processes do not make up the whole table, each number once, so it"
            " cannot be watched"
        )


def _overlap(one: OwnedPart, other: OwnedPart) -> bool:
    by_rows = max(one.offset, other.offset) < min(one.offset + one.rows, other.offset + other.rows)
    return by_rows and max(one.first_column, other.first_column) < min(
        one.first_column + one.columns, other.first_column + other.columns
    )


def _layout(weight: Tensor) -> Any:
    return weight
