"""The loss in a model's output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from torch import Tensor


def find_loss(output: Any) -> tuple[Tensor | None, str | None]:
    """Return the loss in a model's output, and its place there.

    Args:
        output: a tensor; or a tuple, a list, a mapping or an object, whose part called "loss" is the loss, otherwise its
            first scalar. A scalar without a gradient is not a loss but a metric.

    Returns:
        The loss, and a description of its place if it is not called loss; (None, None) if there is none.
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
