"""The operations of a step by formula, against torch's counter and the model's tensors.

The memory of training estimated from a recipe, against measured trainers on a CPU.
The cost of an update is the same everywhere, and matches the optimisers.
"""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from lamplighter.claims.evidence import Evidence, PulseFigures
from lamplighter.claims.rules.rows import find_affordable
from lamplighter.contract.recipe import ModelRecipe, OptimiserKind, OptimiserRecipe, Recipe
from lamplighter.cost.step_work import describe_step_work
from lamplighter.model.flops import (
    OPTIMISER_COSTS,
    count_softmax_flops,
    count_step_flops,
    count_update_bytes,
    count_update_flops,
    list_operations,
)
from lamplighter.model.learner import build_learner
from lamplighter.model.sampled_softmax import NegativeSampler
from lamplighter.model.step import train_step
from lamplighter.model.training_demands import estimate_demands
from lamplighter.model.transformer import Transformer
from tests.support.runs import small_recipe

V, SEQUENCES = 60, 2
SHAPES = [
    ModelRecipe(dim=16, layers=2, heads=2, context=8),
    ModelRecipe(dim=8, layers=1, heads=4, context=128),
    ModelRecipe(dim=12, layers=1, heads=1, context=5, tied=True),
    ModelRecipe(dim=12, layers=1, heads=1, context=5, negatives=7),
]


def training_loss(transformer: Transformer, ids: Tensor) -> Tensor:
    """Return the loss of a training step: of a sampled softmax where the shape has one."""
    draws = transformer.shape.negatives
    if draws is None:
        return transformer(ids, ids)
    candidates = NegativeSampler(np.ones(V, np.int64), draws, seed=0).draw(ids, ids)
    return transformer.sampled_losses(ids, candidates)[0]


def counted_by_torch(model: ModelRecipe) -> tuple[int, int]:
    """Return what torch counts forward, and forward and backward together."""
    transformer = Transformer(model, V, sparse=False)
    ids = torch.randint(0, V, (SEQUENCES, model.context))
    # The counter does not know the attention kernel that a CPU uses.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        loss = training_loss(transformer, ids)
        forward = counter.get_total_flops()
        loss.backward()
    return forward, counter.get_total_flops()


@pytest.mark.parametrize("model", SHAPES)
def test_matrix_products_match_torchs_counter(model: ModelRecipe):
    recipe = Recipe(
        model=model, optimiser=OptimiserRecipe(kind="adam"), sequences=SEQUENCES, passages=SEQUENCES
    )
    flops = count_step_flops(recipe, V, rows=V)
    forward, both = counted_by_torch(model)
    assert flops.forward_products == forward
    assert flops.forward_products + flops.backward_products == both


class CountedProducts(TorchDispatchMode):
    """A mode that counts the matrix products computed by torch: batched ones once, and by pair."""

    def __init__(self) -> None:
        super().__init__()
        self.together = self.apart = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = func.overloadpacket.__name__
        if name in ("mm", "addmm", "bmm"):
            self.together += 1
            self.apart += args[0].shape[0] if name == "bmm" else 1
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("model", SHAPES)
def test_number_of_products_matches_torch(model: ModelRecipe):
    transformer = Transformer(model, V, sparse=False)
    ids = torch.randint(0, V, (SEQUENCES, model.context))
    with sdpa_kernel(SDPBackend.MATH), CountedProducts() as counted:
        training_loss(transformer, ids).backward()
    work = describe_step_work(
        Recipe(model=model, optimiser=OptimiserRecipe(kind="adam"), sequences=SEQUENCES, passages=SEQUENCES),
        V,
        V,
    )
    assert (work.product_count, work.product_count_apart) == (counted.together, counted.apart)


def test_attention_is_a_tenth_of_the_products_at_a_long_context():
    operations = list_operations(ModelRecipe(context=128), 2_271, 4)
    products = [operation for operation in operations if operation.is_product]
    attention = sum(o.forward for o in products if o.name.startswith("attention:"))
    assert 0.1 < attention / sum(o.forward for o in products) < 0.2


def test_shapes_match_the_tensors():
    shape = SHAPES[0]
    transformer = Transformer(shape, V, sparse=True)
    seen: dict[str, list[tuple[int, ...]]] = {}

    def note(name: str, output: Tensor) -> None:
        seen.setdefault(name, []).append(tuple(output.shape))

    names = {
        "embedding": "embedding lookup",
        "norm": "layer norm",
        "attention_norm": "layer norm",
        "mlp_norm": "layer norm",
        "queries_keys_values": "query, key and value product",
        "project": "projection",
        "widen": "widen",
        "narrow": "narrow",
        "unembedding": "unembedding",
    }
    for path, module in transformer.named_modules():
        if (name := names.get(path.rsplit(".", 1)[-1])) is not None:

            def hook(_module: nn.Module, _inputs: tuple[Tensor, ...], y: Tensor, name: str = name) -> None:
                note(name, y)

            module.register_forward_hook(hook)
    ids = torch.zeros((SEQUENCES, shape.context), dtype=torch.long)
    transformer(ids, ids)
    listed: dict[str, list[tuple[int, ...]]] = {}
    for operation in list_operations(shape, V, SEQUENCES):
        if operation.name in seen:
            listed.setdefault(operation.name, []).append(operation.output)
    assert listed == seen
    assert len(seen) == 7


