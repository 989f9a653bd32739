"""Hatchling's build hook: puts into the wheel what goes beside a training loop, from the package next to this folder."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PARTS = (
    "__init__.py",
    "__init__.pyi",
    "client",
    "documented_model.py",
    "platform",
    "py.typed",
    "questions.py",
    "recipe.py",
    "runfolder",
    "wire",
)
"""The distribution `lamplighter` leaves these out (pyproject.toml at the root)."""


class WatchedParts(BuildHookInterface[Any]):
    """The choice of the files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the parts to a wheel; an editable one has them where they are."""
        if version != "editable":
            build_data["force_include"].update(
                {f"../lamplighter/{part}": f"lamplighter/{part}" for part in PARTS}
            )
