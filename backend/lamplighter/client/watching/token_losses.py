"""The largest losses of single tokens in a step, kept on the device until the step is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamplighter.client.errors import InputError
from lamplighter.client.watching.batch_tally import Guard, hook_gradient, ids_argument, plain_ids, tensors_in
from lamplighter.wire.row_frames import NEVER
from lamplighter.wire.top_losses import MAX_KEPT, MAX_WINDOW, TopLosses

_SHAPES = "log_losses: losses, inputs and targets are tensors of one shape, (sequences, tokens), not {}"


class TokenLosses:
    """The largest losses of the current step, of all its passes. A pass that gets no gradient belongs to no
    step.

    Args:
        rows: the rows of the table, V.
        is_due: tells whether the current step is recorded.
        is_skipped: tells whether the losses so far are of a step that no optimiser took.
        guard: wraps each hook on a tensor.
    """

    def __init__(
        self, rows: int, is_due: Callable[[], bool], is_skipped: Callable[[], bool], guard: Guard
    ) -> None:
        self._rows, self._is_due, self._is_skipped = rows, is_due, is_skipped
        self._join = guard(self._add_logits)
        self._ids: Tensor | None = None
        self._tokens = 0
        self._kept: tuple[Tensor, Tensor, Tensor] | None = None

    @property
    def tokens(self) -> int:
        return self._tokens

    def note_ids(self, module: nn.Module, args: Any, kwargs: Mapping[str, Any], output: Any) -> None:
        """Note the ids that the table's module looks up. A forward hook."""
        if not torch.compiler.is_compiling():
            self._ids = plain_ids(ids_argument(args, kwargs))

    def add_output(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any], output: Any
    ) -> None:
        """Add the losses by the logits that the model has just returned, once these get a gradient. A forward hook.

        The targets are the model's `labels` (of the same tokens), or its `targets` (of the next ones), or else the ids.
        """
        if torch.compiler.is_compiling() or not (module.training and self._is_due()):
            return
        ids, self._ids = self._ids, None
        logits = _logits_in(output)
        if (
            ids is None
            or logits is None
            or ids.ndim != 2
            or logits.shape[:2] != ids.shape
            or ids.shape[1] < 2
            or not logits.requires_grad
        ):
            return
        given = _arguments(module, args, kwargs)
        targets = next(
            (given[name] for name in ("targets", "target", "y") if _is_like(given.get(name), ids)), None
        )
        if targets is None:
            labels = given["labels"] if _is_like(given.get("labels"), ids) else ids
            hook_gradient(logits, partial(self._join, logits.detach()[:, :-1], ids[:, :-1], labels[:, 1:]))
        else:
            hook_gradient(logits, partial(self._join, logits.detach(), ids, targets))

    def _add_logits(self, logits: Tensor, ids: Tensor, targets: Tensor, gradient: Tensor) -> None:
        targets = targets.to(device=logits.device, dtype=torch.int64)
        flat = targets.flatten()
        wrong = (flat < 0) | (flat >= logits.shape[2])
        losses = F.cross_entropy(logits.flatten(0, 1).float(), flat.masked_fill(wrong, 0), reduction="none")
        self.add_losses(losses.masked_fill(wrong, -torch.inf).view_as(targets), ids, targets)

    @torch.no_grad()
    def add_losses(self, losses: Any, inputs: Any, targets: Any) -> None:
        """Add the losses of a pass, in nats. All are of shape (B, T); `targets` is below 0 where nothing was
        to be predicted. Raises InputError."""
        given = losses, inputs, targets
        if not all(isinstance(one, Tensor) and one.ndim == 2 and one.shape == losses.shape for one in given):
            raise InputError(
                _SHAPES.format(", ".join(str(tuple(getattr(one, "shape", ()))) for one in given))
            )
        if self._kept is not None and self._is_skipped():
            self.take_largest()
        losses, inputs = losses.detach().float(), inputs.to(losses.device)
        targets = targets.to(losses.device)
        largest, flat = losses.flatten().topk(min(MAX_KEPT, losses.numel()))
        sequence, position = flat // losses.shape[1], flat % losses.shape[1]
        places = position[:, None] + torch.arange(2 - MAX_WINDOW, 1, device=losses.device)
        before = torch.where(places < 0, -1, inputs[sequence[:, None], places.clamp(min=0)].to(torch.int64))
        windows = torch.cat((before, targets[sequence, position][:, None].to(torch.int64)), dim=1)
        found = largest, flat + self._tokens, windows
        self._tokens += losses.numel()
        if self._kept is not None:
            both = [torch.cat(pair) for pair in zip(self._kept, found, strict=True)]
            best = both[0].topk(min(MAX_KEPT, len(both[0]))).indices
            found = both[0][best], both[1][best], both[2][best]
        self._kept = found

    def take_largest(self) -> dict[str, Tensor]:
        """Return the losses of the step, by name, for a `DeferredRead`, and start the next step."""
        kept, self._kept, self._tokens = self._kept, None, 0
        return (
            {} if kept is None else dict(zip(("top_losses", "top_places", "top_windows"), kept, strict=True))
        )

    def read_largest(self, host: Mapping[str, Tensor]) -> TopLosses | None:
        """Return the losses of a step that were taken, once they are in host memory; None if it has none."""
        if "top_losses" not in host:
            return None
        losses = host["top_losses"].numpy()
        kept = np.flatnonzero(np.isfinite(losses))
        if not len(kept):
            return None
        windows = host["top_windows"].numpy()[kept]
        known = (windows >= 0) & (windows < self._rows)
        places = host["top_places"].numpy()[kept].astype(np.uint32)
        return TopLosses(places, losses[kept], np.where(known, windows, NEVER).astype(np.uint32))


def _arguments(module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return inspect.signature(module.forward).bind_partial(*args, **kwargs).arguments | dict(kwargs)
    except (TypeError, ValueError):
        return dict(kwargs)


def _is_like(value: Any, ids: Tensor) -> bool:
    return isinstance(value, Tensor) and value.shape == ids.shape and not value.is_floating_point()


def _logits_in(output: Any) -> Tensor | None:
    """Return the logits in a model's output, shape (B, T, V); None if there are none."""
    named = output.get("logits") if isinstance(output, Mapping) else getattr(output, "logits", None)
    found = [named] if isinstance(named, Tensor) else tensors_in(output)
    return next((one for one in found if one.ndim == 3 and one.is_floating_point()), None)
