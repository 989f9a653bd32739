"""The end of a watch, for any reason: the loop continues, and the model is unchanged."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import lamplighter
from tests.unit.client.watching.plain_loop import train
from tests.unit.client.watching.small_model import SmallModel, V, batch


def test_a_closed_watcher_leaves_the_model_as_it_was(watched: Any):
    optimizer = importlib.import_module("torch.optim.optimizer")
    model = SmallModel()
    watcher = watched(model)
    train(model, 1)
    watcher.close()
    assert not model._forward_hooks
    assert not model.wte._forward_hooks
    assert not model.wte.weight._backward_hooks
    assert not optimizer._global_optimizer_pre_hooks
    assert not optimizer._global_optimizer_post_hooks


def test_an_exception_interrupts_the_run(watched: Any, tmp_path: Path):
    model = SmallModel()

    def loop() -> None:
        with watched(model):
            train(model, 2)
            raise ZeroDivisionError("the loop's own fault")

    with pytest.raises(ZeroDivisionError):
        loop()
    status = lamplighter.open(tmp_path / "mine").status
    assert (status.phase, status.step) == ("interrupted", 2)
    assert status.message == "the loop stopped after step 2: ZeroDivisionError: the loop's own fault"


def test_an_error_of_ours_ends_the_record_and_not_the_training(
    watched: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    model = SmallModel()
    watched(model, on_error="warn")
    train(model, 3)
    monkeypatch.setattr("lamplighter.client.watching.weight_diff.WeightDiff.compare", lambda *_: 1 / 0)
    with pytest.warns(
        lamplighter.RecordWarning, match=r"ends after step 3: ZeroDivisionError.*Training continues"
    ):
        train(model, 3)
    status = lamplighter.open(tmp_path / "mine").status
    assert (status.phase, status.step) == ("interrupted", 3)
    assert not model.wte._forward_hooks


def test_an_embedding_that_was_replaced_ends_the_record(watched: Any, tmp_path: Path):
    model = SmallModel(tied=False)
    watched(model, on_error="warn")
    train(model, 2)
    model.wte.weight = nn.Parameter(torch.zeros(V + 2, 8))
    with pytest.warns(lamplighter.RecordWarning, match="replaced by another"):
        train(model, 2)
    run = lamplighter.open(tmp_path / "mine")
    assert run.status.step == 2
    assert run.snapshot_steps()[-1] == 2


def test_a_warning_that_cannot_be_written_ends_no_training(
    watched: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: Any, **__: Any) -> None:
        raise ValueError("I/O operation on closed file")

    model = SmallModel()
    watched(model, on_error="warn")
    train(model, 1)
    monkeypatch.setattr("lamplighter.client.watching.weight_diff.WeightDiff.compare", lambda *_: 1 / 0)
    monkeypatch.setattr("warnings.warn_explicit", refuse)
    train(model, 2)
    assert lamplighter.open(tmp_path / "mine").status.phase == "interrupted"


def test_updates_by_hand_keep_nothing_of_the_passes_behind(watched: Any):
    model = SmallModel()
    watcher = watched(model, on_error="warn")
    for _ in range(20):
        ids = batch()
        loss = model(ids, ids)[1]
        assert loss is not None
        loss.backward()
        with torch.no_grad():
            for one in model.parameters():
                assert one.grad is not None
                one -= 0.1 * one.grad
                one.grad.zero_()
    assert len(watcher._window.take_batch().parts) == 2
    with pytest.warns(lamplighter.RecordWarning, match="no optimiser with this embedding"):
        watcher.close()


def test_a_loop_that_ends_before_its_first_recorded_step_is_told_so(watched: Any):
    model = SmallModel()
    watcher = watched(model, every=50)
    train(model, 5)
    with pytest.warns(lamplighter.RecordWarning, match=r"before the first step that is due \(every=50\)"):
        watcher.close()


def test_a_table_that_no_optimiser_holds_keeps_a_bounded_number_of_passes(watched: Any):
    model = SmallModel(tied=False)
    watcher = watched(model)
    train(model, 1)
    model.wte.weight.requires_grad_(False)
    optimizer = torch.optim.SGD([model.mid.weight], lr=0.1)
    kept: list[int] = []

    def loop() -> None:
        for _ in range(450):
            ids = batch(1)
            loss = model(ids, ids)[1]
            assert loss is not None
            loss.backward()
            optimizer.step()
            kept.append(len(watcher._tally._passes) + len(watcher._tally._reached))

    with pytest.warns(lamplighter.RecordWarning, match="no optimiser with this embedding"):
        loop()
    assert max(kept) < 450
