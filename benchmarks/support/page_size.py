"""The size of the page's own scripts, compressed as the server sends them; plotly.js is not one of them.

A test checks their goals, `city_javascript_first` and `city_javascript`, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_STATIC_IMPORT = re.compile(r'\b(?:import|from)\s*"\./([\w.-]+\.js)"')
"""An import that a script cannot start without; `import("./a.js")` is not one."""
_WORKER = re.compile(r"[\w-]+\.worker-[\w-]+\.js")


@dataclass(frozen=True)
class PageSize:
    """Sizes in bytes."""

    first: int
    """The page's script, its static imports, and the worker that it starts at once."""
    whole: int
    """Those and all scripts that load on demand."""


def measure_page(app: Path) -> PageSize:
    """Return the sizes of a built page.

    Args:
        app: the folder of the built page, with a compressed copy beside each script.
    """
    scripts = {path.name: path for path in (app / "assets").glob("*.js")}
    index = (app / "index.html").read_text(encoding="utf-8")
    first: set[str] = set()
    found = {name for name in scripts if f"assets/{name}" in index}
    while found:
        first |= found
        texts = [scripts[name].read_text(encoding="utf-8") for name in found]
        needed = {name for text in texts for name in _STATIC_IMPORT.findall(text)}
        found = (needed | {name for text in texts for name in _WORKER.findall(text)}) - first
    sizes = {name: path.with_name(f"{name}.gz").stat().st_size for name, path in scripts.items()}
    return PageSize(sum(sizes[name] for name in first), sum(sizes.values()))
