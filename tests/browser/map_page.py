"""Synthetic maps, written at once for runs without a projector: these tests are of the page, not the map."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.layout_frames import Layout, Method


def write_maps(
    path: Path,
    size: int,
    steps: Iterable[int],
    names: tuple[str, ...] = (),
    *,
    attempt: int = 1,
    events: Iterable[tuple[str, str]] = (),
) -> None:
    """Write maps, and districts if they have names, into a layouts file.

    Args:
        path: the run's `layouts_path`.
        size: number of tokens.
        steps: the steps that get one map of each kind.
        names: one district per name, whose tokens lie together.
        attempt: the attempt of the steps.
        events: kind and message of each change of the districts, all at the last step.
    """
    parts = max(6, len(names))
    of = np.arange(size) * parts // size
    angle = 2 * np.pi * of / parts
    strewn = np.random.default_rng(5).normal(scale=0.12, size=(size, 2))
    xy = np.stack([1.6 * np.cos(angle), np.sin(angle)], axis=1) + strewn
    trusted = np.full(size, 220, dtype=np.uint8)
    places = np.where(of < len(names), of + 1, 0).astype(np.uint16)
    ids = np.arange(1, len(names) + 1, dtype=np.uint32)
    steps = list(steps)
    with LayoutsWriter(path) as writer:
        for step in steps:
            moved = (xy * (1 + step / 5_000)).astype(np.float32)
            for method in (Method.LINEAR, Method.UMAP):
                writer.commit(
                    Layout(attempt, step, time.time(), method, moved, 0.93, 0.01, 0.6, size, trusted)
                )
            if names:
                found = Districts(attempt, step, time.time(), ids, names, places)
                writer.commit_districts(found, events if step == steps[-1] else ())
