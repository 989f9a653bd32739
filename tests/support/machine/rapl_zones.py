"""Folders of files like the kernel's energy counters."""

from __future__ import annotations

from pathlib import Path

RANGE = 262_143_328_850


def zone(root: Path, folder: str, name: str, microjoules: int, range_: int = RANGE) -> Path:
    path = root / folder
    path.mkdir(parents=True)
    (path / "name").write_text(f"{name}\n")
    (path / "max_energy_range_uj").write_text(f"{range_}\n")
    (path / "energy_uj").write_text(f"{microjoules}\n")
    return path / "energy_uj"
