"""The part of a table that one process of a training owns: a block of whole rows, or of columns of all rows.

Where FSDP2 (`fully_shard`) splits it, modules have another parameter while they compute, whose gradient FSDP2 reduces to
the shards itself. So no hook of the weight is called before its gradient changes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from lamplighter.client.errors import InputError


class FsdpParameter:
    """A parameter that FSDP2 manages, by FSDP2's own object for it, an `FSDPParam`."""

    def __init__(self, managed: Any) -> None:
        self._managed = managed

    @property
    def weight(self) -> Tensor:
        """Return the sharded parameter, a DTensor, which the optimiser holds."""
        return cast(Tensor, self._managed.sharded_param)

    def accumulated(self) -> Tensor | None:
        """Return the gradient accumulated so far in this process: of its shard, or of the whole table where the processes have
        not exchanged it yet (`set_requires_gradient_sync(False)`); None if there is none."""
        waiting = self._managed.unsharded_accumulated_grad
        if waiting is None:
            # FSDP2's own property raises while the parameter is sharded.
            unsharded = getattr(self._managed, "_unsharded_param", None)
            waiting = None if unsharded is None else unsharded.grad
        return waiting if waiting is not None else self.weight.grad


def find_fsdp_parameter(model: nn.Module, owner: nn.Module, attribute: str) -> FsdpParameter | None:
    """Return what FSDP2 manages behind the parameter `owner.attribute`; None if it does not."""
    fsdp = sys.modules.get("torch.distributed.fsdp")
    kind = getattr(fsdp, "FSDPModule", None)
    if kind is None:
        return None
    for module in model.modules():
        if not isinstance(module, kind):
            continue
        for managed in _managed_parameters(module):
            info = managed._module_info
            places = [
                (info.module, info.param_name),
                *zip(info.shared_modules, info.shared_param_names, strict=True),
            ]
            if any(place is owner and name == attribute for place, name in places):
                return FsdpParameter(managed)
    return None


def _managed_parameters(module: Any) -> list[Any]:
    state = module._get_fsdp_state()
    # A list since torch 2.11; one group, or none, before.
    groups = getattr(state, "_fsdp_param_groups", None)
    if groups is None:
        groups = [state._fsdp_param_group] if state._fsdp_param_group is not None else []
    return [managed for group in groups for managed in group.fsdp_params]


@dataclass(frozen=True)
class OwnedPart:
    """The rows `offset` to `offset + rows` of a table, of them the columns `first_column` to `first_column + columns`."""

    offset: int
    rows: int
    first_column: int
    columns: int

    def own_rows(self, tensor: Tensor) -> Tensor:
        """Return the part of a table or of its gradient in this process, shape (own rows, own columns)."""
        if self.is_empty:
            return torch.empty((0, tensor.shape[1]), dtype=tensor.dtype, device=tensor.device)
        if not is_split(tensor):
            return tensor
        shared: Any = tensor
        own = shared.to_local()
        if all(one.is_replicate() for one in shared.placements):
            # The gradient of a split table may be whole in each process.
            own = own.narrow(0, self.offset, self.rows).narrow(1, self.first_column, self.columns)
        elif tuple(own.shape) != (self.rows, self.columns) or any(
            one.is_partial() for one in shared.placements
        ):
            raise InputError(
                f"the embedding or its gradient is split as {_described(shared)}, in another way than the embedding was at"
                " first: watch the model again once its parts are final"
            )
        return own

    @property
    def is_empty(self) -> bool:
        return not (self.rows and self.columns)


def owned_part(weight: Tensor, rank: int, world: int) -> OwnedPart:
    """Return the part of a table, shape (V, D), that this process of `world` owns. Of one that each has whole
    (DDP), the first owns all, so that no row is compared twice. Raises InputError if the parts cannot be
    joined."""
    if not is_split(weight):
        return held_part(weight) if rank == 0 else OwnedPart(0, 0, 0, 0)
    from torch.distributed.tensor import Replicate, Shard

    layout: Any = weight
    mesh, placements = layout.device_mesh, layout.placements
    if mesh.size() != world:
        raise InputError(
            f"the embedding is spread over {mesh.size()} processes, and this record is of {world}: only a table on a mesh of all"
            " processes that train together can be watched"
        )
    if any(type(one) not in (Shard, Replicate) for one in placements):
        raise InputError(
            f"the embedding is split as {_described(layout)}, whose parts are no blocks of rows or columns: only"
            " Shard(0), Shard(1) and Replicate over each dimension of a mesh can be watched"
        )
    place = mesh.get_coordinate()
    if any(at and one.is_replicate() for at, one in zip(place, placements, strict=True)):
        # Another process has the same part.
        return OwnedPart(0, 0, 0, 0)
    held = held_part(weight)
    return OwnedPart(0, 0, 0, 0) if held.is_empty else held


def held_part(weight: Tensor) -> OwnedPart:
    """Return the part of a table that lies in this process, if only as a copy. It is split as `owned_part`
    allows."""
    if not is_split(weight):
        return OwnedPart(0, weight.shape[0], 0, weight.shape[1])
    from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

    layout: Any = weight
    (rows, columns), (offset, first) = compute_local_shape_and_global_offset(
        weight.shape, layout.device_mesh, layout.placements
    )
    return OwnedPart(offset, rows, first, columns)


def is_split(weight: Any) -> bool:
    """Return whether a process has only a part of this table or gradient (a DTensor)."""
    return hasattr(weight, "device_mesh")


def check_split(model: nn.Module, weight: Tensor, merged: int) -> None:
    """Raise InputError if a table's parts cannot give what is to be recorded. `merged`: the number of steps
    whose norms are merged; 1 if none are, or if no norms are recorded."""
    if not is_split(weight) and any(is_split(one) for one in model.parameters()):
        raise InputError(
            "the embedding is whole in each process, and other weights of the model are split (DTensor), so it is unknown which"
            " processes read the same batch: split the embedding as well (fully_shard, RowwiseParallel)"
        )
    layout: Any = weight
    if merged > 1 and is_split(weight) and any(one.is_shard(1) for one in layout.placements):
        raise InputError(
            f"every={merged}: the embedding is split by columns, so no process knows the norm of a whole row, and the largest of"
            " several steps cannot be told: record each step, every=1, or no gradients, gradient=None"
        )


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


def _described(split: Any) -> str:
    return ", ".join(str(one) for one in split.placements)
