"""The gradient of a watched table: when a backward pass reaches it, and the norms of its rows that a step records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim.optimizer import Optimizer

from lamplighter.client.errors import InputError
from lamplighter.client.sharding.owned_part import OwnedPart, find_fsdp_parameter
from lamplighter.client.watching.batch_tally import BatchTally
from lamplighter.client.watching.embedding_search import WatchedTable
from lamplighter.client.watching.guest_hooks import GuestHooks, called_by_scaler, group_of, has_closure
from lamplighter.client.watching.weight_diff import row_norms
from lamplighter.contract.reason import ReasonCode

GradientKind = Literal["as_used", "before_clipping"]

REASONS: dict[GradientKind, ReasonCode] = {
    "as_used": "gradients_as_used",
    "before_clipping": "gradients_before_clipping",
}
_COMPILED = "the embedding is compiled (torch.compile) and sharded (FSDP2)"


class TableGradient:
    """The gradient at a weight; or, where FSDP2 shards it, at FSDP2's own object for it, which hooks of the
    weight do not see.

    `part`: what this process owns of it; `kind`: which gradient a step records; None: none.
    """

    def __init__(
        self, model: nn.Module, table: WatchedTable, part: OwnedPart, kind: GradientKind | None
    ) -> None:
        self._weight, self._part, self._kind = table.weight, part, kind
        self._managed = find_fsdp_parameter(model, table.owner, table.attribute)
        self._backward = -1
        self._norms: Tensor | None = None

    def install(
        self,
        hooks: GuestHooks,
        tally: BatchTally,
        *,
        on_reached: Callable[[], None],
        on_passes: Callable[[Tensor | None], None],
        on_end: Callable[[Tensor | None], None],
    ) -> None:
        """Install hooks, which for each backward pass that reaches the table call `on_reached` before
        anything changes, `on_passes` with the accumulated gradient before that of these passes is added, and
        `on_end` with it afterwards."""

        def reach(gradient: Tensor) -> None:
            on_reached()
            on_passes(self._weight.grad)

        def end(weight: Tensor) -> None:
            if weight.grad is None:
                return
            if self._kind == "before_clipping":
                self._norms = self._row_norms(weight.grad)
            on_end(weight.grad)

        def reach_sharded() -> None:
            """Note the first of the passes of a backward pass, at whose end FSDP2 reduces and accumulates their gradients."""
            backward = torch._C._current_graph_task_id()  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
            if backward == self._backward:
                return
            self._backward = backward
            on_reached()
            before = self.accumulated()

            def end_sharded() -> None:
                on_passes(before)
                on_end(self.accumulated())

            hooks.call_after_backward(end_sharded)

        if self._managed is None:
            hooks.install_on_weight(self._weight, reach, end)
        else:
            tally.on_reached, tally.unreadable_graphs = reach_sharded, _COMPILED

    def accumulated(self) -> Tensor | None:
        return self._weight.grad if self._managed is None else self._managed.accumulated()

    def is_at(self, owner: nn.Module, attribute: str) -> bool:
        """Return whether a module still has the weight."""
        current = getattr(owner, attribute, None) if self._managed is None else self._managed.weight
        return current is self._weight

    def begin_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        """Read the norms that an optimiser uses. A hook before its step. Raises InputError if the gradient
        before clipping is scaled."""
        if self._kind is None or group_of(optimizer, self._weight) is None:
            return
        if self._kind == "before_clipping":
            if called_by_scaler():
                raise InputError(
                    'gradient="before_clipping" is impossible with a GradScaler, because the gradient is scaled then; use "as_used"'
                )
        elif not has_closure(args, kwargs) and self._weight.grad is not None:
            self._norms = self._row_norms(self._weight.grad, getattr(optimizer, "grad_scale", None))

    def end_step(self, args: Any, kwargs: Any) -> None:
        """Read the norms of a gradient that the optimiser has computed within its step; a scaler allows no closure."""
        if self._kind == "as_used" and has_closure(args, kwargs) and self._weight.grad is not None:
            self._norms = self._row_norms(self._weight.grad)

    def take_norms(self) -> Tensor | None:
        """Return the norms of the own rows in this step, on their device; None if they are unknown."""
        norms, self._norms = self._norms, None
        return norms

    def _row_norms(self, gradient: Tensor, scale: Any = None) -> Tensor:
        return row_norms(self._part.own_rows(gradient), scale)
