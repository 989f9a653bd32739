"""Error messages for viewers of a run never name a folder of this machine."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from lamplighter.runfolder.errors import READ_ERRORS, FormatError, explain_read_error
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.live.playback_session import close_code_for
from lamplighter.serving.reading.run_catalog import RunCatalog


def damage(path: Path) -> None:
    path.write_bytes(b"no database" * 1_000)


@pytest.mark.parametrize(
    ("spoil", "read"),
    [
        (None, lambda folder: StepsReader(folder / "steps.sqlite")),
        (damage, lambda folder: StepsReader(folder / "steps.sqlite")),
        (Path.mkdir, lambda folder: StepsReader(folder / "steps.sqlite")),
        (None, lambda folder: (folder / "steps.sqlite").read_bytes()),
        (Path.mkdir, lambda folder: (folder / "steps.sqlite").read_bytes()),
        (None, lambda folder: RunFolder(folder).vocabulary),
    ],
    ids=[
        "no table",
        "no database",
        "a folder for a table",
        "no file",
        "a folder for a file",
        "no vocabulary",
    ],
)
def test_no_message_contains_a_path(
    tmp_path: Path, spoil: Callable[[Path], None] | None, read: Callable[[Path], object]
) -> None:
    if spoil is not None:
        spoil(tmp_path / "steps.sqlite")
    with pytest.raises(READ_ERRORS) as caught:
        read(tmp_path)
    for reason in (explain_read_error(caught.value), close_code_for(caught.value)[1]):
        assert str(tmp_path.parent) not in reason
        assert "/" not in reason.replace("I/O", "")
        assert reason


def test_messages_name_the_file_and_the_cause() -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "/home/user/runs/a/steps.sqlite")
    assert explain_read_error(full) == "steps.sqlite: No space left on device"
    assert explain_read_error(FileNotFoundError(Path("/home/user/a.npy"))) == "a.npy: it is missing"
    assert explain_read_error(OSError(errno.EMFILE, "Too many open files")) == "Too many open files"
    assert explain_read_error(FormatError("recipe.json: no object")) == "recipe.json: no object"


def test_lists_an_unreadable_run_without_its_folder(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (listed,) = RunCatalog(RunStore(tmp_path)).list_runs(RunStore(tmp_path).runs())
    found = listed.summary
    assert not found.readable
    assert found.problem
    assert str(tmp_path) not in found.problem
