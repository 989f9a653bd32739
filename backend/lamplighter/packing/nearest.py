"""Packed nearest neighbours of every token at some steps: ids, similarities, and row lengths."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import all_nearest
from lamplighter.packing.shown_steps import deflate, early_steps
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.wire.binary import Floats
from lamplighter.wire.byte_planes import encode_planes

MAX_MOMENTS, NEIGHBOURS = 50, 10
FEW_MOMENTS = 10
"""A page with fewer moments than this gets files beside it, where there may be some."""
WORDS_OF_A_FILE = 1_024
_MIN_NEIGHBOURS = 3
_BESIDE_BYTES = 16_000_000
_BYTES_EACH = 2.2
"""Approximate bytes per neighbour."""
_LENGTH_STEPS = 65_535


@dataclass(frozen=True)
class Moments:
    """Neighbours of tokens at some steps."""

    k: int
    steps: list[int] = field(default_factory=list[int])
    """Ascending."""
    longest: list[float] = field(default_factory=list[float])
    """By step, the length encoded as 65,535."""


@dataclass(frozen=True)
class NearestWords:
    """Neighbours of all tokens in a page, and at more steps in files beside it."""

    held: Moments
    data: bytes
    """For each moment in turn, as byte planes: the ids (V, k) as 32 bits, minus those of the previous moment, modulo
    2**32; the cosines (V, k) in hundredths as signed bytes, each minus the previous one in its row, modulo 256; the row
    lengths (V,) as 16 bits. All compressed (RFC 1951)."""
    beside: Moments | None
    """None: no files beside the page."""
    files: list[bytes]
    """For each `WORDS_OF_A_FILE` tokens the same as `data`."""


@dataclass(frozen=True)
class _Ranking:
    """The neighbours of all tokens at one step."""

    step: int
    ids: NDArray[np.uint32]
    """Shape (V, k)."""
    hundredths: NDArray[np.int16]
    """Shape (V, k)."""
    lengths: NDArray[np.uint16]
    """Shape (V,), in shares of the longest."""
    longest: float


class _Encoder:
    """The encoder of the neighbours of a range of tokens, moment by moment."""

    def __init__(self, tokens: slice, k: int) -> None:
        self._tokens, self._k = tokens, k
        self._before: NDArray[np.uint32] | None = None
        self._parts: list[bytes] = []

    def add(self, ranking: _Ranking) -> None:
        ids = ranking.ids[self._tokens, : self._k]
        hundredths = ranking.hundredths[self._tokens, : self._k]
        falls = np.diff(hundredths, axis=1, prepend=np.int16(0)).astype(np.uint8)
        self._parts += [
            encode_planes((ids if self._before is None else ids - self._before).ravel()),
            falls.T.tobytes(),
            encode_planes(ranking.lengths[self._tokens]),
        ]
        self._before = ids

    def finish(self) -> bytes:
        return deflate(b"".join(self._parts))


def pack_nearest(
    run: RunFolder,
    last: int,
    kept: Sequence[int],
    budget: int,
    progress: Callable[[float], None],
    *,
    beside: bool = False,
) -> NearestWords:
    """Encode the neighbours at up to `MAX_MOMENTS` steps, denser at the beginning, in about `budget` bytes.
    Up to half of the moments are the steps `kept` for the course. Where there is room for two steps only,
    each token has fewer neighbours. With `beside`, files hold more than a few steps.
    """
    size = len(run.vocabulary)
    most = max(0, min(NEIGHBOURS, size - 1))
    count = _count_moments(budget, size * most)
    room = max(_MIN_NEIGHBOURS, int(budget / (2 * _BYTES_EACH * max(1, size))))
    # The first and the last are always included.
    asked = [step for step in kept if 0 < step < last][: (count - 1) // 2]
    wanted = {*asked, *early_steps(last, count - len(asked))}
    held = Moments(min(most, room))
    page = _Encoder(slice(None), held.k)
    further, encoders, far = None, list[_Encoder](), set[int]()
    if beside and count < FEW_MOMENTS:
        further, far = (
            Moments(most),
            {*early_steps(last, _count_moments(_BESIDE_BYTES, size * most)), *wanted},
        )
        starts = range(0, size, WORDS_OF_A_FILE)
        encoders = [_Encoder(slice(start, start + WORDS_OF_A_FILE), most) for start in starts]
    for step, ranking in _rank(run, sorted(wanted | far), most, progress):
        for moments, some in ((held, [page] if step in wanted else []), (further, encoders)):
            if moments is None or not some or ranking.step in moments.steps:
                continue
            moments.steps.append(ranking.step)
            moments.longest.append(ranking.longest)
            for encoder in some:
                encoder.add(ranking)
    return NearestWords(held, page.finish(), further, [encoder.finish() for encoder in encoders])


def _count_moments(budget: int, each: int) -> int:
    """Return how many moments of `each` neighbours fit into about `budget` bytes; at least two."""
    return max(2, min(MAX_MOMENTS, int(budget / (_BYTES_EACH * max(1, each)))))


def _rank(
    run: RunFolder, wanted: Sequence[int], k: int, progress: Callable[[float], None]
) -> Iterator[tuple[int, _Ranking]]:
    """Yield steps with the neighbours of all tokens there, or at the nearest step that is kept."""
    ranking: _Ranking | None = None
    with MatrixHistory(run) as history:
        for index, step in enumerate(wanted):
            progress(index / len(wanted))
            try:
                matrix = history.snapshot(step, nearest=True)
            except NoSnapshotError:
                continue
            if ranking is None or matrix.step != ranking.step:
                ranking = _rank_all(matrix.step, np.nan_to_num(matrix.vectors), k)
            yield step, ranking


def _rank_all(step: int, vectors: Floats, k: int) -> _Ranking:
    ids, cosines = all_nearest(vectors, k)
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    longest = float(lengths.max(initial=0)) or 1.0
    return _Ranking(
        step,
        ids.astype(np.uint32),
        np.rint(100 * cosines).astype(np.int16),
        np.rint(lengths / longest * _LENGTH_STEPS).astype("<u2"),
        longest,
    )
