"""The districts of a layouts file: old ones are thinned out, events stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.wire.district_frames import Districts


def districts(step: int) -> Districts:
    return Districts(1, step, 1.0, np.array([4], np.uint32), ("animals",), np.ones(9, np.uint16))


def test_thins_old_districts_and_keeps_events(tmp_path: Path) -> None:
    path = tmp_path / "layouts.sqlite"
    with LayoutsWriter(path) as writer:
        for step in range(40):
            writer.commit_districts(districts(step), [("district-born", f"at {step}")])
        assert writer.thin_districts(40) == 0
        assert writer.thin_districts(20) == 10
    with LayoutsReader(path) as reader:
        steps = [entry.step for entry in reader.districts_entries()]
        assert (steps[0], len(steps), steps[-20:]) == (0, 30, list(range(20, 40)))
        assert len(reader.district_events()) == 40
        assert [event.message for event in reader.district_events(limit=2)] == ["at 38", "at 39"]
        assert [event.message for event in reader.district_events(after=1, limit=2)] == ["at 1", "at 2"]
