"""Loops as people write them, unchanged but for one line: what is recorded equals what they did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import lamplighter
from tests.unit.client.watching.plain_loop import train
from tests.unit.client.watching.small_model import TOKENS, OwnRecord, SmallModel, batch


@pytest.mark.parametrize("set_to_none", [True, False])
@pytest.mark.parametrize("gradient", ["as_used", "before_clipping"])
def test_a_loop_with_the_habits_of_nanogpt(watched: Any, tmp_path: Path, gradient: str, set_to_none: bool):
    model = SmallModel()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    watcher = watched(model, gradient=gradient)
    own = OwnRecord(model.wte.weight)
    ids = batch()
    for step in range(6):
        if step % 2 == 0:
            model.eval()
            with torch.no_grad():
                model(batch(), batch())
            model.train()
        read, losses = [], []
        for _ in range(3):
            _, loss = model(ids, ids)
            assert loss is not None
            read.append(ids)
            losses.append(loss.item())
            ids = batch()  # The next batch is there before this one's backward pass.
            (loss / 3).backward()
        if gradient == "before_clipping":
            own.note_gradient()
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        if gradient == "as_used":
            own.note_gradient()
        optimizer.step()
        optimizer.zero_grad(set_to_none=set_to_none)
        own.note_step(read, float(np.mean(losses)))
    watcher.close()
    own.assert_equals(tmp_path / "mine")
    rates = {round(pulse.learning_rate, 6) for pulse in lamplighter.open(tmp_path / "mine").steps()}
    assert rates == {0.01}


def test_sparse_moves_are_kept_bit_for_bit(watched: Any, tmp_path: Path):
    model = SmallModel(tied=False, sparse=True)
    others = [one for one in model.parameters() if one is not model.wte.weight]
    optimizers = [torch.optim.SGD([model.wte.weight], lr=0.1), torch.optim.Adam(others, lr=0.01)]
    watcher = watched(model)
    own = OwnRecord(model.wte.weight)
    for _ in range(5):
        ids = batch(1)
        _, loss = model(ids, ids)
        assert loss is not None
        loss.backward()
        own.note_gradient()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        own.note_step([ids], loss.item())
    watcher.close()
    own.assert_equals(tmp_path / "mine")
    assert lamplighter.open(tmp_path / "mine").snapshot_steps().tolist() == list(range(6))


@pytest.mark.parametrize("set_to_none", [True, False])
@pytest.mark.parametrize("fused", [True, False])
def test_a_step_that_the_scaler_skips_is_no_step_and_leaves_no_ids(
    watched: Any, tmp_path: Path, fused: bool, set_to_none: bool
):
    model = SmallModel()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    watcher = watched(model)
    own = OwnRecord(model.wte.weight)
    for step in range(6):
        ids = batch()
        _, loss = model(ids, ids)
        assert loss is not None
        skipped = step in (0, 3)
        scaler.scale(loss * (torch.inf if skipped else 1)).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        if not skipped:
            own.note_gradient()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=set_to_none)
        if not skipped:
            own.note_step([ids], loss.item())
    watcher.close()
    own.assert_equals(tmp_path / "mine")


def test_a_fused_optimiser_that_unscales_by_itself(watched: Any, tmp_path: Path):
    model = SmallModel()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, fused=True)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    watcher = watched(model)
    own = OwnRecord(model.wte.weight)
    ids = batch()
    _, loss = model(ids, ids)
    assert loss is not None
    scaler.scale(loss).backward()
    assert model.wte.weight.grad is not None
    own.norms.append((model.wte.weight.grad / 1024.0).norm(dim=1).numpy())
    scaler.step(optimizer)
    own.note_step([ids], loss.item())
    watcher.close()
    own.assert_equals(tmp_path / "mine")


def test_before_clipping_is_refused_with_a_scaler(watched: Any):
    model = SmallModel()
    optimizer = torch.optim.AdamW(model.parameters())
    scaler = torch.amp.GradScaler("cpu")
    watched(model, gradient="before_clipping")
    ids = batch()
    scaler.scale(model(ids, ids)[1]).backward()
    with pytest.raises(lamplighter.InputError, match="is impossible with a GradScaler"):
        scaler.step(optimizer)


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpointing_computes_twice_and_reads_once(watched: Any, tmp_path: Path, reentrant: bool):
    class Checkpointed(SmallModel):
        def forward(self, ids: torch.Tensor, targets: torch.Tensor | None = None) -> Any:
            # With a weight that needs a gradient among the inputs, so that the reentrant kind has one.
            bound = torch.zeros((), requires_grad=True)
            hidden = checkpoint(lambda x, _: self.mid(self.wte(x)), ids, bound, use_reentrant=reentrant)
            logits = self.head(hidden)
            return {
                "loss": nn.functional.cross_entropy(logits.flatten(0, 1), ids.flatten()),
                "logits": logits,
            }

    model = Checkpointed()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watcher = watched(model)
    own = OwnRecord(model.wte.weight)
    for _ in range(3):
        ids = batch()
        loss = model(ids)["loss"]
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        own.note_step([ids], loss.item())
    watcher.close()
    own.assert_equals(tmp_path / "mine")


def test_a_closure_computes_the_gradient_within_the_step(watched: Any, tmp_path: Path):
    model = SmallModel()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    watcher = watched(model)
    own = OwnRecord(model.wte.weight)
    for _ in range(3):
        ids = batch()

        def closure() -> float:
            optimizer.zero_grad()
            _, loss = model(ids, ids)  # noqa: B023
            assert loss is not None
            loss.backward()
            own.note_gradient()
            return loss.item()

        loss = optimizer.step(closure)
        assert isinstance(loss, float)
        own.note_step([ids], loss)
    watcher.close()
    own.assert_equals(tmp_path / "mine")


def test_every_third_step_joins_what_was_read_since(watched: Any, tmp_path: Path):
    model = SmallModel()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watcher = watched(model, every=3)
    own = OwnRecord(model.wte.weight)
    read: list[torch.Tensor] = []
    for step in range(1, 8):
        ids = batch()
        read.append(ids)
        _, loss = model(ids, ids)
        assert loss is not None
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if step % 3 == 0:
            own.note_step(read, loss.item())
            read = []
    watcher.close()
    own.assert_equals(tmp_path / "mine")


def test_a_rate_in_a_tensor_is_that_of_its_step(watched: Any, tmp_path: Path):
    model = SmallModel()
    rate = torch.tensor(0.5)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    watcher = watched(model)
    for _ in range(3):
        ids = batch()
        _, loss = model(ids, ids)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        # As a scheduler does, before the step is written.
        optimizer.param_groups[0]["lr"].mul_(0.5)
    watcher.close()
    assert [pulse.learning_rate for pulse in lamplighter.open(tmp_path / "mine").steps()] == [
        0.5,
        0.25,
        0.125,
    ]


def test_steps_have_the_numbers_of_their_own_loop(watched: Any, tmp_path: Path):
    model = SmallModel()
    with watched(model, first_step=100, every=10):
        train(model, 25)
    run = lamplighter.open(tmp_path / "mine")
    assert [run.step_number(step) for step in range(3)] == [100, 110, 120]
    with lamplighter.watch(model, TOKENS, tmp_path / "given", on_error="raise") as watcher:
        for number in (7, 9):
            watcher.next_step = number
            train(model, 1)
    run = lamplighter.open(tmp_path / "given")
    assert [run.step_number(step) for step in (1, 2)] == [7, 9]


def test_a_copy_of_the_model_writes_nothing(watched: Any, tmp_path: Path):
    import copy

    model = SmallModel()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watcher = watched(model)
    ids = batch()
    averaged = copy.deepcopy(model)
    for one in (averaged, model):
        loss = one(ids, ids)[1]
        assert loss is not None
        loss.backward()
    optimizer.step()
    watcher.close()
    pulse = next(lamplighter.open(tmp_path / "mine").steps())
    assert pulse.batch_counts.sum() == ids.numel()
    before = model.state_dict().keys()
    assert before == SmallModel().state_dict().keys()


def test_an_optimiser_that_holds_other_weights_is_said(watched: Any):
    model = SmallModel(tied=False)
    others = [one for one in model.parameters() if one is not model.wte.weight]
    optimizer = torch.optim.SGD(others, lr=0.1)
    watcher = watched(model)
    ids = batch()
    model(ids, ids)[1].backward()
    optimizer.step()
    with pytest.warns(
        lamplighter.RecordWarning, match="no step was recorded: no optimiser with this embedding"
    ):
        watcher.close()


def test_a_model_wrapped_in_data_parallel(watched: Any, tmp_path: Path):
    model = SmallModel()
    wrapped = nn.DataParallel(model)
    with watched(wrapped):
        train(wrapped, 2)
    assert lamplighter.open(tmp_path / "mine").status.step == 2
