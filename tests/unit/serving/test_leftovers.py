"""A server that starts clears what killed processes left behind in the folder of runs."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from lamplighter.runfolder.preparation import preparation_folder
from lamplighter.serving.apps.app import create_app
from lamplighter.web.settings import ServerSettings
from tests.support.asgi import PORT

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


async def test_half_received_texts_are_cleared_at_start_and_those_being_received_stay(
    app: FastAPI, tmp_path: Path
) -> None:
    uploads = tmp_path / ".uploads"
    (uploads / ".receiving-ef761a5b4c6b").mkdir(parents=True)
    (uploads / ".receiving-ef761a5b4c6b" / "text").write_text("half of")
    (uploads / "0123456789abcdef01234567.txt").write_text("all of it")
    with preparation_folder(uploads, "receiving") as ours:
        async with app.router.lifespan_context(app):
            assert set(os.listdir(uploads)) == {ours.name, "0123456789abcdef01234567.txt"}
    assert os.listdir(uploads) == ["0123456789abcdef01234567.txt"]


async def test_a_text_is_received_where_another_server_that_starts_leaves_it(
    app: FastAPI, tmp_path: Path
) -> None:
    """The second server starts while the first has half of the text."""
    uploads = app.state.services.uploads
    seen: list[set[str]] = []

    async def halves() -> AsyncIterator[bytes]:
        yield b"one half, "
        other = create_app(ServerSettings(tmp_path, port=PORT, roles=()))
        async with other.router.lifespan_context(other):
            seen.append({path.name for path in (tmp_path / ".uploads").rglob("text")})
        yield b"and the other"

    upload, size, _ = await uploads.store(halves(), "a.txt")
    assert seen == [{"text"}]
    assert uploads.read_text(upload) == ("one half, and the other", "a.txt")
    assert size == 23
    assert not [path for path in (tmp_path / ".uploads").iterdir() if path.is_dir()]
