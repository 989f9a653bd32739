"""The effect of a step on a weight, computed on the weight's device.

The copy for comparison stays there too. The host gets V numbers per step, and the moved rows only if they are few.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lamplighter.client.matrix_diff import ChangedRows
from lamplighter.wire.binary import Floats

_BLOCK = {"cpu": 1 << 18}
"""Numbers compared at once, by kind of device: on a processor as many as fit in its cache."""
_BLOCK_ELSEWHERE = 1 << 24


class DeferredRead:
    """Tensors being copied to the host. Starting the copy does not wait; reading them does."""

    def __init__(self, **tensors: Tensor | None) -> None:
        given = {name: tensor for name, tensor in tensors.items() if tensor is not None}
        self._events: dict[torch.device, torch.cuda.Event] = {}
        self._host: dict[str, Tensor] = {}
        for name, tensor in given.items():
            if tensor.is_cuda:
                target = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
                self._host[name] = target.copy_(tensor, non_blocking=True)
                self._events[tensor.device] = torch.cuda.Event()
            else:
                self._host[name] = tensor.cpu()
        for device, event in self._events.items():
            event.record(torch.cuda.current_stream(device))

    def to_host(self) -> dict[str, Tensor]:
        """Return the tensors in host memory, by name, without those that were None."""
        for event in self._events.values():
            event.synchronize()
        return self._host


class WeightDiff:
    """A copy of a weight, shape (V, D), from the last comparison, as float32 on its device; read into host
    memory."""

    def __init__(self, weight: Tensor) -> None:
        self._copy = weight.detach().to(torch.float32, copy=True).contiguous()
        self._copied: torch.cuda.Event | None = None
        self._note_copied()

    def _note_copied(self) -> None:
        if self._copy.is_cuda:
            self._copied = torch.cuda.Event()
            self._copied.record(torch.cuda.current_stream(self._copy.device))

    @property
    def shape(self) -> tuple[int, int]:
        rows, width = self._copy.shape
        return rows, width

    @property
    def matrix(self) -> Floats:
        return self._to_host(lambda: self._copy)

    def compare(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return whether each row's bits differ from the copy, shape (V,), and its distance, shape (V,), both
        on the device; and update the copy. Does not wait for the device."""
        now_all, copy = weight.detach(), self._copy
        if copy.device != now_all.device:
            copy = self._copy = copy.to(now_all.device)
        rows, width = copy.shape
        block = max(1, _BLOCK.get(copy.device.type, _BLOCK_ELSEWHERE) // width)
        moved = torch.empty(rows, dtype=torch.bool, device=copy.device)
        distances = torch.empty(rows, dtype=torch.float32, device=copy.device)
        for start in range(0, rows, block):
            now, old = now_all[start : start + block].float(), copy[start : start + block]
            moved[start : start + block] = (now.view(torch.int32) != old.view(torch.int32)).any(dim=1)
            torch.linalg.vector_norm(now - old, dim=1, out=distances[start : start + block])
            old.copy_(now)
        self._note_copied()
        return moved, distances

    def changed_rows(self, moved: Tensor, distances: Tensor) -> ChangedRows:
        """Return the results of `compare`, in host memory, in the form for a recorder: with the vectors if at
        most half of the rows moved."""
        ids = np.flatnonzero(moved.numpy())
        vectors = None
        if 2 * len(ids) <= len(moved):
            vectors = self.vectors(ids)
        return ChangedRows(ids.astype(np.uint32), distances.numpy()[ids], vectors)

    def vectors(self, ids: NDArray[np.intp]) -> Floats:
        return self._to_host(lambda: self._copy[torch.from_numpy(ids).to(self._copy.device)])

    def _to_host(self, read: Callable[[], Tensor]) -> Floats:
        if not self._copy.is_cuda:
            return cast(Floats, read().cpu().numpy())
        # On a separate stream, so that it waits for the copy and not for the current step.
        stream = torch.cuda.Stream(self._copy.device)
        if self._copied is not None:
            stream.wait_event(self._copied)
        with torch.cuda.stream(stream):
            return cast(Floats, read().cpu().numpy())


def row_norms(gradient: Tensor, scale: Tensor | float | None = None) -> Tensor:
    """Return the norms of a gradient's rows, shape (V,), dense or sparse, divided by `scale`; NaN stays NaN."""
    if gradient.is_sparse:
        gradient = gradient.detach().coalesce()
        norms = torch.zeros(gradient.shape[0], dtype=torch.float32, device=gradient.device)
        found = torch.linalg.vector_norm(gradient.values().float(), dim=1)
        norms.index_copy_(0, gradient.indices()[0], found)
    else:
        # Half-precision values are summed as float32 without a copy of the whole gradient.
        wide = None if gradient.dtype is torch.float64 else torch.float32
        norms = torch.linalg.vector_norm(gradient.detach(), dim=1, dtype=wide).float()
    return norms if scale is None else norms / scale
