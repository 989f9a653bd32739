"""A tally of a training step: how often its forward passes read each row, and the losses that they returned.

In eager mode a pass is linked to its step by its backward pass: a hook on its output adds its ids when a gradient
arrives. So an evaluation, a prefetched batch and a pass whose step was skipped are counted in no step. Inside
`torch.compile` the same two methods become part of the graph, which counts at the forward pass: they do not branch on
changing values there, so they cause no recompilation. Neither way waits for the device. Memory is V numbers, and the
ids of the passes whose graphs the loop still holds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any, cast

import torch
from torch import Tensor, nn

from lamplighter.client.sharding.own_time import OwnTime
from lamplighter.client.sharding.owned_part import is_split
from lamplighter.client.watching.tallied_batch import TalliedBatch, undivided

_KINDS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


_IDS_BY_NAME = ("input", "input_ids", "ids", "tokens", "x")
"""The names of keyword arguments that are the ids."""


def ids_argument(args: Any, kwargs: Mapping[str, Any]) -> Any:
    """Return the argument of a lookup that is its ids: the first, or one with a usual name; None if there is none."""
    return args[0] if args else next((kwargs[name] for name in _IDS_BY_NAME if name in kwargs), None)


def to_slots(ids: Any, rows: int) -> Tensor | None:
    """Return the slot in which each id is counted, shape (N,), int64, as a copy on the device of the ids: 0
    for ids below 0, 1 to V for the rows, V + 1 beyond them; None if these are not ids (`why_unreadable`)."""
    plain = plain_ids(ids)
    return None if plain is None else (plain.reshape(-1).to(torch.int64) + 1).clamp_(0, rows + 1)


def why_unreadable(ids: Any) -> str:
    kind = str(ids.dtype).removeprefix("torch.") if isinstance(ids, Tensor) else type(ids).__name__
    return f"the lookup got no plain tensor of whole numbers ({kind})"


def plain_ids(ids: Any) -> Tensor | None:
    """Return ids as a plain tensor of whole numbers, of any shape; None if they are not."""
    if isinstance(ids, list | tuple):
        with suppress(Exception):
            ids = torch.as_tensor(ids)
    if not isinstance(ids, Tensor) or hasattr(ids, "device_mesh") or hasattr(ids, "fake_mode") or ids.is_meta:
        return None
    ids = ids.detach()
    if ids.is_nested:
        if ids.layout is not torch.jagged:
            return None
        ids = ids.values()
    if ids.layout is not torch.strided or ids.dtype not in _KINDS:
        return None
    # A subclass may behave differently.
    return ids if type(ids) is Tensor else ids.as_subclass(Tensor)


def tensors_in(output: Any) -> list[Tensor]:
    """Return the tensors in a module's output: itself, or in a tuple, a list, a mapping or an object's attributes."""
    if isinstance(output, Tensor):
        return [output]
    if isinstance(output, Mapping):
        found: Iterable[Any] = cast("Mapping[Any, Any]", output).values()
    elif isinstance(output, tuple | list):
        found = cast("tuple[Any, ...]", output)
    else:
        found = getattr(output, "__dict__", {}).values()
    return [one for one in found if isinstance(one, Tensor)]


def find_loss(output: Any) -> tuple[Tensor | None, str | None]:
    """Return the loss in a model's output, and its place there if it is not called loss; (None, None) if
    there is none.

    In a tuple, a list, a mapping or an object, the part called "loss" is the loss, otherwise its first
    scalar. A scalar without a gradient is not a loss but a metric.
    """
    named = _named_loss(output)
    if named is not None:
        return (named, None) if _is_loss(named) else (None, None)
    if isinstance(output, Tensor):
        return (output, None) if _is_loss(output) else (None, None)
    parts: Iterable[tuple[Any, Any]] = ()
    if isinstance(output, Mapping):
        parts = cast("Mapping[Any, Any]", output).items()
    elif isinstance(output, tuple | list):
        parts = enumerate(cast("tuple[Any, ...]", output))
    for place, value in parts:
        if _is_loss(value):
            return value, f"item {place!r} of the model's output"
    return None, None


def _named_loss(output: Any) -> Any:
    try:
        return output.get("loss") if isinstance(output, Mapping) else getattr(output, "loss", None)  # pyright: ignore[reportUnknownVariableType]
    except Exception:  # noqa: BLE001 (a property of the model's own may raise anything)
        return None


def _is_loss(value: Any) -> bool:
    return isinstance(value, Tensor) and value.ndim == 0 and value.is_floating_point() and value.requires_grad


def own_ids(ids: Any) -> Any:
    """Return the ids that this process counts of those that a lookup got.

    Of shared ids those of this process; none of them if another process has the same ones, so that each is
    counted once. What is not shared, or is a sum that no process has, as it is.
    """
    if not is_split(ids) or any(placement.is_partial() for placement in ids.placements):
        return ids
    own = ids.to_local()
    places = zip(ids.device_mesh.get_coordinate() or (), ids.placements, strict=False)
    return own.flatten()[:0] if any(place and kind.is_replicate() for place, kind in places) else own


def own_scalar(scalar: Tensor) -> Tensor | None:
    """Return a scalar that every process has, as a plain tensor; None if no process has it yet."""
    if not is_split(scalar):
        return scalar
    whole: Any = scalar
    return whole.to_local() if all(kind.is_replicate() for kind in whole.placements) else None


Guard = Callable[[Callable[..., None]], Callable[..., None]]
"""A wrapper for a hook, which keeps its errors from the training."""

_numbers = count()
_UNCLEAR = "the embedding is split while it is read, and its module gets plain ids, so it is unknown which processes get the same ones"


class _Pass:
    __slots__ = ("number", "slots", "training", "unreadable")

    def __init__(self, slots: Tensor | None, unreadable: str | None, training: bool) -> None:
        self.slots, self.unreadable, self.training = slots, unreadable, training
        self.number = next(_numbers)


class _Loss:
    __slots__ = ("divisor", "number", "upstream", "value")

    def __init__(self, value: Tensor, divisor: Any) -> None:
        self.value, self.divisor = value, divisor
        self.number = next(_numbers)
        self.upstream: Tensor | None = None


class BatchTally:
    """The counts of the passes, and of the losses, since they were last taken, of a table with V rows.

    A pass or a loss waits for its gradient, which a hook wrapped by `guard` notes. `own_time` is told where a
    pass begins and ends.
    """

    def __init__(self, rows: int, device: torch.device, guard: Guard, own_time: OwnTime) -> None:
        self._rows, self._own_time = rows, own_time
        # The counts of compiled graphs: by slot (ids below 0, the V rows, ids beyond), and the losses.
        self._counts = torch.zeros(rows + 2, dtype=torch.int32, device=device)
        self._loss_sum = torch.zeros((), dtype=torch.float32, device=device)
        self._losses = torch.zeros((), dtype=torch.int32, device=device)
        self._divided = False
        self._one = torch.ones(1, dtype=torch.int32, device=device)
        self._passes: list[_Pass] = []
        self._reached: list[_Loss] = []
        self._pending = self._in_graph = False
        self._in_transform: str | None = None
        self._join_pass, self._join_loss = guard(self._add_pass), guard(self._add_returned)
        self.touched = False
        """True if a forward pass was seen since the counts were last taken."""
        self.begun: float | None = None
        """The end of the first pass since this was None, by `time.perf_counter`; None: there was none, or it is
        unknown."""
        self.on_reached: Callable[[], None] | None = None
        """Called within a backward pass when the gradient of a pass has arrived."""
        self.unreadable_graphs: str | None = None
        """Why the counts of compiled graphs cannot be booked to their step; None if they can."""
        self.loss_name: str | None = None
        """The part of the model's output that is the loss, if it is not called loss."""
        self.fed_positions: bool | None = None
        """True if the first pass read the rows 0, 1, 2, ... in this order; None before it."""

    def count_ids(self, module: nn.Module, args: Any, kwargs: Mapping[str, Any], output: Any) -> None:
        """Count the ids that the table's module has just looked up. A forward hook, called with gradients
        enabled."""
        ids = ids_argument(args, kwargs)
        if torch.compiler.is_compiling():
            if module.training and isinstance(ids, Tensor) and not (ids.is_floating_point() or is_split(ids)):
                # Only written here: reading them would compile a graph for each value.
                self.touched = self._in_graph = True
                slots = (ids.detach().reshape(-1).long() + 1).clamp(0, self._rows + 1)
                self._counts.index_add_(0, slots, torch.ones_like(slots, dtype=torch.int32))
            return
        self._count_eagerly(module, ids, output)

    def _count_eagerly(self, module: nn.Module, ids: Any, output: Any) -> None:
        if _in_transform():
            # It may be an analysis beside the training, so report it only if nothing else was counted.
            self._in_transform = "the model runs inside a transform of torch.func"
            return
        unclear = is_split(getattr(module, "weight", None)) and not is_split(ids)
        slots = None if unclear else to_slots(own_ids(ids), self._rows)
        why = (_UNCLEAR if unclear else why_unreadable(ids)) if slots is None else None
        self.touched = True
        self._own_time.read_table()
        if self.begun is None:
            self.begun = time.perf_counter()
        if self.fed_positions is None and slots is not None:
            self.fed_positions = _are_positions(slots, ids)
        seen = _Pass(slots, why, module.training)
        outputs = [one for one in tensors_in(output) if one.requires_grad]
        if outputs and self._pending and not in_backward():
            # Their backward pass never reached the table: it was interrupted, or for other gradients.
            self.forget_passes()
        for one in outputs:
            hook_gradient(one, partial(self._join_pass, seen))
        if not outputs and module.training and not in_backward():
            # A frozen table gets no gradient.
            self._passes.append(seen)

    def add_loss(self, module: nn.Module, args: Any, kwargs: Mapping[str, Any], output: Any) -> None:
        """Add the loss that the model has just returned, if any. A forward hook, called with gradients
        enabled. The argument `num_items_in_batch` means that the trainer already divides each loss."""
        self.touched = True
        loss, name = find_loss(output)
        value = None if loss is None else own_scalar(loss.detach())
        if loss is None or value is None:
            return
        divisor = kwargs.get("num_items_in_batch")
        if torch.compiler.is_compiling():
            if module.training:
                self._in_graph = True
                self._loss_sum.add_(value.float())
                self._losses.add_(1)
                self._divided, self.loss_name = divisor is not None, name
            return
        if _in_transform():
            return
        self.loss_name = name
        hook_gradient(loss, partial(self._join_loss, _Loss(value.float(), divisor)))

    def take_batch(self, window: TalliedBatch | None) -> TalliedBatch:
        """Return the counts since the last call, and start the next batch. `window`: the current step's batch
        so far, so that a pass with two backward passes (`retain_graph`) is counted once."""
        known = window.parts if window is not None else ()
        passes = [one for one in self._passes if one.number not in known]
        losses = [one for one in self._reached if one.number not in known]
        counts = self._counts.clone()
        loss_sum = self._loss_sum.clone() if self._in_graph else self._loss_sum
        for one in passes:
            if one.slots is not None:
                counts = counts.to(one.slots.device)
                self._one = self._one.to(one.slots.device)
                counts.index_add_(0, one.slots, self._one.expand_as(one.slots))
        for one in losses:
            loss_sum = loss_sum.to(one.value.device) + one.value
        unreadable = next((one.unreadable for one in passes if one.unreadable is not None), None)
        taken = TalliedBatch(
            counts,
            loss_sum,
            self._losses.to(loss_sum.device) + len(losses),
            losses[-1].divisor is not None if losses else self._divided,
            undivided([one.upstream for one in losses]),
            (self.unreadable_graphs if self._in_graph else None)
            or (unreadable if passes else self._in_transform),
            len(passes) > 0,
            frozenset(one.number for one in (*passes, *losses)),
            any(not one.training for one in passes),
            losses[-1].divisor if losses else None,
        )
        self.forget_passes()
        if self._in_graph:
            # In place, because the graph holds these tensors.
            for tensor in (self._counts, self._loss_sum, self._losses):
                tensor.zero_()
        self.touched = self._in_graph = False
        return taken

    def forget_passes(self) -> None:
        """Forget the passes and losses since the counts were last taken, because they belong to no step."""
        self._passes, self._reached, self._pending, self._in_transform = [], [], False, None

    def _add_pass(self, seen: _Pass, gradient: Tensor) -> None:
        self._own_time.reach_table()
        self._pending = True
        if seen not in self._passes:
            self._passes.append(seen)
        if self.on_reached is not None:
            self.on_reached()

    def _add_returned(self, loss: _Loss, gradient: Tensor) -> None:
        self._pending = True
        if loss not in self._reached:
            loss.upstream = own_scalar(gradient.detach())
            self._reached.append(loss)


def _in_transform() -> bool:
    """Return whether a transform of `torch.func` is running, whose tensors must not leave it."""
    return torch._C._functorch.peek_interpreter_stack() is not None  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]


def in_backward() -> bool:
    """Return whether this thread is inside a backward pass, which recomputes checkpointed activations."""
    return torch._C._current_graph_task_id() != -1  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]


def hook_gradient(tensor: Tensor, hook: Any) -> None:
    # As for the hooks of the weight.
    hook.__torch_unserializable__ = True
    tensor.register_hook(hook)


def _are_positions(slots: Tensor, ids: Any) -> bool:
    """Return whether ids are 0, 1, 2, ... in each row. Waits for the device, once per training."""
    plain = isinstance(ids, Tensor) and not ids.is_nested and ids.ndim
    length = ids.shape[-1] if plain else len(slots)
    if length < 2 or not len(slots) or len(slots) % length:
        return False
    wanted = torch.arange(1, length + 1, device=slots.device)
    return bool((slots.reshape(-1, length) == wanted).all())
