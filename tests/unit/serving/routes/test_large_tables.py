"""A table too large to be held: what reads rows is answered as of a small one, what needs all is refused with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI

import lamplighter
from lamplighter.runfolder.matrices import stored_matrix
from lamplighter.serving.reading import run_catalog
from lamplighter.web.http import response_cost
from tests.unit.serving.routes.api_calls import get

pytestmark = pytest.mark.anyio

V, D = 40, 6
BY_ROWS = (
    "tokens/3",
    "neighbours?token_id=3&k=5",
    "pairs?token_ids=1,2,30",
    "norms?format=json",
    "geometry/lengths",
    "geometry/stayed",
    "geometry/analogy?a=1&b=2&c=3",
    "geometry/axis?from=1,2&to=5,6",
    "geometry/ranks?pairs=1-2,7-30",
)
WHOLE = ("snapshots/1", "geometry/chance", "geometry/relations")


@pytest.fixture
def base(tmp_path: Path) -> str:
    random = np.random.default_rng(0)
    first = random.normal(size=(V, D)).astype(np.float16)
    later = np.where(np.arange(V)[:, None] < 9, first, first + random.normal(size=(V, D))).astype(np.float16)
    words = [f"w{at}" for at in range(V)]
    run = lamplighter.series(tmp_path / "halves", [first, later], words, maps=False)
    return f"/api/runs/{run.id}"


async def test_rows_of_a_large_table_give_the_answers_of_a_small_one(
    app: FastAPI, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [(await get(app, f"{base}/{path}")).json for path in BY_ROWS]
    for module, name in ((stored_matrix, "MAX_WHOLE_BYTES"), (run_catalog, "_MATRIX_BYTES")):
        monkeypatch.setattr(module, name, 4 * V * D - 1)
    for path, wanted in zip(BY_ROWS, expected, strict=True):
        answer = (await get(app, f"{base}/{path}")).json
        assert answer == approximately(wanted), path


async def test_what_needs_the_whole_of_a_large_table_says_so(
    app: FastAPI, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in (
        (stored_matrix, "MAX_WHOLE_BYTES"),
        (run_catalog, "_MATRIX_BYTES"),
        (response_cost, "_MATRIX_BYTES"),
    ):
        monkeypatch.setattr(module, name, 4 * V * D - 1)
    for path in WHOLE:
        answer = await get(app, f"{base}/{path}", 422)
        assert "GB" in answer.json["detail"], path


def approximately(value: Any) -> Any:
    """Return a JSON value whose numbers compare to the rounding of float32."""
    if isinstance(value, dict):
        return {name: approximately(part) for name, part in value.items()}
    if isinstance(value, list):
        return [approximately(part) for part in value]
    return pytest.approx(value, rel=1e-5, abs=1e-6) if isinstance(value, float) else value
