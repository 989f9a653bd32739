"""The data of the page: a bounded number of steps and layouts, packed small. Pure except for reading
the run."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.exports.output import ExportError
from lamplighter.exports.page.kinds import read_kinds
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.current_map import layouts_on_lineage
from lamplighter.runfolder.reading.smoothed_map import covers_run
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutEntry, LayoutsReader
from lamplighter.runfolder.tables.steps import StepsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse

MAX_BEATS = 600
MAX_LIT = 1_024
"""Maximum lamps of one step; where more rows have a gradient (tied weights, say) the strongest are shown."""
_PLACES_BYTES = 1_600_000
_LIT_BYTES = 1_200_000
_MAX_LAYOUTS = 150
_MAX_LOSSES = 4_000
_BATCH = 500


@dataclass(frozen=True)
class PageData:
    """The page's JSON head, and the packed binary data (zlib); `head["parts"]` has the offset and length of
    each part."""

    head: dict[str, Any]
    packed: bytes


def read_page_data(run: RunFolder, progress: Callable[[float], None]) -> PageData:
    """Read a run for the page; a live one up to its newest step.

    Raises:
        ExportError: the run has no step, or no layout yet.
        FormatError: this version cannot read the folder.
    """
    try:
        with StepsReader(run.steps_path) as reader:
            lineage, (_, last) = reader.lineage(), reader.newest_step()
            if last < 1:
                raise FileNotFoundError
            # A live run goes on meanwhile, so the page ends at `last`.
            vocabulary = run.vocabulary
            layouts_path = run.relayouts_path if covers_run(run, last) else run.layouts_path
            chosen_layouts, all_layouts = _choose_layouts(
                run.id, layouts_path, lineage, last, len(vocabulary)
            )
            steps = [entry.step for entry in chosen_layouts]
            # No step is shown on a later map, so the page begins with the first.
            first = max(1, min(last, steps[0]))
            losses, beats = _steps(reader, first, last, progress)
    except FileNotFoundError as error:
        raise ExportError(f"{run.id} has not begun: there is nothing to replay yet") from error
    coordinates, method = _read_layouts(layouts_path, chosen_layouts, progress)
    kinds = read_kinds(run, lineage, vocabulary, steps)
    lit, max_lit = (
        [pulse.gradient_ids for pulse in beats],
        max((len(p.gradient_ids) for p in beats), default=0),
    )
    norms = [pulse.gradient_norms for pulse in beats]
    strongest = _norm_ceiling(norms)
    chosen = [_keep_strongest(ids, of) for ids, of in zip(lit, norms, strict=True)]
    parts: dict[str, bytes] = {
        "places": _byte_planes(_deltas(coordinates), 2),
        "losses": np.array([loss for _, loss in losses], "<f4").tobytes(),
        "loss_steps": np.array([step for step, _ in losses], "<u4").tobytes(),
        "ids": _byte_planes(np.concatenate([np.diff(ids, prepend=np.uint32(0)) for ids, _ in chosen]), 3),
        "norms": np.concatenate([_quantise_norms(of, strongest) for _, of in chosen]).tobytes(),
        "districts": _byte_planes(kinds.district_of.ravel(), 4),
    }
    offsets: dict[str, tuple[int, int]] = {}
    offset = 0
    # The page copies each part before it reads typed arrays, so no part needs to be aligned.
    for name, data in parts.items():
        offsets[name] = (offset, len(data))
        offset += len(data)
    spans = np.ptp(coordinates.reshape(-1, 2), axis=0)
    head = {
        "name": run.id,
        "tokens": vocabulary.tokens,
        "counts": vocabulary.counts.tolist(),
        "classes": list(vocabulary.classes),
        "class_of": vocabulary.class_of().tolist(),
        **kinds.head,
        "layouts": steps,
        "aspect": float(spans[1] / spans[0]) if spans[0] > 0 and spans[1] > 0 else 1.0,
        # Step 0 has lit nothing; it is shown where it has a map.
        "beats": ([(0, None, 0, 0)] if steps[0] == 0 else [])
        + [
            (p.step, p.loss if math.isfinite(p.loss) else None, len(p.gradient_ids), len(ids))
            for p, (ids, _) in zip(beats, chosen, strict=True)
        ],
        "norm": strongest,
        "parts": offsets,
        "size": offset,
        "about": _describe(run, first, last, beats, steps, all_layouts, method, max_lit, len(losses)),
    }
    return PageData(head, zlib.compress(b"".join(parts.values()), 9))


def _steps(
    reader: StepsReader, first: int, last: int, progress: Callable[[float], None]
) -> tuple[list[tuple[int, float]], list[Pulse]]:
    """Read the losses of steps `first` to `last` (downsampled so that no extreme is lost) and the steps that are shown
    in full."""
    losses: list[tuple[int, float]] = []
    largest = 1
    for start in range(first, last + 1, _BATCH):
        for step, record in reader.pulses(start, min(start + _BATCH - 1, last), _BATCH):
            pulse = decode_as(record, Pulse)
            losses.append((step, pulse.loss))
            largest = max(largest, min(MAX_LIT, len(pulse.gradient_ids)))
        progress(0.6 * min(1.0, (start + _BATCH) / last))
    count = max(2, min(MAX_BEATS, last - first + 1, _LIT_BYTES // (3 * largest)))
    beats: list[Pulse] = []
    for _, record in reader.pulses_at(sorted({round(s) for s in np.linspace(first, last, count)})):
        beats.append(decode_as(record, Pulse))
    return _downsample_losses(losses), beats


def _downsample_losses(losses: list[tuple[int, float]]) -> list[tuple[int, float]]:
    if len(losses) <= _MAX_LOSSES:
        return losses
    kept: list[tuple[int, float]] = []
    for some in np.array_split(np.arange(len(losses)), _MAX_LOSSES // 2):
        values = np.array([losses[i][1] for i in some])
        kept += [losses[some[i]] for i in sorted({int(values.argmin()), int(values.argmax())})]
    return kept


def _choose_layouts(
    run_id: str, path: Path, lineage: Lineage, last: int, size: int
) -> tuple[list[LayoutEntry], int]:
    """Choose layouts of one view spread evenly over the run. Returns them, and how many of that view the run has."""
    try:
        with LayoutsReader(path) as reader:
            all_entries = list(layouts_on_lineage(reader, lineage))
    except FileNotFoundError:
        all_entries = []
    view = max((entry.method.view for entry in all_entries), default=Method.LINEAR)
    entries = {e.step: e for e in all_entries if e.method.view == view and e.step <= last}
    if not entries:
        raise ExportError(f"{run_id} has no map yet; make one with: lamplighter project {run_id}")
    chosen = [entries[step] for step in sorted(entries)]
    count = max(2, min(_MAX_LAYOUTS, _PLACES_BYTES // (4 * size)))
    if len(chosen) > count:
        wanted = np.linspace(chosen[0].step, chosen[-1].step, count)
        steps = np.array([e.step for e in chosen])
        chosen = [chosen[i] for i in sorted({int(np.abs(steps - w).argmin()) for w in wanted})]
    return chosen, len(entries)


def _read_layouts(
    path: Path, chosen: list[LayoutEntry], progress: Callable[[float], None]
) -> tuple[NDArray[np.uint16], Method]:
    """Read layouts: their positions, (L, V, 2), with each axis scaled to 16 bits over all layouts, and their method."""
    coordinates: list[NDArray[np.float32]] = []
    with LayoutsReader(path) as reader:
        for index, entry in enumerate(chosen):
            coordinates.append(decode_as(reader.layout_record(entry.id), Layout).coordinates)
            progress(0.6 + 0.4 * index / len(chosen))
    xyz = np.stack(coordinates)
    low, high = xyz.min(axis=(0, 1)), xyz.max(axis=(0, 1))
    scale = np.where(high > low, high - low, np.float32(1))
    return np.rint((xyz - low) / scale * 65_535).astype(np.uint16), chosen[-1].method


def _deltas(places: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Return each layout minus the one before (modulo 65,536): most tokens move little, and small numbers
    compress well."""
    return np.concatenate([places[:1], places[1:] - places[:-1]]).ravel()


