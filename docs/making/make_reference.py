"""Writes the reference of the Python API as HTML, from the docstrings: `make reference`.

    python docs/making/make_reference.py FOLDER

What `lamplighter` exports is all that is public. The reference of REST is the server's own page, `/api/docs`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pdoc.doc
import pdoc.render

import lamplighter


def main() -> int:
    """Write the reference into a folder. Returns an exit status."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    # The package imports its names lazily, which pdoc cannot see: it is shown a module that has them.
    shown = ModuleType("Lamplighter", lamplighter.__doc__)
    names = [name for name in dir(lamplighter) if name[0] != "_"]
    found = {name: value for name in names if (value := _import_name(name)) is not None}
    vars(shown).update(found, __all__=list(found))
    pdoc.render.configure(docformat="google", show_source=False, search=False)
    page = Path(sys.argv[1], "index.html")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(pdoc.render.html_module(pdoc.doc.Module(shown), {}), encoding="utf-8")
    print(f"{len(found)} names: {page}")
    return 0


def _import_name(name: str) -> object | None:
    """Return what a name stands for; None for what is not ours, and for the callback of a trainer that is not installed."""
    try:
        value = getattr(lamplighter, name)
    except ImportError:
        return None
    return value if getattr(value, "__module__", "").startswith("lamplighter.") else None


if __name__ == "__main__":
    sys.exit(main())