def test_every_layer_of_the_model_has_operations():
    for model in SHAPES:
        layers = [operation.layer for operation in list_operations(model, V, SEQUENCES)]
        expected = list(Transformer(model, V, sparse=False).layers())
        # Once each, in the order of data flow; a tied model comes back to its embedding.
        assert list(dict.fromkeys(layers)) == [*expected, "loss"]


def test_a_sampled_softmax_updates_the_rows_it_read():
    shape = ModelRecipe(dim=16, heads=2, context=8, negatives=40)
    recipe = Recipe(model=shape, sequences=4, passages=4)
    numbers = shape.parameter_count(2_271) - (2_271 - 20) * 16 - (2_271 - 4 * 8 - 40) * 16
    assert count_step_flops(recipe, 2_271, rows=20).update == 15 * numbers


def test_default_step_matches_the_measurement():
    flops = count_step_flops(Recipe(), 2_271, rows=165)
    assert (flops.forward_products + flops.backward_products) / 1e6 == pytest.approx(773.7, abs=0.1)


def test_a_lazy_update_counts_only_rows_with_a_gradient():
    lazy, dense = Recipe(), Recipe(optimiser=OptimiserRecipe(kind="adam"))
    rows = 165
    numbers = lazy.model.parameter_count(2_271) - (2_271 - rows) * lazy.model.dim
    assert count_step_flops(lazy, 2_271, rows).update == 15 * numbers
    assert count_step_flops(dense, 2_271, rows).update == 16 * lazy.model.parameter_count(2_271)
    assert count_step_flops(dense, 2_271, 1) == count_step_flops(dense, 2_271, rows)


def test_cost_of_predicting_matches_the_last_operations():
    model = ModelRecipe(dim=16, context=8)
    last = [
        operation
        for operation in list_operations(model, 50, 4)
        if operation.name in ("unembedding", "softmax and cross-entropy")
    ]
    assert len(last) == 2
    assert count_softmax_flops(16, 50, 4 * 8) == sum(each.forward + each.backward for each in last)


LAMPTOWN_TOKENS = 2_271


@pytest.mark.parametrize(
    ("changes", "peak"),
    [
        ({}, 387e6),
        ({"model": {"dim": 512, "layers": 6, "heads": 8, "context": 64}}, 896e6),
        ({"sequences": 64, "passages": 16, "model": {"dim": 256, "layers": 8, "context": 256}}, 3_322e6),
        ({"optimiser": {"kind": "adam"}, "model": {"dim": 1_024, "layers": 2}}, 989e6),
        ({"sequences": 128, "passages": 16, "model": {"context": 256}}, 1_569e6),
    ],
)
def test_memory_matches_measured_trainers(changes: dict[str, Any], peak: float) -> None:
    """The peaks are resident set sizes of `lamplighter train` on Lamptown for six steps."""
    demands = estimate_demands(Recipe.model_validate(changes), LAMPTOWN_TOKENS)
    assert 0.8 < demands.memory_bytes / peak < 1.25


def test_estimates_the_largest_recipe() -> None:
    largest = Recipe.model_validate(
        {
            "threads": 256,
            "sequences": 256,
            "passages": 256,
            "model": {"dim": 1_280, "layers": 64, "heads": 64, "context": 4_096},
        }
    )
    demands = estimate_demands(largest, 200_000)
    assert demands.threads == 256
    assert demands.memory_bytes > 1e12


OPTIMISER_COSTS_V, ROWS, WIDTH = 300, 20, 16
KINDS: tuple[OptimiserKind, ...] = get_args(OptimiserKind)


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_match_the_optimisers_state(kind: OptimiserKind) -> None:
    learner = build_learner(small_recipe(optimiser={"kind": kind}), OPTIMISER_COSTS_V, torch.device("cpu"))
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
        Evidence(step=1, examined_step=1, rows=OPTIMISER_COSTS_V, width=WIDTH, optimiser=kind, pulses=pulses)
    )
    return {figure.code: figure.value for figure in (*found.figures, found.null) if figure}


@pytest.mark.parametrize("kind", ["lazy", "sgd"])
def test_claim_and_run_cost_agree_on_an_update(kind: OptimiserKind) -> None:
    recipe = small_recipe(optimiser={"kind": kind})
    told = describe_step_work(recipe, OPTIMISER_COSTS_V, ROWS).update_bytes
    assert told is not None
    assert (told.touched, told.whole) == (
        count_update_bytes(kind, ROWS * WIDTH),
        count_update_bytes(kind, OPTIMISER_COSTS_V * WIDTH),
    )
    figures = claimed(kind)
    assert figures["bytes_of_the_update"] == told.touched
    assert figures["bytes_of_updating_every_row"] == told.whole
    more = (
        count_step_flops(recipe, OPTIMISER_COSTS_V, ROWS + 1).update
        - count_step_flops(recipe, OPTIMISER_COSTS_V, ROWS).update
    )
    assert more == count_update_flops(kind, WIDTH)
