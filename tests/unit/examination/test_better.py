"""The kind *better*: a step makes its own batch better, and other text only as often as it happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.examination.kinds.better import examine
from lamplighter.questions import BetterQuestion
from tests.unit.examination.village import Village, ignore_progress, is_json


def ask(model: ExaminedModel, steps: int = 12) -> dict[str, Any]:
    answer = examine(model, BetterQuestion(step=model.step, steps=steps), ignore_progress)
    assert is_json(answer)
    return answer


def test_a_step_helps_its_own_batch_and_shares_are_counted(village: Village) -> None:
    model = village.examined()
    before = [parameter.detach().clone() for parameter in model.learner.model.parameters()]
    answer = ask(model)
    assert answer["shares"]["same"] == 1
    assert answer["unread"] is answer["shares"]["unread"] is None
    for name in ("same", "other"):
        losses = answer[name]
        assert len(losses) == 12
        assert answer["shares"][name] == pytest.approx(sum(b < a for a, b in losses) / 12, rel=1e-5)
    # A village at the end of its training gains nothing from one batch more, elsewhere.
    assert answer["shares"]["other"] < 1
    assert all(map(torch.equal, before, model.learner.model.parameters()))


def test_at_first_every_step_helps_everywhere(village: Village, tmp_path: Path) -> None:
    answer = ask(village.with_held_out_text(tmp_path).examined(0), steps=5)
    assert answer["shares"] == {"same": 1, "other": 1, "unread": 1}
    # Unread text is the same before the next step as after the last.
    unread = answer["unread"]
    assert [after for _, after in unread[:-1]] == [before for before, _ in unread[1:]]
