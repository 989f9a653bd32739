"""Steps that contradict themselves are told from all that training may rightly do."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pytest

from lamplighter.client.recording.step_arguments import GradientRows, StepConsistency
from lamplighter.wire.binary import UInts

V = 1_000
EVERY_ROW = range(V)


def rows(ids: Iterable[int]) -> UInts:
    return np.unique(np.array([*ids], dtype=np.uint32))


def gradient(ids: Iterable[int]) -> GradientRows:
    found = rows(ids)
    return GradientRows(found, np.ones(len(found), dtype=np.float32))


def batches(count: int = 12) -> list[UInts]:
    """Return batches of a text: frequent words are in most of them."""
    choose = np.random.default_rng(0)
    return [rows(np.minimum(choose.zipf(1.4, size=80), V) - 1) for _ in range(count)]


def said(steps: Iterable[tuple[UInts, GradientRows | None, UInts | None]]) -> list[str]:
    check = StepConsistency(V)
    return [message for step in steps if (message := check.find_contradiction(*step)) is not None]


def test_ids_of_the_next_batch_are_found_by_the_gradient_and_by_the_moves() -> None:
    texts = batches()
    pairs = list(pairwise(texts))
    (message,) = said((ahead, gradient(now), rows(now)) for now, ahead in pairs)
    assert "ids of the previous step" in message
    (message,) = said((ahead, None, rows(now)) for now, ahead in pairs)
    assert "moved" in message
    assert "ids of the previous step" in message


def test_ids_that_have_nothing_to_do_with_the_gradient_are_found() -> None:
    (message,) = said((rows([40, 41, 42]), gradient([1, 2, 3]), rows([1, 2, 3])) for _ in range(5))
    assert message.startswith("the gradient has other rows than the ids")


def test_a_gradient_that_moved_nothing_is_found() -> None:
    (message,) = said((rows([1, 2]), gradient([1, 2]), rows([7, 8, 9])) for _ in range(5))
    assert "none of the rows with a gradient moved" in message


def test_two_steps_are_not_enough() -> None:
    odd = (rows([40, 41]), gradient([1, 2]), rows([7]))
    right = (rows([1, 2]), gradient([1, 2]), rows([1, 2]))
    assert said([odd, odd, right] * 3) == []


@pytest.mark.parametrize("text", [batches(), [rows([i % 5, 7]) for i in range(12)]])
def test_right_training_is_never_doubted(text: list[UInts]) -> None:
    choose = np.random.default_rng(1)
    every = rows(EVERY_ROW)
    seen = [rows(np.concatenate(text[: i + 1])) for i in range(len(text))]
    some = rows(choose.choice(V, 30))
    right: dict[str, list[tuple[UInts, GradientRows | None, UInts | None]]] = {
        "sgd": [(b, gradient(b), b) for b in text],
        "sgd without a gradient": [(b, None, b) for b in text],
        "momentum": [(b, gradient(b), s) for b, s in zip(text, seen, strict=True)],
        "momentum without a gradient": [(b, None, s) for b, s in zip(text, seen, strict=True)],
        "weight decay": [(b, gradient(b), every) for b in text],
        "tied": [(b, gradient(EVERY_ROW), every) for b in text],
        "tied, rows of no gradient": [(b, gradient(rows(EVERY_ROW)[b[0] + 1 :]), every) for b in text],
        "sampled softmax": [(b, gradient(np.union1d(b, some)), np.union1d(b, some)) for b in text],
        "another process read more": [(b, gradient(np.union1d(b, a)), every) for a, b in pairwise(text)],
        "half of a batch is masked": [(b, gradient(b[::2]), b[::2]) for b in text],
        "no step size yet": [(b, gradient(b), rows([])) for b in text],
        "a skipped step": [(b, gradient([]), rows([])) for b in text],
        "coarse numbers leave rows": [(b, gradient(b), b[:1]) for b in text],
        "only new rows are trained": [(b, None, rows([V - 1, V - 2])) for b in text],
        "no ids are given": [(rows([]), gradient(b), b) for b in text],
        "moves are not known": [(b, gradient(b), None) for b in text],
    }
    assert {name: found for name, steps in right.items() if (found := said(steps))} == {}
