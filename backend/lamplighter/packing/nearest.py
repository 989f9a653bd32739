"""Packed nearest neighbours of every token at some steps: ids, similarities, and row lengths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lamplighter.geometry.neighbours import all_nearest
from lamplighter.packing.compression import deflate
from lamplighter.packing.spacing import early_steps
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.wire.byte_planes import encode_planes

MAX_MOMENTS, NEIGHBOURS = 50, 10
_BYTES_EACH = 2.2
"""Approximate bytes per neighbour."""
_LENGTH_STEPS = 65_535


@dataclass(frozen=True)
class NearestWords:
    """Neighbours at some moments."""

    steps: list[int]
    """The steps of the moments, ascending."""
    k: int
    longest: list[float]
    """By moment, the length encoded as 65,535."""
    data: bytes
    """For each moment in turn, as byte planes: the ids (V, k) as 32 bits, minus those of the previous moment, modulo
    2**32; the cosines (V, k) in hundredths as signed bytes, each minus the previous one in its row, modulo 256; the row
    lengths (V,) as 16 bits. All compressed (RFC 1951)."""


def pack_nearest(
    run: RunFolder, last: int, kept: Sequence[int], budget: int, progress: Callable[[float], None]
) -> NearestWords:
    """Encode the neighbours at up to `MAX_MOMENTS` steps from 0 to `last`, denser at the beginning, within about
    `budget` bytes. Up to half of them are the steps `kept` for the course."""
    size = len(run.vocabulary)
    k = max(0, min(NEIGHBOURS, size - 1))
    count = max(2, min(MAX_MOMENTS, int(budget / (_BYTES_EACH * max(1, size * k)))))
    # The first and the last are always included.
    asked = [step for step in kept if 0 < step < last][: (count - 1) // 2]
    wanted = sorted({*asked, *early_steps(last, count - len(asked))})
    steps, longest, parts = list[int](), list[float](), list[bytes]()
    before = np.zeros((size, k), dtype=np.uint32)
    with MatrixHistory(run) as history:
        for index, step in enumerate(wanted):
            progress(index / len(wanted))
            try:
                matrix = history.snapshot(step, nearest=True)
            except NoSnapshotError:
                continue
            if matrix.step in steps:
                continue
            vectors = np.nan_to_num(matrix.vectors)
            ids, cosines = all_nearest(vectors, k)
            lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
            most = float(lengths.max(initial=0)) or 1.0
            hundredths = np.rint(100 * cosines).astype(np.int16)
            falls = np.diff(hundredths, axis=1, prepend=np.int16(0)).astype(np.uint8)
            parts += [
                encode_planes((ids.astype(np.uint32) - before).ravel()),
                falls.T.tobytes(),
                encode_planes(np.rint(lengths / most * _LENGTH_STEPS).astype("<u2")),
            ]
            before = ids.astype(np.uint32)
            steps.append(matrix.step)
            longest.append(most)
    return NearestWords(steps, k, longest, deflate(b"".join(parts)))
