"""The loss of a watched loop: found, told or unknown, and never guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import lamplighter
from tests.unit.client.watching.plain_loop import train
from tests.unit.client.watching.small_model import SmallModel, batch


def losses(path: Path) -> list[float]:
    return [pulse.loss for pulse in lamplighter.open(path).steps()]


def test_a_loss_that_is_not_found_stays_unknown(watched: Any, tmp_path: Path):
    model = SmallModel()
    with watched(model), pytest.warns(lamplighter.RecordWarning, match=r"returns no loss.*log\(loss"):
        train(model, 3, own_loss=True)
    assert np.isnan(losses(tmp_path / "mine")).all()


def test_losses_that_nobody_divides_are_not_guessed(watched: Any, tmp_path: Path):
    model = SmallModel()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loop() -> None:
        for _ in range(2):
            for _ in range(3):
                ids = batch()
                model(ids, ids)[1].backward()
            optimizer.step()
            optimizer.zero_grad()

    with watched(model), pytest.warns(lamplighter.RecordWarning, match="mean or their sum"):
        loop()
    assert np.isnan(losses(tmp_path / "mine")).all()


def test_losses_divided_by_the_tokens_of_the_step_are_added(watched: Any, tmp_path: Path):
    class Counting(SmallModel):
        def forward(self, ids: torch.Tensor, targets: Any = None, num_items_in_batch: Any = None) -> Any:
            logits, _ = super().forward(ids)
            total = nn.functional.cross_entropy(logits.flatten(0, 1), ids.flatten(), reduction="sum")
            return logits, total / num_items_in_batch

    model = Counting()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watched(model):
        found = []
        for rows in (1, 4):
            ids = batch(rows)
            loss = model(ids, num_items_in_batch=25)[1]
            found.append(loss.item())
            loss.backward()
        optimizer.step()
    np.testing.assert_allclose(losses(tmp_path / "mine"), [sum(found)], rtol=1e-6)


def test_a_loss_that_is_told_wins_before_and_after_the_step(watched: Any, tmp_path: Path):
    model = SmallModel()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watched(model) as watcher:
        for number in range(4):
            ids = batch()
            loss = model(ids, ids)[1]
            if number == 0:
                watcher.log(loss=torch.tensor(10.0))
            loss.backward()
            if number == 1:
                watcher.log(loss=11)
            optimizer.step()
            optimizer.zero_grad()
            if number == 2:
                watcher.log(loss=12.0)
    assert losses(tmp_path / "mine")[:3] == [10, 11, 12]
    assert losses(tmp_path / "mine")[3] < 10
