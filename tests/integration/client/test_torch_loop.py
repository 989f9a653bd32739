"""Real torch loops, written without knowledge of Lamplighter, become runs by one call per step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import lamplighter
from lamplighter.wire.pulse_frames import Pulse

V, D = 60, 8
TOKENS = [f"word{i}" for i in range(V)]

OnStep = Callable[[nn.Embedding, torch.Tensor, torch.Tensor], None]


def train(on_step: OnStep, optimiser: str, steps: int, *, sparse: bool) -> nn.Embedding:
    """Train next-word prediction in the usual way; `on_step` is the only addition."""
    torch.manual_seed(0)
    embedding = nn.Embedding(V, D, sparse=sparse)
    head = nn.Linear(D, V)
    if sparse:
        optimisers: list[torch.optim.Optimizer] = [
            torch.optim.SparseAdam(list(embedding.parameters()), lr=0.01),
            torch.optim.Adam(head.parameters(), lr=0.01),
        ]
    else:
        kind: Any = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[optimiser]
        optimisers = [kind([*embedding.parameters(), *head.parameters()], lr=0.01)]
    on_step(embedding, torch.empty(0), torch.empty(0))
    for _ in range(steps):
        ids = torch.randint(0, V // 2, (4, 3)) * torch.randint(1, 3, (1,))
        for one in optimisers:
            one.zero_grad()
        loss = nn.functional.cross_entropy(head(embedding(ids)).flatten(0, 1), ids.roll(1, 1).flatten())
        loss.backward()
        for one in optimisers:
            one.step()
        on_step(embedding, ids, loss)
    return embedding


@pytest.mark.parametrize(("optimiser", "sparse"), [("sparse adam", True), ("sgd", False), ("adam", False)])
def test_a_loop_becomes_a_run_bit_for_bit(optimiser: str, sparse: bool, tmp_path: Path) -> None:
    kept: list[np.ndarray[Any, Any]] = []
    losses: list[float] = []
    gradients: list[np.ndarray[Any, Any]] = []
    recorder: lamplighter.Recorder | None = None

    def on_step(embedding: nn.Embedding, ids: torch.Tensor, loss: torch.Tensor) -> None:
        nonlocal recorder
        kept.append(embedding.weight.detach().numpy().copy())
        if recorder is None:
            recorder = lamplighter.record(
                tmp_path / "mine", TOKENS, embedding=embedding.weight, keyframe_every=20
            )
            return
        gradient = embedding.weight.grad
        assert gradient is not None
        recorder.step(embedding.weight, ids, loss, learning_rate=0.01, gradient=gradient)
        losses.append(loss.item())
        gradients.append(gradient.to_dense().norm(dim=1).numpy())

    last = train(on_step, optimiser, 50, sparse=sparse)
    assert recorder is not None
    recorder.close()
    run = lamplighter.open(tmp_path / "mine")
    assert run.snapshot_steps().tolist() == list(range(51))
    for step in range(51):
        assert run.snapshot(step).tobytes() == kept[step].tobytes()
    assert run.snapshot().tobytes() == last.weight.detach().numpy().tobytes()
    for step, pulse in enumerate(run.steps(), start=1):
        changed = np.flatnonzero((kept[step] != kept[step - 1]).any(axis=1))
        np.testing.assert_array_equal(pulse.moved_ids, changed)
        np.testing.assert_array_equal(pulse.gradient_ids, np.flatnonzero(gradients[step - 1]))
        np.testing.assert_allclose(pulse.gradient_norms, gradients[step - 1][pulse.gradient_ids], rtol=1e-5)
        assert pulse.loss == pytest.approx(losses[step - 1])
        assert set(pulse.gradient_ids) <= set(pulse.batch_ids)
        assert len(pulse.layer_norms) == 1
    assert step == 50
    assert run.recipe.corpus.kind == "recorded"


def test_half_precision_is_kept_as_float32(tmp_path: Path) -> None:
    weight = nn.Parameter(torch.randn(V, D).to(torch.bfloat16))
    with lamplighter.record(tmp_path / "mine", TOKENS, embedding=weight) as recorder:
        with torch.no_grad():
            weight[5] += 1
        recorder.step(weight, torch.tensor([5]), torch.tensor(1.5, requires_grad=True))
    run = lamplighter.open(tmp_path / "mine")
    np.testing.assert_array_equal(run.snapshot(1), weight.detach().float().numpy())
    (pulse,) = run.steps()
    assert isinstance(pulse, Pulse)
    assert pulse.moved_ids.tolist() == [5]
    assert pulse.loss == 1.5
    assert np.isnan(pulse.learning_rate)
