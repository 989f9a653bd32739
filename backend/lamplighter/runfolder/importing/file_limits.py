"""The files that a run may have, each with the most bytes it may have. A stranger's run with any other is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from lamplighter.contract.recipe_file import MAX_RECIPE_BYTES
from lamplighter.runfolder.run_folder import MATRICES
from lamplighter.runfolder.run_name import NAME_FILE

MEGABYTE = 1_000_000
MAX_TOTAL_BYTES = 16_000 * MEGABYTE
"""Maximum bytes of a stranger's run."""
MAX_MATRICES = 10_000
MAX_MEMBERS = 32
"""Maximum files of a run, not counting waypoints and matrices."""
_NEEDED = ("recipe.json", "corpus.json", "vocabulary.json", "steps.sqlite")
_LIMITS = {
    "recipe.json": MAX_RECIPE_BYTES,
    NAME_FILE: 4 << 10,
    "source.txt": 64 << 20,
    "corpus.json": MEGABYTE,
    "corpus.npy": 2_000 * MEGABYTE,
    "held-out.npy": 250 * MEGABYTE,
    "landmarks.npy": MEGABYTE,
    "tokeniser.json": 64 * MEGABYTE,
    "vocabulary.json": 64 * MEGABYTE,
    "examinations.sqlite": 200 * MEGABYTE,
    "layouts.sqlite": 4_000 * MEGABYTE,
    "relayouts.sqlite": 4_000 * MEGABYTE,
    "output-layouts.sqlite": 4_000 * MEGABYTE,
    "measures.sqlite": 1_000 * MEGABYTE,
    "steps.sqlite": 8_000 * MEGABYTE,
    "tiles.sqlite": 8_000 * MEGABYTE,
}
_CHECKPOINT = re.compile(r"(?:checkpoints|waypoints)/\d{10}-\d{4}\.safetensors", re.ASCII)
_MATRIX = re.compile(MATRICES + r"/\d{10}-\d{4}\.safetensors", re.ASCII)
_CHECKPOINT_LIMIT = 4_000 * MEGABYTE


def byte_limit(name: str) -> int | None:
    """Return the maximum bytes of a file by its path in the run's folder; None if a run has no such file."""
    if _MATRIX.fullmatch(name):
        return MAX_TOTAL_BYTES
    return _CHECKPOINT_LIMIT if _CHECKPOINT.fullmatch(name) else _LIMITS.get(name)


def find_fault(
    files: Iterable[tuple[str, int]], besides: Mapping[str, int], total: int = MAX_TOTAL_BYTES
) -> str | None:
    """Return why files, by path and size, are not those of a run, in words; None if they may be. `besides`:
    the maximum bytes of files beside those of a run, by path. `total`: the maximum bytes of all.
    """
    sizes: dict[str, int] = {}
    for path, size in files:
        limit = besides.get(path) or byte_limit(path)
        if limit is None:
            return f"{path[:80]!a} is not a file of a run"
        if path in sizes:
            return f"{path} is there twice"
        if size > limit:
            return f"{path} would have {size:,} bytes, at most {limit:,} are allowed"
        sizes[path] = size
    if missing := [path for path in _NEEDED if path not in sizes]:
        return f"it has no {missing[0]}, as every run has"
    if (size := sum(sizes.values())) > total:
        return f"the run would have {size / MEGABYTE:,.0f} MB, at most {total / MEGABYTE:,.0f} are allowed"
    return None
