"""A watch that ends, by whatever it is: the loop goes on, and the model is as it was."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import lamplighter
from tests.unit.client.watching.plain_loop import train
from tests.unit.client.watching.small_model import SmallModel, V


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
        lamplighter.RecordWarning, match=r"ends after step 3: ZeroDivisionError.*Training goes on"
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
