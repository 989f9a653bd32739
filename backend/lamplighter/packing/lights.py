"""The lights of a packed run: some of its steps as beats, with exact counts of those in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from lamplighter.packing.spacing import early_steps
from lamplighter.runfolder.reading.snapshot import read_census
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.live.touch_tally import TouchTally
from lamplighter.wire.beat_frames import Beat
from lamplighter.wire.envelope import encode_envelope
from lamplighter.wire.frames import decode_as, encode
from lamplighter.wire.pulse_frames import Pulse

MAX_STEPS = 2_000
MIN_STEPS = 2
_STEPS_AT_ONCE = 500
_BEATS_AT_ONCE = 64
"""Maximum beats in an envelope."""


@dataclass(frozen=True)
class Lights:
    """The steps shown by a packed run."""

    steps: list[int]
    """Ascending, without step 0, which has no lit rows."""
    envelopes: list[bytes]
    """The census of step 0 and the beats, in order."""


def pack_lights(
    run: RunFolder,
    reader: StepsReader,
    last: int,
    kept: Iterable[int],
    budget: int,
    progress: Callable[[float], None],
) -> Lights:
    """Encode the lights of as many steps as fit into `budget` bytes; the first and the last are kept even
    beyond it.

    `last`: the last step, at least 1; `kept`: steps to include in any case.
    """
    count, asked = min(MAX_STEPS, last), {step for step in kept if 1 <= step <= last}
    packed = _pack(run, reader, last, asked | choose_steps(last, count), lambda share: progress(share / 2))
    size = sum(map(len, packed.envelopes))
    if size <= budget:
        return packed
    # Fewer steps have more steps between them, so the size shrinks less than in proportion.
    while size > budget and count > MIN_STEPS:
        count = max(MIN_STEPS, int(count * min(0.9, 0.95 * budget / size)))
        packed = _pack(
            run, reader, last, asked | choose_steps(last, count), lambda share: progress((1 + share) / 2)
        )
        size = sum(map(len, packed.envelopes))
    return packed


def choose_steps(last: int, count: int) -> set[int]:
    """Return about `count` steps from 1 to `last`, inclusive, denser at the beginning; all if there are no more."""
    if count >= last:
        return set(range(1, last + 1))
    return {max(1, step) for step in early_steps(last, count)}


def _pack(
    run: RunFolder, reader: StepsReader, last: int, wanted: set[int], progress: Callable[[float], None]
) -> Lights:
    census = read_census(reader, reader.lineage(), 0, run.created)
    tally = TouchTally(census)
    frames, envelopes = [encode(census)], list[bytes]()
    for start in range(1, last + 1, _STEPS_AT_ONCE):
        for step, record in reader.pulses(start, min(start + _STEPS_AT_ONCE - 1, last), _STEPS_AT_ONCE):
            pulse = decode_as(record, Pulse)
            if step not in wanted:
                tally.count_between(pulse)
                continue
            frames.append(encode(_dim(tally.show(pulse))))
            if len(frames) >= _BEATS_AT_ONCE:
                envelopes.append(encode_envelope(frames))
                frames = []
        progress(min(1.0, (start + _STEPS_AT_ONCE) / last))
    if frames:
        envelopes.append(encode_envelope(frames))
    return Lights(sorted(wanted), envelopes)


def _dim(beat: Beat) -> Beat:
    """Return a beat with fewer norms: those between are omitted, the others have about three digits."""
    norms = _round(beat.gradient_norms)
    return replace(beat, gradient_norms=norms, between=replace(beat.between, norms=None))


def _round(values: np.ndarray) -> np.ndarray:
    """Round 32-bit floats to eleven bits, so that two of their four byte planes compress well."""
    bits = np.ascontiguousarray(values, dtype="<f4").view("<u4").astype(np.uint64)
    return ((bits + 0x800) & ~np.uint64(0xFFF)).astype("<u4").view("<f4")
