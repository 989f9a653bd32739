"""Writes `requirements/constraints.txt`: which releases development and CI use, as they are installed here.

    python requirements/write_constraints.py    (`make constraints`)

Only names and versions: where a release comes from is for pip's own configuration to say. torch is left out, so
that `make` keeps the one that is there, and with it what only torch needs: a torch asks for its own versions of that.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "requirements" / "constraints.txt"

ALONE = ("embedding-atlas",)
"""Installed by the Makefile without what they depend on."""
_LEFT_OUT = re.compile(
    r"torch|torch(vision|audio)|pytorch-triton|triton|nvidia-.*|cuda-.*|lamplighter(-watch)?|living-map"
)

HEAD = """\
# The releases that development and CI use; a user's `pip install lamplighter` takes any that pyproject.toml allows.
# For Python 3.11 to 3.13. Without torch, which is taken as it is found, and without what only torch needs.
#
# To renew: `.venv/bin/python -m pip install --upgrade NAME ...`, then `make constraints`, `make check`, `make test`.
# Take no release that has left one of these Pythons behind. What only another system or Python needs is not listed.
"""


def main() -> int:
    """Write the file; an exit status."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(r for extra in project["optional-dependencies"].values() for r in extra),
    ]
    try:
        pins = collect(wanted) | {name: distribution(name).version for name in ALONE}
    except PackageNotFoundError as error:
        print(
            f"write_constraints: {error.name} is not installed here; run `make test` first", file=sys.stderr
        )
        return 1
    lines = [f"{name}=={version.partition('+')[0]}\n" for name, version in sorted(pins.items())]
    FILE.write_text(HEAD + "".join(lines), "utf-8")
    return 0


def collect(wanted: Iterable[str]) -> dict[str, str]:
    """Return the installed versions of these requirements and of what they need, by normal name.

    Raises:
        PackageNotFoundError: something of it is not installed.
    """
    pins: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(text) for text in wanted]
    while waiting:
        requirement = waiting.pop()
        name = normal(requirement.name)
        if _LEFT_OUT.fullmatch(name):
            continue
        found = distribution(name)
        pins[name] = found.version
        for extra in ("", *requirement.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += _needs(found.requires or (), extra)
    return pins


def _needs(requires: Iterable[str], extra: str) -> Iterator[Requirement]:
    """Of what a package requires, that which an extra of it (or none: "") brings in on this machine."""
    for text in requires:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": extra}):
            yield requirement


def normal(name: str) -> str:
    """Return a package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
