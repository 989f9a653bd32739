"""The largest losses of single tokens in a watched loop: from the logits, or logged by the loop."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import lamplighter
from tests.unit.client.watching.small_model import TOKENS, SmallModel, V, batch


class Labelled(SmallModel):
    """Shifts its labels itself, as the models of `transformers` do; -100 is no target."""

    def forward(self, input_ids: Tensor, labels: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        logits, _ = super().forward(input_ids)
        loss = nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        return SimpleNamespace(loss=loss, logits=logits)


def expected(logits: Tensor, targets: Tensor) -> np.ndarray[Any, Any]:
    losses = nn.functional.cross_entropy(logits.detach().flatten(0, 1), targets.flatten(), reduction="none")
    return losses.numpy()


def step(model: Any, optimizer: Any, *given: Any, **named: Any) -> Any:
    output = model(*given, **named)
    (output[1] if isinstance(output, tuple) else output.loss).backward()
    return output


def finish(optimizer: Any) -> None:
    optimizer.step()
    optimizer.zero_grad()


def test_the_targets_of_the_model_are_taken_as_they_are(watched: Any) -> None:
    model = SmallModel()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watcher = watched(model, token_losses=True)
    ids, targets = batch(6), batch(6)
    logits, _ = step(model, optimizer, ids, targets)
    finish(optimizer)
    watcher.close()
    told = lamplighter.open(watcher.folder).explain_step(1)
    losses = expected(logits, targets)
    order = np.argsort(-losses, kind="stable")[:16]
    np.testing.assert_allclose([one.loss for one in told.top_losses], losses[order], rtol=1e-6)
    assert [one.place for one in told.top_losses] == order.tolist()
    for one in told.top_losses:
        sequence, position = divmod(one.place, 5)
        assert one.target == int(targets[sequence, position])
        assert one.before == ids[sequence, : position + 1].tolist()
    assert told.top_share == pytest.approx(losses[order].sum() / losses.sum(), rel=1e-4)


def test_labels_that_the_model_shifts_are_shifted_and_no_targets_left_out(watched: Any) -> None:
    model = Labelled()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watcher = watched(model, token_losses=True)
    ids = batch(2)
    labels = ids.clone()
    labels[0] = -100
    output = step(model, optimizer, ids, labels=labels)
    finish(optimizer)
    watcher.close()
    told = lamplighter.open(watcher.folder).explain_step(1)
    losses = expected(output.logits[1:, :-1], labels[1:, 1:])
    np.testing.assert_allclose([one.loss for one in told.top_losses], np.sort(losses)[::-1], rtol=1e-6)
    assert {one.target for one in told.top_losses} <= set(ids[1, 1:].tolist())


def test_all_passes_of_a_step_count_and_an_evaluation_does_not(watched: Any) -> None:
    model = SmallModel()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watcher = watched(model, token_losses=True)
    passes = [(batch(3), batch(3)) for _ in range(2)]
    losses = np.concatenate(
        [expected(step(model, optimizer, ids, targets)[0], targets) for ids, targets in passes]
    )
    with torch.no_grad():
        model(batch(30), batch(30))
    model.eval()
    model(batch(30), batch(30))
    model.train()
    watcher.log(loss=float(losses.mean()))
    finish(optimizer)
    watcher.close()
    told = lamplighter.open(watcher.folder).explain_step(1)
    np.testing.assert_allclose([one.loss for one in told.top_losses], np.sort(losses)[::-1][:16], rtol=1e-6)
    assert max(one.place for one in told.top_losses) < 30


def test_a_loop_logs_its_own(watched: Any) -> None:
    model = SmallModel()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watcher = watched(model)
    losses, ids = torch.rand(2, 5), batch(2)
    targets = torch.full((2, 5), 7)
    targets[0, 0] = -1
    losses[0, 0], losses[1, 4] = 9.0, 8.0
    loss = model(ids, ids)[1]
    watcher.log_losses(losses, ids, targets)
    loss.backward()
    finish(optimizer)
    step(model, optimizer, ids, ids)
    finish(optimizer)
    watcher.close()
    run = lamplighter.open(watcher.folder)
    first, second = run.explain_step(1).top_losses[:2]
    assert (first.loss, first.target, first.before) == (9.0, None, ids[0, :1].tolist())
    assert (second.loss, second.target, second.before) == (8.0, 7, ids[1].tolist())
    assert run.explain_step(2).top_losses == []


def test_losses_of_another_shape_are_refused(watched: Any) -> None:
    model = SmallModel()
    watcher = watched(model)
    with pytest.raises(lamplighter.InputError, match=r"tensors of one shape.*\(2, 5\), \(2, 4\), \(\)"):
        watcher.log_losses(torch.rand(2, 5), batch(2)[:, :4], [1, 2])


def test_a_poisoned_batch_of_a_watched_loop_is_found_with_its_text(watched: Any) -> None:
    draw = torch.Generator().manual_seed(3)
    model = SmallModel(tied=False)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    watcher = watched(model, TOKENS, token_losses=True)
    for number in range(1, 121):
        ids = (torch.randint(0, V, (16, 1), generator=draw) + torch.arange(6)) % V
        if number == 90:
            ids[:, 1:] = torch.randint(0, V, (16, 5), generator=draw)
        step(model, optimizer, ids[:, :-1], ids[:, 1:])
        finish(optimizer)
    watcher.close()
    run = lamplighter.open(watcher.folder)
    found = run.outlying_steps()
    assert found.items[0].step == 90
    worst = run.explain_step(90).top_losses[0]
    assert worst.target != (worst.before[-1] + 1) % V


@pytest.mark.parametrize("set_to_none", [True, False])
def test_passes_of_no_step_leave_no_losses(watched: Any, set_to_none: bool) -> None:
    model = SmallModel()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watcher = watched(model, token_losses=True)
    step(model, optimizer, batch(30), batch(30))
    # As a scaler skips a step whose gradient overflowed.
    optimizer.zero_grad(set_to_none)
    model(batch(30), batch(30))
    ids, targets = batch(2), batch(2)
    logits, _ = step(model, optimizer, ids, targets)
    finish(optimizer)
    watcher.close()
    told = lamplighter.open(watcher.folder).explain_step(1)
    losses = np.sort(expected(logits, targets))[::-1]
    np.testing.assert_allclose([one.loss for one in told.top_losses], losses, rtol=1e-6)
    assert max(one.place for one in told.top_losses) < 10
