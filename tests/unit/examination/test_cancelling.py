"""A question that is cancelled ends between two of its steps."""

from __future__ import annotations

from typing import Any

import pytest

from lamplighter.contract.questions import (
    DecilesQuestion,
    EnvironmentQuestion,
    SubstitutionQuestion,
    WhatIfQuestion,
)
from lamplighter.examination.examined_model import CancelledError
from lamplighter.examination.kinds import deciles, environment, substitution, what_if
from tests.support.village import STEPS, Village


@pytest.mark.parametrize(
    ("kind", "at", "question", "reported"),
    [
        (deciles, 2, DecilesQuestion(step=2, steps=10), [0, 0, 1 / 60, 2 / 60]),
        # Twenty steps away, and as many at home.
        (environment, 2, EnvironmentQuestion(step=2, steps=20, back=0), [0, 1 / 40, 2 / 40]),
        (substitution, STEPS, SubstitutionQuestion(step=STEPS), None),
        (what_if, 2, WhatIfQuestion(step=STEPS, sentence="the cat barked", steps=20), [0, 0.05, 0.1]),
    ],
)
def test_it_ends_between_two_steps(
    village: Village, kind: Any, at: int, question: Any, reported: list[float] | None
) -> None:
    heard: list[float] = []

    def cancel(share: float, activity: str) -> None:
        heard.append(share)
        if len(heard) == len(reported or range(4)):
            raise CancelledError

    with pytest.raises(CancelledError):
        kind.examine(village.examined(at), question, cancel)
    assert heard == (sorted(heard) if reported is None else pytest.approx(reported))
