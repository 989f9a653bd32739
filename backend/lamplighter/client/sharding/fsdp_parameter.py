"""The parameter of FSDP2 (`fully_shard`) behind a table: its shard, and its gradient before that is reduced.

FSDP2 shows its modules another parameter while they compute, whose gradient it reduces to the shards itself. So no hook of
the weight is called before its gradient changes.
"""

from __future__ import annotations

import sys
from typing import Any, cast

from torch import Tensor, nn


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
