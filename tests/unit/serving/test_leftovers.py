"""A server that starts clears what killed processes left behind in the folder of runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fastapi import FastAPI

from lamplighter.runfolder.preparation import preparation_folder

pytestmark = pytest.mark.anyio


async def test_half_made_runs_are_cleared_at_start_and_those_being_made_stay(
    app: FastAPI, tmp_path: Path
) -> None:
    (tmp_path / ".importing-ef761a5b4c6b" / "packed").mkdir(parents=True)
    (tmp_path / ".making-2026-11-25-lamptown-502661").mkdir()
    with preparation_folder(tmp_path, "importing") as ours:
        async with app.router.lifespan_context(app):
            left = [name for name in os.listdir(tmp_path) if name.startswith((".importing", ".making"))]
        assert left == [ours.name]
