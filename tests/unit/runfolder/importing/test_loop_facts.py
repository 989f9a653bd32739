"""Facts about an untrusted run's loop are bounded and valid, or rejected."""

from __future__ import annotations

from typing import Any

import pytest

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.loop_facts import check_loop_facts


def test_accepts_valid_facts() -> None:
    facts: dict[str, Any] = {"config": {"lr": 0.1, "nested": {"a": [1]}}, "numbers": [[0, 5, 1], [3, 10, 0]]}
    assert check_loop_facts(facts | {"phase": "finished"}) == facts
    assert check_loop_facts({"phase": "finished"}) == {}


@pytest.mark.parametrize(
    "facts",
    [
        {"config": [1]},
        {"config": {"a": "x" * 32_000}},
        {"numbers": []},
        {"numbers": {"0": 1}},
        {"numbers": [[0, 0]]},
        {"numbers": [[0, 0, True]]},
        {"numbers": [[0, 0, 1.0]]},
        {"numbers": [[0, -1, 1]]},
        {"numbers": [[0, 2**53, 1]]},
        {"numbers": [[1, 0, 1], [1, 5, 1]]},
        {"numbers": [[step, step, 2] for step in range(1_002)]},
    ],
)
def test_rejects_invalid_facts(facts: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        check_loop_facts(facts)
