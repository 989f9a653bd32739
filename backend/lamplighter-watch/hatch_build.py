"""Hatchling's build hook, which copies the parts for a training loop from the neighbouring package, and those of a source
distribution from the one inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).parent
PACKAGE = next(folder / "lamplighter" for folder in (HERE, HERE.parent) if (folder / "lamplighter").is_dir())
PARTS = (
    "__init__.py",
    "__init__.pyi",
    "client",
    *(f"contract/{file.name}" for file in (PACKAGE / "contract").glob("*.py")),
    "contract/texts",
    "platform",
    "py.typed",
    "runfolder",
    "wire",
)
"""The distribution `lamplighter` excludes these (pyproject.toml at the root)."""


class WatchedParts(BuildHookInterface[Any]):
    """The build hook that selects the files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the parts to a distribution. An editable installation finds them in place."""
        if version != "editable":
            build_data["force_include"].update({str(PACKAGE / part): f"lamplighter/{part}" for part in PARTS})
