"""The loss of a watched loop: found, told or unknown, and never guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import lamplighter
from tests.unit.client.watching.small_model import SmallModel, batch


def losses(path: Path) -> list[float]:
    return [pulse.loss for pulse in lamplighter.open(path).steps()]


def test_undivided_losses_are_not_guessed(watched: Any, tmp_path: Path):
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


def test_a_logged_loss_takes_precedence_before_and_after_the_step(watched: Any, tmp_path: Path):
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


class Returning(SmallModel):
    """A model whose loss is computed outside; a function makes its output of the logits."""

    def __init__(self, make: Any) -> None:
        super().__init__()
        self.make = make

    def forward(self, ids: torch.Tensor, targets: Any = None) -> Any:
        return self.make(super().forward(ids)[0], ids)


def cross_entropy(logits: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    return nn.functional.cross_entropy(logits.flatten(0, 1), ids.flatten())


def measures(logits: torch.Tensor, ids: torch.Tensor) -> dict[str, Any]:
    accuracy = (logits.argmax(-1) == ids).float().mean()
    return {"logits": logits, "accuracy": accuracy, "ce": cross_entropy(logits, ids)}


def with_a_penalty(logits: torch.Tensor, ids: torch.Tensor) -> tuple[Any, ...]:
    return logits, logits.square().mean()


@pytest.mark.parametrize(
    ("make", "place", "take"),
    [(measures, "'ce'", lambda output, _: output["ce"]), (with_a_penalty, "1", lambda output, _: output[1])],
)
def test_an_inferred_loss_is_reported_once(
    watched: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Any, place: str, take: Any
):
    model = Returning(make)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    found = []
    with watched(model):
        for _ in range(3):
            ids = batch()
            output = model(ids)
            found.append(take(output, ids).item())
            (
                take(output, ids) + cross_entropy(output[0] if place == "1" else output["logits"], ids)
            ).backward()
            optimizer.step()
            optimizer.zero_grad()
    np.testing.assert_allclose(losses(tmp_path / "mine"), found, rtol=1e-6)
    assert capsys.readouterr().out.count(f"the loss is item {place}") == 1
    assert any(f"item {place}" in event.message for event in lamplighter.open(tmp_path / "mine").events())


def test_a_loss_logged_after_an_unrecorded_step_is_not_the_next_ones(watched: Any, tmp_path: Path):
    model = SmallModel()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watched(model, every=5) as watcher:
        for number in range(1, 11):
            ids = batch()
            loss = model(ids)[0].square().mean()
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            if number != 10:
                watcher.log(loss=number)
    found = losses(tmp_path / "mine")
    assert found[0] == 5
    assert np.isnan(found[1])
