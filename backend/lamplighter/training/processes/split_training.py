"""What each process of a run does, told by process 0: take a step, give or take rows.

`follow` is the loop of the others. Process 0 makes the same calls (`split_model.py`), each after telling them.
"""

from __future__ import annotations

import struct
import time
from contextlib import ExitStack
from enum import IntEnum

import numpy as np
import torch
from torch import Tensor

from lamplighter.contract.recipe import Recipe
from lamplighter.model.learner import LearnerState
from lamplighter.model.observer import RowEffects, RowObserver
from lamplighter.model.split.process_group import CountedGroup
from lamplighter.model.split.split_step import SplitLearner, collect_state, deal_state, spread_json
from lamplighter.model.step import StepResult
from lamplighter.model.training_demands import estimate_demands
from lamplighter.platform.worker_limits import bounded_memory
from lamplighter.runfolder.tables.exchanges import COMMAND_NUMBERS, FORMULAS, REPORT_NUMBERS

KINDS = (*FORMULAS, "transfer")
_FACTS = 8
assert _FACTS + len(KINDS) == REPORT_NUMBERS


class Command(IntEnum):
    """What process 0 tells the others to do."""

    END = 0
    BEGIN = 1
    """Make room for a model; its recipe follows."""
    DEAL = 2
    STEP = 3
    """Train on the batch that follows, and report."""
    COLLECT = 4


def tell(group: CountedGroup, command: Command, step: int = 0, rate: float = 0.0, much: int = 0) -> None:
    """Tell the other processes what to do."""
    bits = struct.unpack("<q", struct.pack("<d", rate))[0]
    kind = "batch" if command == Command.STEP else "transfer"
    group.spread(kind, torch.tensor([command, step, bits, much]), patient=True)


class SplitTraining:
    """The part of one process in a run."""

    def __init__(self, recipe: Recipe, vocabulary: int, group: CountedGroup) -> None:
        """Make room for the part. Raises ValueError if the run cannot be split."""
        torch.set_num_threads(recipe.threads)
        self.group, self._recipe, self._vocabulary = group, recipe, vocabulary
        self.part = SplitLearner(recipe, vocabulary, group)
        self._began = self._waited = 0.0
        # What importing took is not training.
        self._processor_start = time.process_time()
        self._offset = self.part.rows.starts[group.rank]
        self._rows: RowObserver | None = None

    def deal(self, state: LearnerState | None = None, keys: frozenset[str] = frozenset()) -> None:
        """Put the own part of a state into the model; process 0 gives the whole of it."""
        deal_state(self.part, state, set(keys))
        embedding = self.part.learner.model.embedding
        self._rows = RowObserver(embedding, self._recipe.cadence.verify_every, self._vocabulary)

    def take_step(self, rate: float, window: Tensor | None = None) -> StepResult:
        """Train on a batch, of which process 0 gives the tokens and next tokens, shape (B, T + 1)."""
        if window is None:
            window = torch.empty(self._recipe.sequences, self._recipe.model.context + 1, dtype=torch.int64)
        self._waited, self._began = self.group.waited, time.perf_counter()
        window = self.group.spread("batch", window)
        self.part.learner.set_learning_rate(rate)
        return self.part.take_step(window[:, :-1], window[:, 1:])

    def seconds(self) -> tuple[float, float]:
        """Return the seconds since the step began that this process computed, and those that it spent in collectives."""
        waited = self.group.waited - self._waited
        return time.perf_counter() - self._began - waited, waited

    def _processor_seconds(self) -> float:
        return time.process_time() - self._processor_start

    def measure(self, step: int) -> RowEffects:
        """Measure what the step did to the own rows, by their numbers in the whole matrix."""
        assert self._rows is not None
        seen = self._rows.observe_rows(step)
        offset = np.uint32(self._offset)
        return RowEffects(
            seen.gradient_ids + offset,
            seen.gradient_norms,
            seen.moved_ids + offset,
            seen.moved_distances,
            seen.moved_vectors,
            seen.verified,
        )

    def report(self, step: int) -> None:
        """Give process 0 what the step did to the own rows, and what was counted."""
        seen, group = self.measure(step), self.group
        vectors = seen.moved_vectors
        facts = [
            *(len(seen.gradient_ids), len(seen.moved_ids), vectors is not None),
            *(self.part.read, self.part.asked, *self.seconds(), self._processor_seconds()),
            *(group.bytes.get(kind, 0) for kind in KINDS),
        ]
        group.give("record", torch.tensor(facts, dtype=torch.float64), 0)
        ids = np.concatenate((seen.gradient_ids, seen.moved_ids)).astype(np.int64)
        group.give("record", torch.from_numpy(ids), 0)
        numbers = [
            seen.gradient_norms,
            seen.moved_distances,
            *([] if vectors is None else [vectors.reshape(-1)]),
        ]
        group.give("record", torch.from_numpy(np.concatenate(numbers)), 0)
        group.reset()


@torch.no_grad()
def take_report(training: SplitTraining, source: int) -> tuple[RowEffects, list[float], dict[str, int]]:
    """Return what another process reports: its rows, `(read, asked, worked, waited, processor seconds)`, bytes by kind."""
    group, dim = training.group, training.part.learner.model.shape.dim
    told = group.fetch(torch.empty(REPORT_NUMBERS, dtype=torch.float64), source).tolist()
    with_gradient, moved, whole = int(told[0]), int(told[1]), bool(told[2])
    ids = group.fetch(torch.empty(with_gradient + moved, dtype=torch.int64), source).numpy().astype(np.uint32)
    size = with_gradient + moved + (moved * dim if whole else 0)
    numbers = group.fetch(torch.empty(size), source).numpy()
    norms, distances, vectors = np.split(numbers, [with_gradient, with_gradient + moved])
    seen = RowEffects(
        ids[:with_gradient],
        norms,
        ids[with_gradient:],
        distances,
        vectors.reshape(moved, dim) if whole else None,
        verified=True,
    )
    counted = {kind: int(value) for kind, value in zip(KINDS, told[_FACTS:], strict=True)}
    # What is on its way to the record is counted here, where it arrives.
    counted["record"] += 8 * (REPORT_NUMBERS + len(ids)) + 4 * size
    return seen, told[3:_FACTS], counted


def follow(group: CountedGroup) -> None:
    """Do what process 0 tells until it says that it is over. Raises ProcessLostError if another process has
    ended.
    """
    with ExitStack() as limits:
        training: SplitTraining | None = None
        while (command := _next_command(group))[0] != Command.END:
            kind, step, rate, much = command
            if kind == Command.BEGIN:
                told = spread_json(group, None)
                recipe, vocabulary = Recipe.model_validate(told["recipe"]), int(told["vocabulary"])
                training = None
                limits.enter_context(bounded_memory(estimate_demands(recipe, vocabulary).memory_bytes))
                training = SplitTraining(recipe, vocabulary, group)
                continue
            assert training is not None, "process 0 begins before anything else"
            match kind:
                case Command.DEAL:
                    training.deal()
                case Command.STEP:
                    training.take_step(rate)
                    training.report(step)
                case _:
                    collect_state(training.part, much)


def _next_command(group: CountedGroup) -> tuple[Command, int, float, int]:
    kind, step, bits, much = group.spread(
        "batch", torch.empty(COMMAND_NUMBERS, dtype=torch.int64), patient=True
    ).tolist()
    return Command(kind), step, struct.unpack("<d", struct.pack("<q", bits))[0], much
