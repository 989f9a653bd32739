"""The ids that a module looked up, from arguments of any kind, and the tensors in its output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, cast

import torch
from torch import Tensor

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
