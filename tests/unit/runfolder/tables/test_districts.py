"""A layouts file from before districts existed: it has none, and stores them once its writer opens it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.layout_frames import Method

OLD = Path(__file__).parents[3] / "golden" / "run-format-1.zip"


def districts(step: int) -> Districts:
    return Districts(1, step, 1.0, np.array([4], np.uint32), ("animals",), np.ones(9, np.uint16))


def old_file(folder: Path) -> Path:
    with zipfile.ZipFile(OLD) as archive:
        name = next(name for name in archive.namelist() if name.endswith("layouts.sqlite"))
        path = folder / "layouts.sqlite"
        path.write_bytes(archive.read(name))
    return path


def test_an_older_file_has_none_and_can_have_some(tmp_path: Path) -> None:
    path = old_file(tmp_path)
    with LayoutsReader(path) as reader:
        assert reader.last_written_districts() is None
        assert reader.districts_entries() == []
        assert reader.district_events() == []
        made = reader.last_written(Method.LINEAR)
        assert made is not None
        with LayoutsWriter(path) as writer:
            writer.commit_districts(districts(7), [("district-born", "It came.")])
            # A reader opened earlier sees them.
            assert [entry.step for entry in reader.districts_entries()] == [7]
            assert [event.message for event in reader.district_events()] == ["It came."]
            assert reader.last_written(Method.LINEAR) == made


def test_old_times_get_coarser_and_events_stay(tmp_path: Path) -> None:
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
