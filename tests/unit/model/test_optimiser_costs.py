"""The cost of an update is the same everywhere, and matches the optimisers."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch

from lamplighter.claims.evidence import Evidence, PulseFigures
from lamplighter.claims.rules.rows import find_affordable
from lamplighter.contract.recipe import OptimiserKind
from lamplighter.cost.step_work import describe_step_work
from lamplighter.model.flops import OPTIMISER_COSTS, count_step_flops, count_update_bytes, count_update_flops
from lamplighter.model.learner import build_learner
from lamplighter.model.step import train_step
from tests.support.runs import small_recipe

V, ROWS, WIDTH = 300, 20, 16
KINDS: tuple[OptimiserKind, ...] = get_args(OptimiserKind)


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_match_the_optimisers_state(kind: OptimiserKind) -> None:
    learner = build_learner(small_recipe(optimiser={"kind": kind}), V, torch.device("cpu"))
    ids = torch.arange(8)[None]
    train_step(learner, ids, ids)
    weight = learner.model.embedding.weight
    kept = [optimiser.state[weight] for optimiser in learner.optimisers if weight in optimiser.state]
    averages = [
        value for state in kept for value in state.values() if getattr(value, "shape", None) == weight.shape
    ]
    assert OPTIMISER_COSTS[kind].arrays == 1 + len(averages)


def test_bytes_count_one_gradient_read_and_array_reads_and_writes() -> None:
    assert [count_update_bytes(kind, 10) for kind in ("lazy", "adam", "sgd")] == [280, 280, 120]


def claimed(kind: OptimiserKind) -> dict[str, float | None]:
    """Return the figures of the claim that updates are cheap, of a step that updated `ROWS`."""
    unknown, known = np.full(1, np.nan), np.full(1, float(ROWS))
    pulses = PulseFigures(
        steps=np.ones(1, dtype=np.int64),
        batch_rows=known,
        gradient_rows=known,
        moved_rows=known,
        moved_sleepers=unknown,
        verified=np.ones(1, dtype=np.bool_),
        lit_distance=unknown,
        least_norm=unknown,
        most_norm=unknown,
        seconds=unknown,
        recorded=1,
    )
    found = find_affordable(
        Evidence(step=1, examined_step=1, rows=V, width=WIDTH, optimiser=kind, pulses=pulses)
    )
    return {figure.code: figure.value for figure in (*found.figures, found.null) if figure}


@pytest.mark.parametrize("kind", ["lazy", "sgd"])
def test_claim_and_run_cost_agree_on_an_update(kind: OptimiserKind) -> None:
    recipe = small_recipe(optimiser={"kind": kind})
    told = describe_step_work(recipe, V, ROWS).update_bytes
    assert told is not None
    assert (told.touched, told.whole) == (
        count_update_bytes(kind, ROWS * WIDTH),
        count_update_bytes(kind, V * WIDTH),
    )
    figures = claimed(kind)
    assert figures["bytes_of_the_update"] == told.touched
    assert figures["bytes_of_updating_every_row"] == told.whole
    more = count_step_flops(recipe, V, ROWS + 1).update - count_step_flops(recipe, V, ROWS).update
    assert more == count_update_flops(kind, WIDTH)
