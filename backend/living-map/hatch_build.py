"""Hatchling's build hook, which copies the neighbouring package into the wheel."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WholePackage(BuildHookInterface[Any]):
    """The build hook that selects the files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the package to a wheel. An editable installation finds it in place."""
        if version != "editable":
            build_data["force_include"].update(
                {
                    "../living_map": "living_map",
                    # The optimiser follows umap-learn's, whose notice goes with it.
                    **{f"../../{name}": f"living_map/{name}" for name in ("LICENSE", "NOTICE.md")},
                }
            )
