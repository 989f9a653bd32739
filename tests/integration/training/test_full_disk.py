"""A disk that is full, and has room again: a real file system of a few MB, and the kernel's limit on a file's size."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def on_a_small_disk(module: str, folder: Path, size: str) -> str:
    """Run a module as a program with a file system of that size, in namespaces of its own: no root is needed.

    Returns:
        What it printed.
    """
    disk = folder / "disk"
    disk.mkdir()
    mount = f'mount -t tmpfs -o size={size} small "$1" && exec "$2" -m {module} "$1"'
    done = subprocess.run(
        [
            "unshare",
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            mount,
            "sh",
            str(disk),
            sys.executable,
        ],
        env=os.environ | {"SMALL_DISK_LOG": str(folder / "trainer.log")},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, (
        f"(where namespaces are forbidden there is no small disk to test on)\n{done.stdout}\n{done.stderr}"
    )
    return done.stdout


def test_a_full_disk_pauses_snapshots_keeps_scalars_and_recovers(tmp_path: Path):
    said = on_a_small_disk("tests.integration.training.small_disk", tmp_path, "48m")
    assert "whole again at" in said
