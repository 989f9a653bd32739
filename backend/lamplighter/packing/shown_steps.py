"""The steps that a packed run shows: lights with exact counts of those in between, and maps, evenly spaced.

Maps lie on a 12-bit grid, each as a difference from the one before.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.current_map import covers_run, districts_on_lineage, layouts_on_lineage
from lamplighter.runfolder.reading.snapshot import read_census
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutEntry, LayoutsReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.live.beat_picker import TouchTally
from lamplighter.serving.live.publication import GridChain
from lamplighter.wire.beat_frames import Beat
from lamplighter.wire.envelope import encode_envelope
from lamplighter.wire.frames import decode_as, encode
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse


def deflate(data: bytes) -> bytes:
    """Compress bytes at the highest level (RFC 1951, without a header), since a page is made once and sent often."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    return packer.compress(data) + packer.flush()


_EARLIER = 1.5
"""Exponent of the spacing: above 1, steps are denser at the beginning, where most is learned."""

T = TypeVar("T")


def early_steps(last: int, count: int) -> list[int]:
    """Return at most `count` steps from 0 to `last`, inclusive, ascending, denser at the beginning."""
    shares = np.linspace(0, 1, max(2, count)) ** _EARLIER
    return sorted({round(last * share) for share in shares.tolist()})


def thin(items: list[T], count: int) -> list[T]:
    """Return at most `count` items, evenly spread, including the first and the last."""
    if len(items) <= count:
        return items
    return [items[index] for index in np.unique(np.linspace(0, len(items) - 1, count).round().astype(int))]


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
    beyond it. `last`: the last step, at least 1; `kept`: steps to include in any case.
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


MAX_LAYOUTS = {Method.UMAP: 150, Method.LINEAR: 40}
MAX_DISTRICTS = 80
_BYTES_A_TOKEN = 2.5
"""Approximate bytes per token of a layout difference with trust by token."""
_AT_ONCE = 50


@dataclass(frozen=True)
class Maps:
    """The layouts of one view."""

    chosen: list[LayoutEntry]
    available: int
    """Number of layouts of the view in the run."""
    envelopes: list[bytes]


def pack_maps(
    run: RunFolder, lineage: Lineage, last: int, view: Method, budget: int, progress: Callable[[float], None]
) -> Maps | None:
    """Encode the layouts of a view up to `last`, preferably smoothed ones that cover all steps, if any."""
    path = run.relayouts_path if covers_run(run, last) else run.layouts_path
    try:
        with LayoutsReader(path) as reader:
            entries = {
                entry.step: entry
                for entry in layouts_on_lineage(reader, lineage)
                if entry.method.view == view and entry.step <= last
            }
            available = [entries[step] for step in sorted(entries)]
            count = max(2, min(MAX_LAYOUTS[view], int(budget / (_BYTES_A_TOKEN * len(run.vocabulary)))))
            chosen = thin(available, count)
            return Maps(chosen, len(available), _pack_maps(reader, chosen, progress)) if chosen else None
    except FileNotFoundError:
        return None


def pack_districts(run: RunFolder, lineage: Lineage, last: int) -> list[bytes]:
    """Encode the districts up to the step `last`, thinned evenly."""
    try:
        with LayoutsReader(run.layouts_path) as reader:
            found = {
                entry.step: entry for entry in districts_on_lineage(reader, lineage) if entry.step <= last
            }
            chosen = thin([found[step] for step in sorted(found)], MAX_DISTRICTS)
            frames = [reader.districts_record(entry.id) for entry in chosen]
    except FileNotFoundError:
        return []
    return _envelopes(frames)


def _pack_maps(
    reader: LayoutsReader, chosen: list[LayoutEntry], progress: Callable[[float], None]
) -> list[bytes]:
    chain, frames = GridChain(), list[bytes]()
    for index, entry in enumerate(chosen):
        frame = chain.append(_round_trust(decode_as(reader.layout_record(entry.id), Layout)))
        if frame is not None:
            frames.append(frame)
        progress((index + 1) / len(chosen))
    return _envelopes(frames)


def _round_trust(layout: Layout) -> Layout:
    """Return a layout with trust by token rounded to four bits: it is an estimate, and more bits take space."""
    if layout.by_token is None:
        return layout
    return replace(layout, by_token=(np.rint(layout.by_token / 17) * 17).astype(np.uint8))


def _envelopes(frames: list[bytes]) -> list[bytes]:
    return [encode_envelope(frames[at : at + _AT_ONCE]) for at in range(0, len(frames), _AT_ONCE)]
