"""The function with which the tests here watch a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import lamplighter
from lamplighter.client.watching.watcher import Watcher
from tests.unit.client.watching.small_model import TOKENS


@pytest.fixture
def watched(tmp_path: Path) -> Any:
    """Yield a function that watches a model in the folder "mine" and raises in the loop."""
    attached: list[Watcher] = []

    def watch(model: Any, tokens: Any = TOKENS, **options: Any) -> Watcher:
        chosen = {"on_error": "raise", **options}
        attached.append(lamplighter.watch(model, tokens, tmp_path / "mine", **chosen))
        return attached[-1]

    yield watch
    for one in attached:
        one.close()
