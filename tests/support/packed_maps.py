"""Maps of a packed run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.wire.layout_frames import Layout, Method
from tests.support.synthetic_runs.recorded import HOSTILE

V = len(HOSTILE)
EARLIER = Path(__file__).parents[1] / "golden" / "runs-format-2.zip"
"""A run trained by an earlier version, and one recorded from a client's loop."""


def write_maps(path: Path, *steps: int, until: int | None = None, size: int = V) -> None:
    with LayoutsWriter(path) as writer:
        for step in steps:
            places = np.random.default_rng(step).normal(size=(size, 2)).astype(np.float32)
            writer.commit(Layout(1, step, 1e9, Method.UMAP, places))
        writer.set_facts({} if until is None else {"until": until})
        writer.close(sealed=True)
