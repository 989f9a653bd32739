"""The places of a broadcast: a folder, and object stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamplighter.packing.broadcast.segments import SegmentWriter
from lamplighter.packing.broadcast.site import FolderSite, Site, StoreSite
from lamplighter.serving.classroom.beats.beat_log import BeatLog
from lamplighter.serving.fanout.memory_fanout import MemoryFanout
from tests.support.machine.object_stores import OpenStore, open_store, s3_environment

__all__ = ["open_store", "s3_environment"]


@pytest.fixture(params=["folder site", "store site"])
def site(request: pytest.FixtureRequest, tmp_path: Path, open_store: OpenStore) -> Site:
    return FolderSite(tmp_path / "site") if request.param == "folder site" else StoreSite(open_store())


def test_files_are_put_replaced_and_removed(site: Site):
    assert site.read_small_file("live/a.json") is None
    site.put_file("live/a.json", b"1", "application/json", lasting=False)
    site.put_file("live/a.json", b"22", "application/json", lasting=False)
    site.put_file("live/x/000001.bin", b"3", "application/octet-stream", lasting=True)
    site.put_file("live/y/000001.bin", b"4", "application/octet-stream", lasting=True)
    assert site.read_small_file("live/a.json") == b"22"
    site.remove_below("live/x")
    assert site.read_small_file("live/x/000001.bin") is None
    assert site.read_small_file("live/y/000001.bin") == b"4"
    site.remove_files(["live/y/000001.bin"])
    assert site.read_small_file("live/y/000001.bin") is None
    # What is gone may be removed again.
    site.remove_files(["live/y/000001.bin"])
    site.remove_below("live/x")


def test_a_second_broadcast_removes_what_the_first_one_left(site: Site):
    SegmentWriter(site, "live", "run").write_second(BeatLog(MemoryFanout(), "run"))
    site.put_file("live/other.txt", b"mine", "text/plain", lasting=False)
    SegmentWriter(site, "live", "run").write_second(BeatLog(MemoryFanout(), "run"))
    assert site.read_small_file("live/other.txt") == b"mine"


def test_everybody_may_read_what_is_in_a_folder(tmp_path: Path):
    FolderSite(tmp_path / "site").put_file("index.html", b"page", "text/html", lasting=False)
    assert (tmp_path / "site" / "index.html").stat().st_mode & 0o777 == 0o644
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["index.html"]
