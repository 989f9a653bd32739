"""The disk usage of a run, by part."""

from __future__ import annotations

import os

from lamplighter.runfolder.run_folder import RunFolder

_PART_OF_FILE = {
    "steps.sqlite": "steps",
    "tiles.sqlite": "tiles",
    "layouts.sqlite": "map",
    "relayouts.sqlite": "map",
    "measures.sqlite": "measures",
    "corpus.npy": "corpus",
    "held-out.npy": "corpus",
    "corpus.json": "corpus",
    "source.txt": "corpus",
    "tokeniser.json": "corpus",
    "vocabulary.json": "corpus",
}
PART_NAMES: tuple[str, ...] = ("steps", "tiles", "map", "measures", "checkpoints", "corpus", "other")
"""Names of the parts. `steps` are the pulses, the keyframes and the moved rows that are not in tiles yet."""


def bytes_by_part(run: RunFolder) -> dict[str, int]:
    """Return the bytes of all files in the folder by part; a database includes its WAL."""
    sizes = dict.fromkeys(PART_NAMES, 0)
    for root, _, names in os.walk(run.path):
        inside = os.path.relpath(root, run.path).split(os.sep)[0]
        for name in names:
            whole = name.removesuffix("-wal").removesuffix("-shm").removesuffix("-journal")
            part = "checkpoints" if inside == "checkpoints" else _PART_OF_FILE.get(whole, "other")
            # A WAL or temporary file may disappear between the listing and the stat.
            try:
                sizes[part] += os.lstat(os.path.join(root, name)).st_size
            except FileNotFoundError:
                continue
    return sizes
