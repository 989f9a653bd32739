"""The collectives of one process of several, each counted by its kind and timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import reduce

import torch
import torch.distributed as dist
from torch import Tensor

STEP_TIMEOUT = timedelta(minutes=30)
"""How long a process waits for the others within a step before it gives them up for lost."""
_COMMAND_TIMEOUT = timedelta(days=365)
"""A run may be paused for long; a process that has ended is noticed at once all the same."""


class ProcessLostError(Exception):
    """Raised when a process no longer answers: the step that was being computed is lost, and nothing before it."""


class CountedGroup:
    """A process group of torch.distributed that counts the bytes that its process hands to others, once for each that gets
    them."""

    def __init__(self) -> None:
        """Use the default group, which is initialised; every process makes its objects in the same order."""
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self.bytes: dict[str, int] = {}
        """The bytes handed over since the last `reset`, by kind."""
        self.waited = 0.0
        """The seconds spent in collectives since the last `reset`."""
        with self._waiting():
            commands = dist.new_group(timeout=_COMMAND_TIMEOUT, backend="gloo")
        assert isinstance(commands, dist.ProcessGroup)
        self._commands = commands

    def reset(self) -> None:
        self.bytes, self.waited = {}, 0.0

    def exchange(self, kind: str, parts: Sequence[Tensor], sizes: Sequence[int]) -> list[Tensor]:
        """Hand `parts[r]` to each process r. `kind`: the kind to count; `parts`: one tensor for each process,
        equal in all but the first dimension; `sizes`: the lengths of what each process hands to this one.
        Returns what each process handed over.
        """
        given = torch.cat(list(parts))
        taken = given.new_empty((sum(sizes), *given.shape[1:]))
        self._count(kind, *(part for rank, part in enumerate(parts) if rank != self.rank))
        with self._waiting():
            dist.all_to_all_single(taken, given, list(sizes), [len(part) for part in parts])
        return list(taken.split(list(sizes)))

    def add_up(self, kind: str, tensor: Tensor) -> Tensor:
        """Replace a tensor by its sum over all processes, added in their order, and return it.

        The order of an all-reduce is its backend's own; this one can be repeated anywhere.
        """
        return self._combine(kind, tensor, torch.add)

    def take_largest(self, kind: str, tensor: Tensor) -> Tensor:
        """Replace the numbers of a tensor by the largest of all processes, and return it."""
        return self._combine(kind, tensor, torch.maximum)

    def _combine(self, kind: str, tensor: Tensor, join: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        pieces = tensor.flatten().tensor_split(self.size)
        own = self.exchange(kind, pieces, [len(pieces[self.rank])] * self.size)
        joined = self.exchange(kind, [reduce(join, own)] * self.size, [len(piece) for piece in pieces])
        return tensor.copy_(torch.cat(joined).view_as(tensor))

    def spread(self, kind: str, tensor: Tensor, *, patient: bool = False) -> Tensor:
        """Replace a tensor by that of process 0, and return it; a `patient` process waits for it as long as it takes."""
        if self.rank == 0:
            self._count(kind, *[tensor] * (self.size - 1))
        with self._waiting():
            dist.broadcast(tensor, 0, group=self._commands if patient else None)
        return tensor

    def give(self, kind: str, tensor: Tensor, target: int) -> None:
        """Hand a tensor to another process."""
        self._count(kind, tensor)
        with self._waiting():
            dist.send(tensor.contiguous(), target)

    def fetch(self, tensor: Tensor, source: int) -> Tensor:
        """Fill a tensor, which is contiguous, with what another process gives, and return it."""
        with self._waiting():
            dist.recv(tensor, source)
        return tensor

    def _count(self, kind: str, *tensors: Tensor) -> None:
        handed = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        self.bytes[kind] = self.bytes.get(kind, 0) + handed

    @contextmanager
    def _waiting(self) -> Generator[None]:
        start = time.perf_counter()
        try:
            yield
        except RuntimeError as error:
            raise ProcessLostError(str(error).partition("\n")[0]) from error
        finally:
            self.waited += time.perf_counter() - start
