"""The kind *devices*: the summed gradients of the parts equal those of the whole batch, and the formula
counts what is sent.
"""

from __future__ import annotations

import copy
import sys
import threading
from typing import Any

import pytest
import torch
from torch import Tensor

from lamplighter.contract.questions import DevicesQuestion, QuestionError
from lamplighter.examination.answering import UnanswerableError
from lamplighter.examination.examined_model import CancelledError
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
