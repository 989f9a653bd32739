"""The size of the page's own scripts, compressed as the server sends them; plotly.js is not one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FIRST_BUDGET = 125_000
"""Most bytes that the first screen may load."""
WHOLE_BUDGET = 352_500
"""Most bytes of all scripts together. It was 163,600 before the wait for the first map, families and smoothed runs, and
169,700 before the cards, the introduction, the help and the description of a text, all of which load late; and
195,000 before the places where one asks the model and where a step is under the microscope, which load late too; and
225,500 before the class: nine thousand for its presenter, who is on the machine itself, and eight for its viewers;
and 247,000 before the page could be a file too, and the picture of then and now; and 250,000 before the second map
left the first screen for a script that loads late, and steps had the numbers of their own training; and 250,600 before
what shows the claims: the lab of geometry, the map of the second matrix, the experiments about training, the cost and the
board, all of which load late; and 285,000 before a link could name the answer that it shows, and the board its words;
and 286,500 before the course, and 294,000 before the game, which load when they are opened; and 298,000 before a class was
asked in the course; and 301,000 before the German texts, 38,000 of them, which load where one reads German; and 344,000 before
the second game, which loads with the first, and the pages for the teacher, which load with the course; and 351,500 before a section of a panel
could be pointed out."""

_STATIC_IMPORT = re.compile(r'\b(?:import|from)\s*"\./([\w.-]+\.js)"')
"""An import that a script cannot start without; `import("./a.js")` is not one."""
_WORKER = re.compile(r"[\w-]+\.worker-[\w-]+\.js")


@dataclass(frozen=True)
class PageSize:
    """Sizes in bytes."""

    first: int
    """The script that the page names, those it imports statically, and the worker it starts at once."""
    whole: int
    """Those and all scripts that load when they are asked for."""


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
