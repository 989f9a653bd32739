"""Facts about an untrusted run's loop are bounded and valid, or rejected."""

from __future__ import annotations

from typing import Any

import pytest

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.loop_facts import check_loop_facts

FINDING: dict[str, Any] = {"code": "still", "severity": "note", "steps": [0, 1], "sentence": {"en": "So"}}


def history(*findings: object, **more: object) -> dict[str, Any]:
    return {"history": {"checkpoints": 5, "problems": 1, "findings": list(findings)} | more}


def test_accepts_valid_facts() -> None:
    facts: dict[str, Any] = {"config": {"lr": 0.1, "nested": {"a": [1]}}, "numbers": [[0, 5, 1], [3, 10, 0]]}
    facts |= history(FINDING, FINDING | {"severity": "problem", "of": 7})
    assert check_loop_facts(facts | {"phase": "finished"}, 100) == facts
    assert check_loop_facts({"phase": "finished"}, 100) == {}


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
        {"history": []},
        history(problems="1"),
        history(more=1),
        history(7),
        history(FINDING | {"severity": "worse"}),
        history(FINDING | {"steps": [True]}),
        history(FINDING | {"steps": [1 << 60]}),
        history(FINDING | {"of": None}),
        history(FINDING | {"more": 1}),
        history(FINDING | {"sentence": "So"}),
        history(FINDING | {"sentence": {"en": 7}}),
        history(FINDING | {"sentence": {"en": "x" * 32_000}}),
    ],
)
def test_rejects_invalid_facts(facts: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        check_loop_facts(facts, 100)
