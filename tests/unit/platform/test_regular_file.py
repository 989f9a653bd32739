"""Nothing waits for a pipe that somebody put where a file belongs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lamplighter.platform.private_modes import open_foreign, open_regular
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.matrices.stored_matrix import read_tensor_header
from lamplighter.runfolder.published.object_store import StoreError, open_object_store
from lamplighter.runfolder.role_lock import RoleState, role_state
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import read_run_name
from lamplighter.runfolder.sqlite.database import open_reader

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")

READERS: dict[str, Callable[[RunFolder], object]] = {
    "recipe.json": lambda run: run.recipe,
    "vocabulary.json": lambda run: run.vocabulary,
    "corpus.npy": lambda run: run.token_ids,
    "corpus.json": lambda run: run.corpus_facts(),
    "steps.sqlite": lambda run: open_reader(run.steps_path),
}


@pytest.mark.parametrize("name", READERS)
def test_a_run_with_a_pipe_is_unreadable(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(FormatError, match=f"{name}.*no file"):
        READERS[name](RunFolder(tmp_path))


def test_other_places_of_a_pipe(tmp_path: Path) -> None:
    for name in ("name.txt", "trainer.lock", "x"):
        os.mkfifo(tmp_path / name)
    assert read_run_name(RunFolder(tmp_path)) is None
    assert role_state(tmp_path, "trainer") is RoleState.FREE
    with pytest.raises(OSError, match="no file"):
        read_tensor_header(tmp_path / "x")
    with pytest.raises(StoreError, match="no file"):
        open_object_store(str(tmp_path), writing=False).read_part("x", 0, 1)


def test_links(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("words")
    (tmp_path / "link").symlink_to("file")
    with open(tmp_path / "link", opener=open_regular) as file:
        assert file.read() == "words"
    with pytest.raises(OSError, match="symbolic"):
        os.close(open_foreign(tmp_path / "link", os.O_RDONLY))
    with pytest.raises(OSError):
        os.close(open_regular(tmp_path, os.O_RDONLY))
