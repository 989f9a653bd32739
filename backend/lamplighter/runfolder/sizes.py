"""What a run takes on the disk, by what it is."""

from __future__ import annotations

import os

from lamplighter.runfolder.folder import RunFolder

_PARTS = {
    "steps.sqlite": "steps",
    "tiles.sqlite": "tiles",
    "layouts.sqlite": "map",
    "relayouts.sqlite": "map",
    "measures.sqlite": "measures",
    "corpus.npy": "corpus",
    "corpus.json": "corpus",
    "source.txt": "corpus",
    "tokeniser.json": "corpus",
    "vocabulary.json": "corpus",
}
NAMES: tuple[str, ...] = ("steps", "tiles", "map", "measures", "checkpoints", "corpus", "other")
"""`steps`: pulses, whole matrices and the moved rows that are not in tiles yet."""


def bytes_by_part(run: RunFolder) -> dict[str, int]:
    """The size of every file in the folder, by part (`NAMES`); of a database, its WAL included."""
    sizes = dict.fromkeys(NAMES, 0)
    for root, _, names in os.walk(run.path):
        inside = os.path.relpath(root, run.path).split(os.sep)[0]
        for name in names:
            whole = name.removesuffix("-wal").removesuffix("-shm").removesuffix("-journal")
            part = "checkpoints" if inside == "checkpoints" else _PARTS.get(whole, "other")
            # A file may go between the listing and the look (a WAL, a temporary).
            try:
                sizes[part] += os.lstat(os.path.join(root, name)).st_size
            except FileNotFoundError:
                continue
    return sizes
