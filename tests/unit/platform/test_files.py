"""Names and contents that must survive a power cut are synced: files before renaming, then the folders of the new
names.


"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lamplighter.contract.recipe import Recipe
from lamplighter.exports.archive.import_run import import_zip
from lamplighter.exports.export import export_run
from lamplighter.exports.output import no_progress
from lamplighter.model.checkpoint import save_checkpoint
from lamplighter.platform.folder_sync import link_durably, replace_durably, sync_folder, sync_tree
from lamplighter.platform.network_folder import file_system_of, is_network_folder
from lamplighter.runfolder.run_store import RunStore, create_recorded_run
from lamplighter.web.access.credentials import TOKEN_FILE, open_credentials
from lamplighter.wire.vocabulary import Vocabulary
from tests.support.checkpoints import make
from tests.support.synthetic_runs.recorded import record

fcntl = pytest.importorskip("fcntl")

Synced = list[tuple[Path, bool]]


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> Synced:
    """Return a list that gets every path synced from now on, and whether Windows could sync it too."""
    paths: Synced = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        writable = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
        # Windows cannot sync a read-only descriptor, and need not sync folders.
        paths.append((path, writable or path.is_dir()))
        fsync(descriptor)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("no /proc")
    monkeypatch.setattr(os, "fsync", note)
    return paths


def names(synced: Synced) -> list[str]:
    return [path.name for path, _ in synced]


def test_syncs_a_new_run_and_its_name(tmp_path: Path, synced: Synced) -> None:
    run = RunStore(tmp_path).create(Recipe(), "a text")
    assert "recipe.json.part" in names(synced)
    assert "source.txt.part" in names(synced)
    # First the folder under its old name, then the parent with its new name.
    assert names(synced)[-2:] == ["run", tmp_path.name]
    assert run.path.is_dir()


def test_syncs_a_recorded_run_and_its_name(tmp_path: Path, synced: Synced) -> None:
    recipe = Recipe.model_validate({"corpus": {"kind": "recorded"}, "model": {"dim": 2, "heads": 1}})
    create_recorded_run(tmp_path / "mine", recipe, Vocabulary(("a", "b"), np.ones(2, dtype=np.int64)))
    assert names(synced)[-2:] == ["run", tmp_path.name]


def test_syncs_a_checkpoint_before_removing_older_ones(
    tmp_path: Path, synced: Synced, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner, observer = make("lazy")
    removed: list[int] = []
    unlink: Callable[..., None] = Path.unlink

    def note(path: Path, missing_ok: bool = False) -> None:
        removed.append(len(synced))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", note)
    for number in range(1, 4):
        save_checkpoint(tmp_path, number, 1, learner, observer, {})
    assert names(synced) == ["0000000001-0001.part", tmp_path.name, "0000000002-0001.part", tmp_path.name,
                             "0000000003-0001.part", tmp_path.name]  # fmt: skip
    assert removed == [6]


def test_syncs_a_hard_link(tmp_path: Path, synced: Synced) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("x")
    assert link_durably(first, second)
    assert second.samefile(first)
    assert names(synced) == [tmp_path.name]
    assert not link_durably(first, second), "the name is taken"
    assert not link_durably(tmp_path / "nothing", tmp_path / "third")


def test_never_syncs_a_read_only_descriptor(tmp_path: Path, synced: Synced) -> None:
    learner, observer = make("lazy")
    save_checkpoint(tmp_path, 1, 1, learner, observer, {})
    RunStore(tmp_path).create(Recipe(), "a text")
    open_credentials(tmp_path)
    assert len(synced) > 6
    assert [path for path, everywhere in synced if not everywhere] == []


def test_syncs_the_token(tmp_path: Path, synced: Synced) -> None:
    open_credentials(tmp_path)
    assert len(synced) == 2
    assert names(synced)[0].startswith(TOKEN_FILE)
    assert synced[1][0] == tmp_path


def test_syncs_an_export_and_an_import(tmp_path: Path, synced: Synced) -> None:
    run = record(tmp_path / "runs")
    synced.clear()
    exported = export_run(run, "zip", out=tmp_path / "a.zip")
    assert names(synced)[-2:] == ["a.zip", tmp_path.name]
    synced.clear()
    import_zip(RunStore(tmp_path / "others"), exported, no_progress)
    assert names(synced)[-1] == "others"
    assert {"steps.sqlite", "layouts.sqlite", "measures.sqlite", "run", "checkpoints"} < set(names(synced))


def test_tolerates_file_systems_that_cannot_sync_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    code = errno.EINVAL
    sync_folder(tmp_path)
    code = errno.EIO
    with pytest.raises(OSError, match="Input/output"):
        sync_folder(tmp_path)
    monkeypatch.setattr("lamplighter.platform.folder_sync._FOLDERS_CAN_BE_SYNCED", False)
    (tmp_path / "a").write_text("a")
    replace_durably(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "a"


def test_syncs_a_tree_from_its_leaves_to_its_root(tmp_path: Path, synced: Synced) -> None:
    (tmp_path / "tree/inner").mkdir(parents=True)
    (tmp_path / "tree/inner/leaf").touch()
    (tmp_path / "tree/twig").touch()
    sync_tree(tmp_path / "tree")
    assert names(synced) == ["leaf", "inner", "twig", "tree"]


MOUNTS = r"""22 1 0:21 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:50 / /home rw,relatime shared:2 - nfs4 server:/home rw,vers=4.2
41 40 0:51 / /home/local rw,relatime - xfs /dev/sdb1 rw
42 22 0:52 / /scratch\040space rw - lustre 10.0.0.1@tcp:/scratch rw
43 22 0:53 / /mnt rw master:1 propagate_from:2 - fuse.sshfs me@host: rw
44 22 0:54 / /mnt rw - tmpfs tmpfs rw
a broken line
"""


@pytest.mark.parametrize(
    ("folder", "kind", "network"),
    [
        ("/var/runs", "ext4", False),
        ("/home/ada/runs", "nfs4", True),
        ("/home/local/runs", "xfs", False),
        ("/homes", "ext4", False),
        ("/scratch space/ada", "lustre", True),
        ("/mnt/x", "tmpfs", False),
    ],
)
def test_the_mount_with_a_folder_says(folder: str, kind: str, network: bool, tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert file_system_of(Path(folder), mounts) == kind
    assert is_network_folder(Path(folder), mounts) is network


def test_a_system_that_does_not_tell(tmp_path: Path) -> None:
    assert file_system_of(tmp_path, tmp_path / "none") is None
    assert not is_network_folder(tmp_path, tmp_path / "none")
