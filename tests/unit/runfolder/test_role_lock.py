"""The state of a role: held, free or unknown. Deleting and taking over require it to be free."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from lamplighter.contract.recipe import Recipe
from lamplighter.processes.follow_loop import FollowLoop
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.role_lock import RoleLock, RoleState, is_waiting_for_space, lock_path, role_state
from lamplighter.runfolder.run_store import RunBusyError, RunStore
from lamplighter.runfolder.writing.finalise import seal_role_files
from lamplighter.serving.jobs.exports import ExportJobs

HOLD = (
    "import sys, pathlib; from lamplighter.runfolder.role_lock import RoleLock\n"
    "locks = [RoleLock(pathlib.Path(folder), role) for folder, role in zip(sys.argv[1::2], sys.argv[2::2])]\n"
    "print('held', flush=True); sys.stdin.read()"
)


@contextmanager
def held(*roles: tuple[Path, str]) -> Generator[None]:
    """Let another process hold these roles of these folders."""
    words = [str(word) for role in roles for word in role]
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLD, *words], stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        try:
            yield
        finally:
            assert process.stdin is not None
            process.stdin.close()


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Leave this process no file descriptor to open anything with."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        newest = os.open(os.devnull, os.O_RDONLY)
        stack.callback(os.close, newest)
        # Take the free descriptors below the newest; the limit allows none above it.
        resource.setrlimit(resource.RLIMIT_NOFILE, (newest + 1, before[1]))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        while True:
            try:
                stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))
            except OSError:
                break
        yield


def test_a_role_is_free_held_or_unknown(tmp_path: Path) -> None:
    assert role_state(tmp_path, "trainer") is RoleState.FREE
    assert role_state(tmp_path / "none", "trainer") is RoleState.FREE
    with held((tmp_path, "trainer")):
        assert role_state(tmp_path, "trainer") is RoleState.HELD
        with no_descriptors():
            assert role_state(tmp_path, "trainer") is RoleState.UNKNOWN
            assert role_state(tmp_path, "analyst") is RoleState.FREE
        assert role_state(tmp_path, "trainer") is RoleState.HELD
    assert role_state(tmp_path, "trainer") is RoleState.FREE


def test_a_file_that_is_not_a_lock_counts_as_free(tmp_path: Path) -> None:
    lock_path(tmp_path, "trainer").write_bytes(b"no lock at all" * 100)
    lock_path(tmp_path, "analyst").mkdir()
    lock_path(tmp_path, "projector").touch()
    assert {role_state(tmp_path, role) for role in ("trainer", "analyst", "projector")} == {RoleState.FREE}


@contextmanager
def not_as_root() -> Iterator[None]:
    """Drop the rights of root temporarily, since root may open every file."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_a_lock_without_permission_is_unknown(tmp_path: Path) -> None:
    RoleLock(tmp_path, "trainer").close()
    lock_path(tmp_path, "trainer").chmod(0)
    with not_as_root():
        assert role_state(tmp_path, "trainer") is RoleState.UNKNOWN


def test_without_descriptors_runs_are_neither_removed_nor_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RunStore(tmp_path)
    run = store.create(Recipe())
    exports = tmp_path / ".exports"
    living = exports / "living"
    living.mkdir(parents=True)
    jobs = ExportJobs(exports, "ours")
    # The last descriptor was enough to list the folder.
    monkeypatch.setattr(Path, "iterdir", lambda _: iter([living]))
    loop = FollowLoop(run, "a test", 0.0)
    with held((run.path, "trainer"), (living, "exporter")):
        with no_descriptors():
            with pytest.raises(
                RunBusyError,
                match=r"cannot tell whether .* is being trained, since its trainer\.lock cannot be opened",
            ):
                store.trash(run)
            jobs._clear()
            assert not seal_role_files(run, "trainer")
            loop.abandoned()
            assert loop.trained
            assert not is_waiting_for_space(run.path)
        assert run.path.is_dir()
        assert living.is_dir()
        with pytest.raises(RunBusyError, match="is being trained"):
            store.trash(run)
    store.trash(run)
    jobs._clear()
    assert not living.exists()


def test_an_unknown_trainer_counts_as_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunStore(tmp_path).create(Recipe())
    assert not read_status(run).alive
    monkeypatch.setattr("lamplighter.runfolder.reading.run_status.role_state", lambda *_: RoleState.UNKNOWN)
    assert read_status(run).alive
