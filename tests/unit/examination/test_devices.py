"""The kind *devices*: the summed gradients of the parts equal those of the whole batch, and the formula
counts what is sent.

The examiner's pauses during training: just enough to keep the steps nearly as fast as before.
The kind *batch sizes*: a small batch reads few rows, a large one nearly all.
"""

from __future__ import annotations

import copy
import sys
import threading
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from lamplighter.contract.questions import BatchSizesQuestion, DevicesQuestion, QuestionError
from lamplighter.examination.examined_model import CancelledError, UnanswerableError
from lamplighter.examination.examiner import CpuBackoff
from lamplighter.examination.kinds import batch_sizes
from lamplighter.examination.kinds.batch_sizes import examine
from lamplighter.examination.kinds.devices import examination
from lamplighter.examination.kinds.devices.shared_step import (
    PROCESSES,
    CountedCollective,
    Gradients,
    compute_gradients,
    exchange_rows,
    exchange_whole,
    part_of_batch,
    row_bytes,
    whole_bytes,
)
from tests.support.village import STEPS, Village, ignore_progress, stored

TABLE = "embedding.weight"


class ThreadCollective:
    """A collective of threads of this process, which meet at a barrier."""

    def __init__(self, rank: int, shared: dict[str, Any]) -> None:
        self.rank, self.size, self._shared = rank, PROCESSES, shared

    def add_up(self, tensor: Tensor) -> None:
        self._shared["tensors"][self.rank] = tensor.clone()
        self._shared["barrier"].wait()
        tensor.copy_(sum(self._shared["tensors"].values()))  # pyright: ignore[reportArgumentType]
        self._shared["barrier"].wait()

    def broadcast(self, tensor: Tensor, source: int) -> None:
        if source == self.rank:
            self._shared["tensors"][source] = tensor.clone()
        self._shared["barrier"].wait()
        tensor.copy_(self._shared["tensors"][source])
        self._shared["barrier"].wait()


