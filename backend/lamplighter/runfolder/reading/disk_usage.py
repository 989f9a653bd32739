"""The disk usage of a run, by part."""

from __future__ import annotations

from lamplighter.runfolder.run_folder import MATRICES, RunFolder

_PART_OF_FILE = {
    "steps.sqlite": "steps",
    "tiles.sqlite": "tiles",
    "layouts.sqlite": "map",
    "relayouts.sqlite": "map",
    "output-layouts.sqlite": "map",
    "measures.sqlite": "measures",
    "landmarks.npy": "map",
    "corpus.npy": "corpus",
    "held-out.npy": "corpus",
    "corpus.json": "corpus",
    "source.txt": "corpus",
    "tokeniser.json": "corpus",
    "vocabulary.json": "corpus",
}
_FOLDERS = {"checkpoints": "checkpoints", "waypoints": "waypoints", MATRICES: "steps"}
PART_NAMES: tuple[str, ...] = (
    "steps",
    "tiles",
    "map",
    "measures",
    "checkpoints",
    "waypoints",
    "corpus",
    "other",
)
"""Names of the parts. `steps` includes pulses, keyframes, also in files of their own, and the moved rows that are not in
tiles yet."""


def bytes_by_part(run: RunFolder) -> dict[str, int]:
    """Return the bytes of all files in the folder by part; a database includes its WAL.

    A file that is both a checkpoint and a waypoint counts as a checkpoint.
    """
    sizes = dict.fromkeys(PART_NAMES, 0)
    for path, size in run.files_on_disk():
        whole = path.name.removesuffix("-wal").removesuffix("-shm").removesuffix("-journal")
        inside = path.parts[0]
        sizes[_FOLDERS.get(inside) or _PART_OF_FILE.get(whole, "other")] += size
    return sizes
