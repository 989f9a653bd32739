"""Hatchling's build hook, which copies the neighbouring package into a distribution."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).parent
PACKAGE = HERE.parent / "living_map"


class WholePackage(BuildHookInterface[Any]):
    """The build hook that selects the files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the package to a distribution. An editable installation finds it in place."""
        if version == "editable" or (HERE / "living_map").is_dir():
            # In a source distribution the package is inside, where hatchling finds it by its name.
            return
        parts = [part for part in PACKAGE.iterdir() if part.name != "__pycache__"]
        # The optimiser follows umap-learn's, whose notice goes with it.
        parts += [HERE.parents[1] / name for name in ("LICENSE", "NOTICE.md")]
        # In the order of hatchling, so that a wheel has the same bytes from either source.
        build_data["force_include"].update(
            {str(part): f"living_map/{part.name}" for part in sorted(parts, key=lambda part: part.name)}
        )
