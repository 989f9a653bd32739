"""The work of a step: its parts add up, 6 N D is compared with the products, and bytes count the updated rows."""

from __future__ import annotations

import pytest
import torch

from lamplighter.contract.recipe import Recipe
from lamplighter.cost.step_work import describe_step_work
from lamplighter.model.learner import build_learner
from tests.support.runs import small_recipe

V = 300


def recipe(**fields: object) -> Recipe:
    return small_recipe(**fields)


def test_parts_add_up() -> None:
    work = describe_step_work(recipe(), V, 20)
    assert sum(layer.forward for layer in work.layers) == work.forward
    assert sum(layer.backward for layer in work.layers) == work.backward
    assert work.update is not None
    assert work.flops == work.forward + work.backward + work.update
    assert 0 < work.products < work.forward + work.backward


def test_definitions_of_n_match_the_model() -> None:
    model = build_learner(recipe(), V, torch.device("cpu")).model
    every = sum(parameter.numel() for parameter in model.parameters())
    table = model.embedding.weight.numel()
    work = describe_step_work(recipe(), V, 20)
    found = {one.counted: one.parameters for one in work.six_nd}
    assert found == {
        "all": every,
        "without_input_table": every - table,
        "without_tables": every - 2 * table - model.positions.weight.numel(),
    }
    for one in work.six_nd:
        assert one.flops == 6 * one.parameters * 32
        assert one.error == pytest.approx((one.flops - work.products) / work.products)


def test_counts_a_tied_table_once() -> None:
    tied = recipe(
        model={"dim": 16, "layers": 1, "heads": 2, "context": 8, "tied": True}, optimiser={"kind": "adam"}
    )
    work = describe_step_work(tied, V, 20)
    assert [one.counted for one in work.six_nd] == ["all", "without_tables"]
    assert work.six_nd[0].parameters - work.six_nd[1].parameters == V * 16 + 8 * 16


@pytest.mark.parametrize(("kind", "rows", "arrays"), [("lazy", 20, 3), ("sgd", 20, 1), ("adam", V, 3)])
def test_bytes_match_the_gradient_and_the_optimisers_state(kind: str, rows: int, arrays: int) -> None:
    work = describe_step_work(recipe(optimiser={"kind": kind}), V, 20.2)
    assert work.update_bytes is not None
    assert (work.update_bytes.rows, work.update_bytes.arrays) == (rows, arrays)
    assert work.update_bytes.touched == rows * 16 * 4 * (1 + 2 * arrays)
    assert work.update_bytes.whole == V * 16 * 4 * (1 + 2 * arrays)


def test_work_is_unknown_without_rows() -> None:
    work = describe_step_work(recipe(), V, None)
    assert work.update is None
    assert work.update_bytes is None
    assert work.flops == work.forward + work.backward