def share(village: Village, *, lazy: bool) -> tuple[Gradients, list[Gradients], list[int], list[int]]:
    """Return the gradients of one process, those of each of two, the bytes each counted, and its rows."""
    model = village.examined()
    _, ids, targets = model.batches.batch(STEPS + 1)
    single = compute_gradients(copy.deepcopy(model.learner.model), ids, targets, 1.0)
    shared: dict[str, Any] = {"barrier": threading.Barrier(PROCESSES, timeout=20), "tensors": {}}
    found: dict[int, tuple[Gradients, int, int]] = {}

    def work(rank: int) -> None:
        own_ids, own_targets = (part_of_batch(batch, rank, PROCESSES) for batch in (ids, targets))
        own = compute_gradients(
            copy.deepcopy(model.learner.model), own_ids, own_targets, len(own_ids) / len(ids)
        )
        counted, rows = CountedCollective(ThreadCollective(rank, shared)), own_ids.unique()
        summed = exchange_rows(own, TABLE, rows, counted) if lazy else exchange_whole(own, counted)
        found[rank] = summed, counted.bytes, len(rows)

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(PROCESSES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    each = [found[rank] for rank in range(PROCESSES)]
    return single, [one[0] for one in each], [one[1] for one in each], [one[2] for one in each]


@pytest.mark.parametrize("lazy", [False, True])
def test_shared_parts_sum_to_the_whole_gradient_and_send_the_bytes_of_the_formula(
    village: Village, lazy: bool
) -> None:
    single, each, counted, rows = share(village, lazy=lazy)
    for summed in each:
        assert summed.keys() == single.keys()
        for name, gradient in single.items():
            torch.testing.assert_close(summed[name], gradient, rtol=1e-4, atol=1e-6)
    model = village.learner().model
    parameters = sum(parameter.numel() for parameter in model.parameters())
    vocabulary, dim = model.embedding.weight.shape
    if lazy:
        assert counted == [row_bytes(parameters, vocabulary, dim, number) for number in rows]
        assert max(counted) < whole_bytes(parameters)
    else:
        assert counted == [whole_bytes(parameters)] * PROCESSES


def test_a_step_that_cannot_be_shared_is_refused(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "MAX_PARAMETERS", 10)
    with pytest.raises(QuestionError, match="too large to be copied: at most 10"):
        examination.examine(village.examined(), DevicesQuestion(step=STEPS), ignore_progress)
    monkeypatch.setattr(examination, "MAX_PARAMETERS", 1_000_000)
    with monkeypatch.context() as patch:
        patch.setattr(examination, "LOOPBACK", {})
        with pytest.raises(QuestionError, match="on Linux and macOS only"):
            examination.examine(village.examined(), DevicesQuestion(step=STEPS), ignore_progress)
    monkeypatch.setattr(examination, "PROCESSES", 9)
    with pytest.raises(QuestionError, match="cannot be shared"):
        examination.examine(village.examined(), DevicesQuestion(step=STEPS), ignore_progress)


def test_failing_processes_say_so_and_a_cancelled_questions_processes_end(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(examination, "_command", lambda *_: [sys.executable, "-c", "raise SystemExit(7)"])
        with pytest.raises(UnanswerableError, match="could not share the step: it was ended"):
            examination.examine(village.examined(STEPS - 1), DevicesQuestion(step=STEPS), ignore_progress)

    def cancel(part: float, activity: str) -> None:
        if part > 0.1:
            raise CancelledError

    before = threading.active_count()
    with pytest.raises(CancelledError):
        examination.examine(village.examined(STEPS - 1), DevicesQuestion(step=STEPS), cancel)
    assert threading.active_count() == before


@pytest.mark.tour
def test_two_processes_measure_the_formulas_bytes(village: Village) -> None:
    answer = stored(
        examination.examine(village.examined(STEPS - 1), DevicesQuestion(step=STEPS), ignore_progress)
    )
    measured = answer["measured"]
    assert measured["dense_bytes"] == answer["formula"]["dense_bytes"]
    assert measured["lazy_bytes"] == answer["formula"]["lazy_bytes"]
    assert measured["difference"] < 1e-5 * max(1, measured["largest"])
    assert set(measured["exchange_seconds"]) == {"dense", "lazy"}
    assert answer["sequences"] == [4, 4]
    assert max(answer["rows"]) <= answer["rows_together"] <= sum(answer["rows"])


USUAL = 0.04
PIECE = 0.05
"""Seconds of work between two pauses."""


class Machine:
    """A machine on which work beside the training slows its steps."""

    def __init__(self, slower: float, training: bool = True) -> None:
        self.now, self.step, self.slower, self.training = 100.0, 500, slower, training
        self.working = 0.0
        """The share of the last second spent on work."""

    def clock(self) -> float:
        return self.now

    def read(self) -> tuple[int, list[float]]:
        return self.step, [USUAL * (1 + (self.slower - 1) * self.working)] * 24

    def examine(self, backoff: CpuBackoff, seconds: float) -> float:
        """Return the share of pauses in the second half of `seconds` of work, pauses included."""
        backoff.begin_work()
        paused, begun = 0.0, self.now
        while self.now < begun + seconds:
            self.now += PIECE
            pause = backoff.pause()
            self.working = PIECE / (PIECE + pause)
            if self.now > begun + seconds / 2:
                paused += pause
            self.now += pause
            self.step += self.training
        return paused / (seconds / 2)


def test_without_a_slowdown_there_are_no_pauses() -> None:
    machine = Machine(slower=1.05)
    assert machine.examine(CpuBackoff(machine.read, machine.clock), 20) == 0


def test_steps_that_would_be_half_slower_stay_nearly_as_fast() -> None:
    machine = Machine(slower=1.5)
    share = machine.examine(CpuBackoff(machine.read, machine.clock), 60)
    assert 0.6 < share < 0.9
    assert 1 + 0.5 * (1 - share) < 1.2


def test_an_idle_run_causes_no_pauses() -> None:
    machine = Machine(slower=1.5, training=False)
    assert machine.examine(CpuBackoff(machine.read, machine.clock), 20) == 0


def test_the_usual_duration_is_measured_again_after_an_idle_while() -> None:
    machine = Machine(slower=1.5)
    backoff = CpuBackoff(machine.read, machine.clock)
    machine.examine(backoff, 30)
    machine.now, machine.working, machine.slower = machine.now + 60, 0.0, 1.0
    assert machine.examine(backoff, 60) == 0


def test_without_a_record_there_are_no_pauses() -> None:
    machine = Machine(slower=2)
    assert machine.examine(CpuBackoff(lambda: (0, []), machine.clock), 10) == 0


def ask(village: Village, step: int) -> list[dict[str, Any]]:
    answer = stored(examine(village.examined(0), BatchSizesQuestion(step=step), ignore_progress))
    assert answer["vocabulary"] == len(village.run.vocabulary)
    assert answer["batch_tokens"] == village.run.recipe.batch_tokens
    return answer["sizes"]


def test_the_batches_are_the_runs_own_in_order(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    own = village.run.recipe.batch_tokens
    # Less than one batch, one batch and a part of the next, and four of them.
    monkeypatch.setattr(batch_sizes, "SIZES", (own // 2, own + 5, 4 * own))
    text = np.concatenate([village.examined(0).batches.batch(step)[0].reshape(-1) for step in range(8, 12)])
    sizes = ask(village, step=7)
    assert [size["rows"] for size in sizes] == [
        len(np.unique(text[:length])) for length in (own // 2, own + 5, 4 * own)
    ]
    assert ask(village, step=8) != sizes


def test_a_large_batch_touches_nearly_all_rows_and_the_claim_fails(village: Village) -> None:
    sizes = ask(village, step=0)
    assert [size["tokens"] for size in sizes] == [512, 2_048, 8_192, 32_768, 131_072]
    shares = [size["share"] for size in sizes]
    assert shares == sorted(shares)
    # All but `<unk>`, which the text does not have.
    assert sizes[-1]["rows"] == len(village.run.vocabulary) - 1
    assert all(0 < size["alone"] <= 1 for size in sizes)
