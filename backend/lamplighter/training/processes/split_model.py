"""The model of a run in process 0 of several: it tells the others what to do, and joins what they report."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lamplighter.model.learner import (
    EMBEDDING_KEY,
    Learner,
    LearnerState,
    build_learner,
    keys_of_rows,
    learner_of_state,
    read_state,
)
from lamplighter.model.observer import Observer, RowEffects
from lamplighter.model.split.process_group import CountedGroup
from lamplighter.model.split.split_step import ALL, EMBEDDING, WEIGHTS, collect_state, spread_json
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.exchanges import Exchange, ExchangesWriter, Split
from lamplighter.runfolder.writing.free_space import DISK_FULL_ERRORS
from lamplighter.training.processes.requirements import require_splittable
from lamplighter.training.processes.split_training import KINDS, Command, SplitTraining, take_report, tell
from lamplighter.training.trained_model import ComputedStep
from lamplighter.wire.binary import Floats

_SEALING_SECONDS = 1.0
"""How long readers may hold up the end of training."""


class SplitModel:
    """A model whose rows are split between processes, this being process 0.

    The whole model exists here before it is dealt out, and while it is read: at a keyframe, a checkpoint, a line.
    """

    def __init__(self, run: RunFolder, group: CountedGroup, require_all: Callable[[], None]) -> None:
        """Make room for the parts. `require_all` raises ProcessLostError if a process has ended. Raises
        SplitError if the run cannot be split between so many processes.
        """
        self._recipe, self._vocabulary = run.recipe, len(run.vocabulary)
        require_splittable(self._recipe, group.size, self._vocabulary)
        self._group, self.require_all = group, require_all
        tell(group, Command.BEGIN)
        spread_json(group, {"recipe": self._recipe.model_dump(mode="json"), "vocabulary": self._vocabulary})
        self._training = SplitTraining(self._recipe, self._vocabulary, group)
        self._rows = _JoinedRows(self._training, self._embedding)
        self._whole: Learner | None = None
        self._collected = ALL
        self._dealt = False
        self._writer = ExchangesWriter(run.exchanges_path)
        self._split_told = False
        self.observer: Observer

    def start_afresh(self) -> tuple[Learner, Observer]:
        """Return the whole model in its initial state, with its observer; the next step deals it out as it is then."""
        self._whole = build_learner(self._recipe, self._vocabulary, torch.device("cpu"))
        self._collected, self._dealt = ALL, False
        self.observer = Observer(self._whole, self._recipe.cadence.verify_every, self._rows)
        return self._whole, self.observer

    def whole_learner(self, *, moments: bool = True) -> Learner:
        return self._collect(ALL if moments else WEIGHTS)

    def compute(
        self, step: int, rate: float, host_ids: NDArray[np.int64], ids: Tensor, targets: Tensor
    ) -> ComputedStep:
        """Train on a batch together with the other processes, and observe what the step did."""
        if not self._dealt:
            self._deal()
        self._whole = None
        start = time.perf_counter()
        tell(self._group, Command.STEP, step, rate)
        result = self._training.take_step(rate, torch.cat((ids, targets[:, -1:]), dim=1))
        seconds, ended = time.perf_counter() - start, time.time()
        return ComputedStep(self.observer.observe(step, host_ids, result), ended, seconds)

    def processor_seconds(self) -> float:
        """Return the CPU seconds of all processes, of the others as they reported last."""
        return time.process_time() + sum(self._rows.processor_seconds)

    def note_step(self, attempt: int, step: int) -> None:
        """Write what the processes handed to each other in the step, unless the disk is full."""
        exchange = self._rows.exchange
        if exchange is None:
            return
        with suppress(*DISK_FULL_ERRORS), self._writer.transaction():
            if not self._split_told:
                part, shape = self._training.part, self._recipe.model
                self._writer.begin_split(
                    attempt,
                    step,
                    Split(
                        tuple(part.rows.owners()),
                        self._recipe.sequences,
                        shape.context,
                        shape.dim,
                        part.block_parameters,
                    ),
                )
            self._writer.add_exchange(attempt, step, exchange)
            self._split_told = True

    def close(self) -> None:
        self._writer.close(sealed=True, patience=_SEALING_SECONDS)

    def _deal(self) -> None:
        assert self._whole is not None
        tell(self._group, Command.DEAL)
        self._training.deal(read_state(self._whole), frozenset(keys_of_rows(self._whole)))
        self._dealt = True

    def _embedding(self) -> Floats:
        if self._whole is not None:
            return self._whole.model.embedding.weight.detach().numpy().copy()
        return self._collect_state(EMBEDDING).tensors[EMBEDDING_KEY].numpy()

    def _collect(self, much: int) -> Learner:
        if self._whole is None or self._collected < much:
            self._whole = None
            state = self._collect_state(much)
            self._whole, self._collected = learner_of_state(self._recipe, self._vocabulary, state), much
        return self._whole

    def _collect_state(self, much: int) -> LearnerState:
        tell(self._group, Command.COLLECT, much=much)
        state = collect_state(self._training.part, much)
        assert state is not None
        return state


class _JoinedRows:
    """The rows of all processes, as one matrix."""

    def __init__(self, training: SplitTraining, matrix: Callable[[], Floats]) -> None:
        self._training = training
        self.last_matrix = matrix
        self.exchange: Exchange | None = None
        """What was handed over in the last step."""
        self.processor_seconds = [0.0] * training.group.size
        """The CPU seconds of the other processes."""

    def __len__(self) -> int:
        return self._training.part.rows.starts[-1]

    def copy_again(self) -> None:
        """Do nothing: each process copies its rows when they are dealt out."""

    def observe_rows(self, step: int) -> RowEffects:
        """Return what a step did to the rows of all processes, of which each owner told."""
        training, group = self._training, self._training.group
        own = training.measure(step)
        seen, facts, counted = [own], list[list[float]](), [group.bytes]
        for rank in range(1, group.size):
            rows, told, handed = take_report(training, rank)
            self.processor_seconds[rank] = told.pop()
            seen.append(rows)
            facts.append(told)
            counted.append(handed)
        # Now, because this process waits for the reports too.
        facts.insert(0, [training.part.read, training.part.asked, *training.seconds()])
        read, asked, worked, waited = zip(*facts, strict=True)
        self.exchange = Exchange(
            bytes={kind: sum(one.get(kind, 0) for one in counted) for kind in KINDS},
            read=tuple(map(int, read)),
            asked=tuple(map(int, asked)),
            recorded=(
                sum(len(one.gradient_ids) for one in seen[1:]),
                sum(len(one.moved_ids) for one in seen[1:]),
            ),
            worked=tuple(round(one, 6) for one in worked),
            waited=tuple(round(one, 6) for one in waited),
        )
        group.reset()
        vectors = [one.moved_vectors for one in seen if one.moved_vectors is not None]
        return RowEffects(
            np.concatenate([one.gradient_ids for one in seen]),
            np.concatenate([one.gradient_norms for one in seen]),
            np.concatenate([one.moved_ids for one in seen]),
            np.concatenate([one.moved_distances for one in seen]),
            np.concatenate(vectors) if len(vectors) == len(seen) else None,
            own.verified,
        )
