"""The kind *batch sizes*: a small batch reads few rows, a large one nearly all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lamplighter.contract.questions import BatchSizesQuestion
from lamplighter.examination.kinds import batch_sizes
from lamplighter.examination.kinds.batch_sizes import examine
from tests.support.village import Village, ignore_progress, stored


def ask(village: Village, step: int) -> list[dict[str, Any]]:
    answer = stored(examine(village.examined(0), BatchSizesQuestion(step=step), ignore_progress))
    assert answer["vocabulary"] == len(village.run.vocabulary)
    assert answer["batch_tokens"] == village.run.recipe.batch_tokens
    return answer["sizes"]


def test_the_batches_are_the_runs_own_in_order(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    own = village.run.recipe.batch_tokens
    # Less than one batch, one batch and a part of the next, and four of them.
    monkeypatch.setattr(batch_sizes, "SIZES", (own // 2, own + 5, 4 * own))
    text = np.concatenate([village.examined(0).batches.batch(step)[0].reshape(-1) for step in range(8, 12)])
    sizes = ask(village, step=7)
    assert [size["rows"] for size in sizes] == [
        len(np.unique(text[:length])) for length in (own // 2, own + 5, 4 * own)
    ]
    assert ask(village, step=8) != sizes


def test_a_large_batch_touches_nearly_all_rows_and_the_claim_fails(village: Village) -> None:
    sizes = ask(village, step=0)
    assert [size["tokens"] for size in sizes] == [512, 2_048, 8_192, 32_768, 131_072]
    shares = [size["share"] for size in sizes]
    assert shares == sorted(shares)
    # All but `<unk>`, which the text does not have.
    assert sizes[-1]["rows"] == len(village.run.vocabulary) - 1
    assert all(0 < size["alone"] <= 1 for size in sizes)