def _byte_planes(values: NDArray[Any], count: int) -> bytes:
    """Return the lowest bytes of all values, then the next ones, since similar bytes side by side compress
    better."""
    return b"".join((values >> (8 * i) & 0xFF).astype(np.uint8).tobytes() for i in range(count))


def _norm_ceiling(norms: list[NDArray[np.float32]]) -> float:
    every = np.concatenate(norms)
    every = every[np.isfinite(every)]
    return float(np.quantile(every, 0.995)) or 1.0 if len(every) else 1.0


def _quantise_norms(norms: NDArray[np.float32], strongest: float) -> NDArray[np.uint8]:
    """Quantise square roots to a byte: a norm is (byte / 255) ** 2 * strongest. At least 1, so that every lit
    row shows."""
    part = np.sqrt(np.clip(np.nan_to_num(norms, nan=strongest, posinf=strongest), 0, strongest) / strongest)
    return np.clip(np.rint(255 * part), 1, 255).astype(np.uint8)


def _keep_strongest(
    ids: NDArray[np.uint32], norms: NDArray[np.float32]
) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    if len(ids) <= MAX_LIT:
        return ids, norms
    kept = np.sort(np.argsort(norms)[-MAX_LIT:])
    return ids[kept], norms[kept]


def _describe(
    run: RunFolder, first: int, last: int, beats: list[Pulse], layouts: list[int], all_layouts: int, method: Method, max_lit: int, losses: int
) -> list[str]:  # fmt: skip
    """Describe the page: what it shows and what was left out."""
    kind = "a linear view" if method in (Method.LINEAR, Method.PCA) else "UMAP"
    lines = [
        f"A lamp is a token, its place is its place in the embedding ({kind}). A lamp lights when the step's"
        " batch gives its row a gradient: the stronger the gradient, the brighter.",
    ]
    left: list[str] = []
    if first > 1:
        left.append(f"the {first - 1:,} steps before the first map")
    if len(beats) < last - first + 1:
        left.append(
            f"{last - first + 1 - len(beats):,} of {last - first + 1:,} steps (shown are {len(beats):,}, evenly spread)"
        )
    if len(layouts) < all_layouts:
        left.append(f"{all_layouts - len(layouts):,} of {all_layouts:,} layouts")
    if max_lit > MAX_LIT:
        left.append(f"all but the {MAX_LIT:,} strongest lamps of a step")
    if losses < last - first + 1:
        left.append("losses between the extremes of each stretch")
    left.append("the vectors, the text of the batches, and the measures")
    lines.append(f"left out: {'; '.join(left)}.")
    if first > 1:
        lines.append(f"The map starts at step {first:,}, and so does this page.")
    if len(layouts) > 1:
        lines.append(
            "At a step between two maps, a lamp is on its way from its place on one to that on the other."
        )
    lines.append(f"{run.id}, made by Lamplighter. This page needs no network and sends nothing.")
    return lines
