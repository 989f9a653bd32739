"""The maps of a packed run: some of its layouts on a 12-bit grid, each as a difference from the one before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lamplighter.packing.spacing import thin
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.current_map import districts_on_lineage, layouts_on_lineage
from lamplighter.runfolder.reading.smoothed_map import covers_run
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutEntry, LayoutsReader
from lamplighter.serving.classroom.beats.grid_chain import GridChain
from lamplighter.wire.envelope import encode_envelope
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method

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
            return Maps(chosen, len(available), _pack(reader, chosen, progress)) if chosen else None
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


def _pack(reader: LayoutsReader, chosen: list[LayoutEntry], progress: Callable[[float], None]) -> list[bytes]:
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
