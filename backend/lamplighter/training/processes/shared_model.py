"""A model that several processes train together with torch's DistributedDataParallel.

Every process has the whole model and reads a run of each batch's sequences; DDP gives all of them the mean of their gradients, so
all apply the same update. Process 0 trains, observes and records as it would alone. It tells the others what to do (`follow`):

- deal: build the model of a recipe, in the state that follows;
- step: train on the own part of the batch that follows, and report its losses and seconds;
- end.

The sums of a step are made in another order than by one process, so its numbers differ from theirs in the last bits.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import timedelta
from enum import IntEnum
from functools import cache
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from lamplighter.contract.recipe import Recipe
from lamplighter.model.learner import Learner, LearnerState, build_learner, read_state, write_state
from lamplighter.model.observer import Observer
from lamplighter.model.step import StepResult, train_step
from lamplighter.model.training_demands import estimate_demands
from lamplighter.platform.worker_limits import bounded_memory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.exchanges import Exchange, ExchangesWriter, ReplicaSplit
from lamplighter.runfolder.writing.free_space import DISK_FULL_ERRORS
from lamplighter.training.processes.group import lost_if_broken
from lamplighter.training.trained_model import ComputedStep, TrainedModel

_SEALING_SECONDS = 1.0
"""How long readers may hold up the end of training."""
_COMMAND_TIMEOUT = timedelta(days=365)
"""A run may be paused for long; a process that has ended is noticed at once all the same."""
_FACTS = 3
"""Numbers that a process reports after a step: seconds worked and waited, CPU seconds so far."""
_TYPES = {str(kind): kind for kind in (torch.float32, torch.int64)}


class _Command(IntEnum):
    END = 0
    DEAL = 1
    STEP = 2


@cache
def _patient_group() -> dist.ProcessGroup:
    """Return the group by which a process waits for the next command; all make it at the first one."""
    group = dist.new_group(timeout=_COMMAND_TIMEOUT, backend="gloo")
    assert isinstance(group, dist.ProcessGroup)
    return group


def _tell(command: _Command, rate: float = 0.0) -> int:
    """Tell the other processes what to do. Return the bytes that each gets."""
    said = torch.tensor([command, rate], dtype=torch.float64)
    dist.broadcast(said, 0, group=_patient_group())
    return said.nbytes


def dismiss() -> None:
    """Tell the other processes that the training is over."""
    _tell(_Command.END)
    _patient_group.cache_clear()


class _Losses(nn.Module):
    """What DDP wraps: a module that gives the losses to train on."""

    def __init__(self, learner: Learner) -> None:
        super().__init__()
        self.model, self._losses = learner.model, learner.training_losses

    def forward(self, ids: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        return self._losses(ids, targets)


class _Replica:
    """The part of one process in the steps of a model."""

    def __init__(self, learner: Learner) -> None:
        self.learner = learner
        self._wrapped = DistributedDataParallel(_Losses(learner))
        learner.model.embedding.register_forward_hook(self._watch)
        self._reached = self._waited = 0.0

    def take_step(self, rate: float, window: Tensor) -> tuple[StepResult, list[float]]:
        """Train on the own sequences of a batch, of which `window` has the tokens and next tokens, shape (B, T + 1).
        Return the result, with the losses of the own tokens, and the seconds worked and waited.
        """
        self.learner.set_learning_rate(rate)
        began = time.perf_counter()
        result = train_step(self.learner, window[:, :-1], window[:, 1:], self._compute)
        return result, [time.perf_counter() - began - self._waited, self._waited]

    def _compute(self, ids: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        rank, size = dist.get_rank(), dist.get_world_size()
        own = ids.tensor_split(size)[rank]
        loss, token_losses = self._wrapped(own, targets.tensor_split(size)[rank])
        # DDP takes the mean of the processes, which may have different numbers of sequences.
        (loss * (len(own) * size / len(ids))).backward()
        self._waited = time.perf_counter() - self._reached
        return loss, token_losses

    def _watch(self, _module: nn.Module, _arguments: object, output: Tensor) -> None:
        # The embedding's gradient is the last to be computed: what follows is waiting for the others.
        if output.requires_grad:
            output.register_hook(self._reach)

    def _reach(self, _gradient: Tensor) -> None:
        self._reached = time.perf_counter()


class SharedModel(TrainedModel):
    """The model of a run in process 0 of several."""

    def __init__(self, run: RunFolder, require_all: Callable[[], None]) -> None:
        """`require_all` raises ProcessLostError if a process has ended."""
        super().__init__(run, torch.device("cpu"))
        self._require_all = require_all
        self._size = dist.get_world_size()
        self._replica: _Replica | None = None
        self._processor_seconds = [0.0] * self._size
        self._dealt = 0
        self._exchange: Exchange | None = None
        self._writer = ExchangesWriter(run.exchanges_path)
        self._split_told = False

    def start_afresh(self) -> tuple[Learner, Observer]:
        """Return the model in its initial state, with its observer; the next step deals it out as it is then."""
        self._replica = None
        return super().start_afresh()

    def compute(
        self, step: int, rate: float, host_ids: NDArray[np.int64], ids: Tensor, targets: Tensor
    ) -> ComputedStep:
        """Train on a batch together with the other processes, and observe what the step did."""
        with lost_if_broken():
            if self._replica is None:
                self._dealt += _tell(_Command.DEAL) + _deal(self.recipe, len(self.vocabulary), self.learner)
                self._replica = _Replica(self.learner)
            start = time.perf_counter()
            window = torch.cat((ids, targets[:, -1:]), dim=1)
            batch_bytes = _tell(_Command.STEP, rate) + window.nbytes
            dist.broadcast(window, 0)
            own, (worked, _) = self._replica.take_step(rate, window)
            losses, seconds, record_bytes = self._take_reports(own.token_losses, window)
        took, ended = time.perf_counter() - start, time.time()
        # This process waits also until the others have taken the batch, and for their reports.
        seconds.insert(0, [worked, took - worked])
        others = self._size - 1
        self._exchange = Exchange(
            bytes={"batch": batch_bytes * others, "record": record_bytes, "transfer": self._dealt * others},
            read=tuple(len(part.unique()) for part in ids.tensor_split(self._size)),
            asked=(0,) * self._size,
            recorded=(0, 0),
            worked=tuple(round(one[0], 6) for one in seconds),
            waited=tuple(round(one[1], 6) for one in seconds),
        )
        self._dealt = 0
        loss = losses.mean(dtype=torch.float64).float()
        result = StepResult(loss, losses, own.clip_scale, own.gradient_norms)
        return ComputedStep(self.observer.observe(step, host_ids, result), ended, took)

    def _take_reports(self, own: Tensor, window: Tensor) -> tuple[Tensor, list[list[float]], int]:
        """Return the losses of all tokens, the seconds worked and waited of each other process, and the bytes of the
        reports.
        """
        losses, seconds, size = [own], list[list[float]](), 0
        for rank, part in enumerate(window.tensor_split(self._size)[1:], start=1):
            facts = torch.empty(_FACTS, dtype=torch.float64)
            found = torch.empty(part[:, 1:].numel(), dtype=own.dtype)
            dist.recv(facts, rank)
            dist.recv(found, rank)
            *told, self._processor_seconds[rank] = facts.tolist()
            seconds.append(told)
            losses.append(found)
            size += facts.nbytes + found.nbytes
        return torch.cat(losses), seconds, size

    def processor_seconds(self) -> float:
        """Return the CPU seconds of all processes, of the others as they reported last."""
        return time.process_time() + sum(self._processor_seconds)

    def note_step(self, attempt: int, step: int) -> None:
        """Write what the processes handed to each other in the step, unless the disk is full."""
        if self._exchange is None:
            return
        with suppress(*DISK_FULL_ERRORS), self._writer.transaction():
            if not self._split_told:
                shape = self.recipe.model
                parts = ((0, len(self.vocabulary), 0, shape.dim),) * self._size
                self._writer.begin_split(
                    attempt, step, ReplicaSplit(parts, self.recipe.sequences, shape.context)
                )
            self._writer.add_exchange(attempt, step, self._exchange)
            self._split_told = True

    def require_all(self) -> None:
        """Check that every process that trains is alive. Raises ProcessLostError if one has ended."""
        self._require_all()

    def close(self) -> None:
        """Close what was opened for the record."""
        self._writer.close(sealed=True, patience=_SEALING_SECONDS)


def follow() -> None:
    """Do what process 0 tells until it says that it is over. Raises ProcessLostError if another process has
    ended.
    """
    replica: _Replica | None = None
    window = torch.empty(0)
    # What importing took is not training.
    began = time.process_time()
    with ExitStack() as limits, lost_if_broken():
        while True:
            said = torch.empty(2, dtype=torch.float64)
            dist.broadcast(said, 0, group=_patient_group())
            command, rate = said.tolist()
            if command == _Command.END:
                _patient_group.cache_clear()
                return
            if command == _Command.DEAL:
                replica, window = _take_deal(limits)
                continue
            assert replica is not None, "process 0 deals before it steps"
            dist.broadcast(window, 0)
            result, seconds = replica.take_step(rate, window)
            facts = [*seconds, time.process_time() - began]
            dist.send(torch.tensor(facts, dtype=torch.float64), 0)
            dist.send(result.token_losses, 0)


def _deal(recipe: Recipe, vocabulary: int, learner: Learner) -> int:
    """Give the other processes a copy of a learner. Return the bytes that each gets."""
    state = read_state(learner)
    text = json.dumps(
        {
            "recipe": recipe.model_dump(mode="json"),
            "vocabulary": vocabulary,
            "tensors": [(name, list(one.shape), str(one.dtype)) for name, one in state.tensors.items()],
            "numbers": state.numbers,
        }
    ).encode()
    sent = [
        torch.tensor([len(text)]),
        torch.frombuffer(bytearray(text), dtype=torch.uint8),
        *(one.detach() for one in state.tensors.values()),
    ]
    for tensor in sent:
        dist.broadcast(tensor, 0)
    return sum(tensor.nbytes for tensor in sent)


def _take_deal(limits: ExitStack) -> tuple[_Replica, Tensor]:
    """Return the replica that process 0 deals, and room for a batch, within limits of memory."""
    size = torch.empty(1, dtype=torch.int64)
    dist.broadcast(size, 0)
    text = torch.empty(int(size), dtype=torch.uint8)
    dist.broadcast(text, 0)
    told: dict[str, Any] = json.loads(text.numpy().tobytes())
    recipe, vocabulary = Recipe.model_validate(told["recipe"]), int(told["vocabulary"])
    limits.close()
    limits.enter_context(bounded_memory(estimate_demands(recipe, vocabulary).memory_bytes))
    torch.set_num_threads(recipe.threads)
    learner = build_learner(recipe, vocabulary, torch.device("cpu"))
    tensors: dict[str, Tensor] = {}
    for name, shape, kind in told["tensors"]:
        tensors[name] = torch.empty(shape, dtype=_TYPES[kind])
        dist.broadcast(tensors[name], 0)
    write_state(learner, LearnerState(tensors, told["numbers"]))
    return _Replica(learner), torch.empty(recipe.sequences, recipe.model.context + 1, dtype=torch.int64)
