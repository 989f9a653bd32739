"""The gradient of a step from the loss to the embedding, and its arithmetic."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch

from lamplighter.examination.kinds.microscope.one_step import (
    EXPLODING_FACTOR,
    VANISHING_SHARE,
    describe_river,
)
from lamplighter.examination.kinds.microscope.predictions import retake_step
from lamplighter.model.batch_reader import BatchReader
from tests.unit.examination.retaken import (
    CPU,
    SHAPE,
    ask,
    dense,
    learner_at,
    model_at,
)


def test_an_output_is_the_sum_of_its_products(trained: Any) -> None:
    answer = ask(trained("lazy"), 3, sequence=1)
    linear = answer["linear"]
    w, x = (np.array(linear[name], dtype=np.float32).astype(np.float64) for name in "wx")
    assert linear["sum"] == pytest.approx(float(w @ x) + linear["b"], abs=1e-15)
    assert abs(linear["difference"]) < 1e-6
    assert linear["y"] - linear["sum"] == linear["difference"]
    assert linear["y"] > 0
    # The output of the model before the step, whose weights the update then changed.
    model = learner_at(trained("lazy"), 2).model
    block: Any = model.blocks[0]
    assert linear["w"] == pytest.approx(block.mlp.widen.weight[linear["output"]].tolist())


def test_the_river_runs_from_the_loss_to_the_embedding_unclipped(trained: Any) -> None:
    run, step = trained("lazy"), 4
    river = ask(run, step)["river"]
    learner = learner_at(run, step - 1)
    _, ids, targets = BatchReader(run.recipe, run.token_ids, CPU).batch(step)
    for parameter in learner.model.parameters():
        parameter.grad = None
    learner.model(ids, targets).backward()
    norms = {
        layer: float(torch.stack([dense(p.grad).norm() for p in parameters]).norm())
        for layer, parameters in learner.model.layers().items()
    }
    assert [part["layer"] for part in river["layers"]] == list(reversed(norms))
    for part in river["layers"]:
        assert part["norm"] == pytest.approx(norms[part["layer"]], rel=1e-4)
        assert part["flag"] is None
    assert river["norm"] == pytest.approx(math.hypot(*norms.values()), rel=1e-4)
    assert river["clip_scale"] == pytest.approx(min(1, river["clip_norm"] / river["norm"]), rel=1e-4)


def test_a_gradient_that_vanishes_or_explodes_is_flagged(trained: Any) -> None:
    retaken = retake_step(model_at(trained("lazy"), 3))
    limit = retaken.after.clip_norm
    norms = np.full(len(retaken.layers), limit, dtype=np.float32)
    norms[1] = limit * EXPLODING_FACTOR * 1.01
    norms[2] = norms[1] * VANISHING_SHARE * 0.99
    norms[3] = norms[1] * VANISHING_SHARE * 1.01
    observation = dataclasses.replace(retaken.observation, layer_norms=norms)
    river = describe_river(dataclasses.replace(retaken, observation=observation))
    flags = {part.layer: part.flag for part in river.layers if part.flag}
    assert flags == {retaken.layers[1]: "exploding", retaken.layers[2]: "vanishing"}


def test_the_operations_are_this_models_and_add_up(trained: Any) -> None:
    run = trained("lazy")
    operations = ask(run, 2)["operations"]
    forward, totals = operations["forward"], operations["totals"]
    assert sum(o["forward"] for o in forward) == totals["forward"]
    assert sum(o["backward"] for o in forward if o["is_product"]) == totals["backward_products"]
    assert forward[0]["name"] == "embedding lookup"
    assert tuple(forward[0]["inputs"][1]) == (len(run.vocabulary), SHAPE["dim"])
    # Four in attention with its scores and values, two in the MLP, twice; then the unembedding.
    assert sum(o["is_product"] for o in forward) == 2 * 6 + 1
