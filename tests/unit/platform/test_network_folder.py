from __future__ import annotations

from pathlib import Path

import pytest

from lamplighter.platform.network_folder import file_system_of, is_network_folder

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
