"""Arguments that a loop may give for a step, and refusals of the rest. Tensors are torch's; the rest is numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from lamplighter.client.errors import InputError
from lamplighter.client.matrix_diff import to_matrix
from lamplighter.client.recording.step_arguments import (
    count_batch_rows,
    find_gradient_rows,
    read_gradient_norms,
    to_float32_scalar,
)

V, D = 6, 3


def test_places_without_a_token_are_counted_apart() -> None:
    batch = count_batch_rows(torch.tensor([[2, -100, 5], [2, 0, -100]]), V)
    assert (batch.token_ids.tolist(), batch.counts.tolist()) == ([0, 2, 5], [1, 2, 1])
    assert count_batch_rows([-100], V).token_ids.tolist() == []
    with pytest.raises(InputError, match="-1 is not a token id from 0 to 5"):
        count_batch_rows([-1, -100], V)


def test_norms_of_rows_are_taken_as_they_are_or_by_id() -> None:
    values = np.array([0, 2.5, 0, np.nan, 0, 1], dtype=np.float64)
    dense = read_gradient_norms(torch.tensor(values), V)
    listed = read_gradient_norms((np.array([5, 1, 0, 3]), [1, 2.5, 0, np.nan]), V)
    for found in (dense, listed):
        assert found.token_ids.tolist() == [1, 3, 5]
        np.testing.assert_array_equal(found.norms, np.float32([2.5, np.nan, 1]))
    assert read_gradient_norms(([], []), V).token_ids.tolist() == []


@pytest.mark.parametrize(
    ("norms", "message"),
    [
        (np.ones(V - 1), "one norm for each of the 6 rows"),
        (np.ones((V, D)), "one norm for each of the 6 rows"),
        (-np.ones(V), "0 or more"),
        (([1, 1], [1.0, 2.0]), "each once"),
        (([V], [1.0]), "from 0 to 5"),
        (([-1], [1.0]), "from 0 to 5"),
        (([1, 2], [1.0]), "equally many norms"),
        (([1.5], [1.0]), "whole ids"),
        (torch.ones(V, device="meta"), "meta device"),
        ("many", "one norm for each"),
    ],
)
def test_norms_that_cannot_be_meant_are_refused(norms: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_gradient_norms(norms, V)


def test_a_gradient_gives_its_rows() -> None:
    dense = torch.zeros(V, D)
    dense[4] = torch.tensor([3.0, 0, 4])
    for given in (dense, dense.numpy(), dense.to_sparse(1), dense.to(torch.bfloat16)):
        found = find_gradient_rows(given, V, D)
        assert (found.token_ids.tolist(), found.norms.tolist()) == ([4], [5.0])


@pytest.mark.parametrize(
    ("gradient", "message"),
    [
        ([[1.0] * D] * V, "gradient: a tensor or an array is needed, not list"),
        (np.ones((V, D + 1)), r"shape \(6, 4\); the embedding's is \(6, 3\)"),
        (np.ones((V + 1, D)), r"shape \(7, 3\)"),
        (np.ones(V), r"shape \(6,\)"),
        (np.ones((V, D), dtype=np.int64), "matrix of numbers"),
        (torch.ones(V, D, device="meta"), "meta device"),
    ],
)
def test_a_gradient_that_cannot_be_meant_is_refused(gradient: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        find_gradient_rows(gradient, V, D)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (torch.ones(4), r"loss: one number is needed, and this has shape \(4,\): give its mean"),
        ("high", "loss: one number is needed, not str"),
        (torch.ones((), device="meta"), "meta device"),
        ({}, "loss: one number is needed, not dict"),
    ],
)
def test_a_loss_is_one_number(loss: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        to_float32_scalar(loss, "loss")


def test_a_loss_may_be_unknown_or_wrapped() -> None:
    assert np.isnan(to_float32_scalar(None, "loss"))
    for one in (
        1.5,
        np.float64(1.5),
        torch.tensor(1.5, requires_grad=True),
        torch.tensor([[1.5]]),
        np.array([1.5]),
    ):
        assert to_float32_scalar(one, "loss") == 1.5


@pytest.mark.parametrize(
    ("embedding", "message"),
    [
        (torch.ones(V, D, device="meta"), "meta device"),
        (torch.nn.Linear(D, V, bias=False, device="meta"), "meta device"),
        (torch.nn.Sequential(torch.nn.Embedding(V, D)), "model.embedding.weight"),
    ],
)
def test_an_embedding_that_cannot_be_meant_is_refused(embedding: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        to_matrix(embedding)
