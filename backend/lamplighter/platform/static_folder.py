"""The folder of static files: the page, the texts of the course, and the pictures of both."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def find_static() -> Path:
    """Return the folder of static files, in an installed package or at the root of a checkout."""
    packaged = _PACKAGE / "_static"
    return packaged if packaged.is_dir() else _PACKAGE.parent.parent / "static"
