from __future__ import annotations

from pathlib import Path

import numpy as np

from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.wire.frames import decode
from lamplighter.wire.layout_frames import Layout, Method


def layout(step: int, method: Method, attempt: int = 1) -> Layout:
    return Layout(attempt, step, 0.0, method, np.eye(2, dtype=np.float32))


def test_thins_old_layouts_and_keeps_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "layouts.sqlite"
    with LayoutsWriter(path) as writer:
        for step in range(400):
            for method in (Method.LINEAR, Method.UMAP):
                writer.commit(layout(step, method))
            writer.thin_layouts(100)
        with LayoutsReader(path) as reader:
            entries = reader.layout_entries()
    assert len(entries) <= 100
    for method in (Method.LINEAR, Method.UMAP):
        steps = [e.step for e in entries if e.method == method]
        assert len(steps) > 40 // len(Method)
        assert steps[0] == 0
        newest = 40 // len(Method)
        assert steps[-newest:] == list(range(400 - newest, 400))


def test_keeps_few_layouts(tmp_path: Path) -> None:
    with LayoutsWriter(tmp_path / "layouts.sqlite") as writer:
        assert writer.thin_layouts(2) == 0
        for step in range(3):
            writer.commit(layout(step, Method.UMAP))
        assert writer.thin_layouts(3) == 0
        assert writer.thin_layouts(2) == 1


def test_the_last_written_layout_may_belong_to_an_earlier_step(tmp_path: Path) -> None:
    path = tmp_path / "layouts.sqlite"
    with LayoutsWriter(path) as writer:
        with LayoutsReader(path) as reader:
            assert reader.last_written(Method.UMAP) is None
        writer.commit(layout(90, Method.UMAP))
        writer.commit(layout(40, Method.UMAP, attempt=2))
        writer.commit(layout(95, Method.LINEAR))
        with LayoutsReader(path) as reader:
            record = reader.last_written(Method.UMAP)
    assert record is not None
    last = decode(record)
    assert (last.attempt, last.step) == (2, 40)
