"""The live files of a broadcast: what a viewer reads from them, who is early, late, or lost some.

The end of a broadcast: what is written of it when the site fails at the last moment.
The places of a broadcast: a folder, and object stores.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest

from lamplighter.packing.broadcast import broadcast
from lamplighter.packing.broadcast.broadcast import (
    KEPT,
    WHOLE_EVERY,
    Broadcast,
    BroadcastFailedError,
    SegmentWriter,
)
from lamplighter.packing.broadcast.site import FolderSite, Site, StoreSite
from lamplighter.serving.live import channel_log
from lamplighter.serving.live.beat_log import BeatLog
from lamplighter.serving.live.feeds import MessageKind, ViewerMessage
from lamplighter.serving.live.folder_beats import BeatMaker
from lamplighter.serving.live.publication import JoiningState
from lamplighter.wire.frames import encode
from lamplighter.wire.grid_frames import GridLayout
from lamplighter.wire.layout_frames import Method
from lamplighter.wire.row_frames import NEVER, Census
from tests.support.classroom.segment_viewer import SegmentViewer, split_segment
from tests.support.folders import V, layout, pulse
from tests.support.machine.object_stores import OpenStore, open_store, s3_environment
from tests.support.synthetic_runs.growing_run import GrowingRun


class Show:
    """A run of ten seconds a step, its log, and its live files."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, BeatLog()
        self.touches, self.last_lit = np.zeros(V, np.uint32), np.full(V, NEVER, np.uint32)
        self.writer = SegmentWriter(FolderSite(folder.parent), folder.name, "run")
        self._maker = BeatMaker(lambda attempt, step: f'{{"type":"words","step":{step}}}')
        self._step, self._now = 0, 0.0
        self._give(MessageKind.CENSUS, encode(Census(1, 0, 1.0, self.touches, self.last_lit)))

    def train(self, steps: int = 1) -> None:
        for _ in range(steps):
            self._step += 1
            ids = np.unique(np.random.default_rng(self._step).integers(0, V, 6))
            self.touches[ids] += 1
            self.last_lit[ids] = self._step
            self._give(MessageKind.PULSE, encode(pulse(1, self._step, ids)))
            if self._step % 3 == 0:
                self._give(MessageKind.UMAP, encode(layout(1, self._step)))

    def write(self, **how: bool) -> None:
        self.writer.write_second(self.log, **how)

    def viewer(self) -> SegmentViewer:
        return SegmentViewer(V, lambda path: (self.folder / path).read_bytes())

    def manifest(self) -> dict[str, object]:
        return json.loads((self.folder / "manifest.json").read_bytes())

    def newest_layouts(self) -> tuple[GridLayout, ...]:
        state = self.log.newest_state()[1]
        assert isinstance(state, JoiningState)
        return state.layouts

    def expect_same(self, viewer: SegmentViewer) -> None:
        np.testing.assert_array_equal(viewer.page.touches, self.touches)
        np.testing.assert_array_equal(viewer.page.last_lit, self.last_lit)
        newest = {one.method.view: one for one in self.newest_layouts()}
        for view, seen in viewer.page.layouts.items():
            np.testing.assert_array_equal(seen.places, newest[view].places)

    def _give(self, kind: MessageKind, data: bytes) -> None:
        self._now += 10
        self._maker.take_messages([ViewerMessage(kind, data, 1)], self._now)
        while due := self._maker.next_publication(self._now):
            self.log.publish(*due)


@pytest.fixture
def show(tmp_path: Path) -> Show:
    return Show(tmp_path / "live")


def test_viewers_who_join_at_any_time_count_what_the_run_counted(show: Show):
    viewers: list[SegmentViewer] = []
    for second in range(3 * WHOLE_EVERY):
        show.train(second % 4)
        show.write()
        viewers.append(show.viewer())
        for viewer in viewers:
            viewer.look()
    assert show.newest_layouts()
    for viewer in viewers:
        show.expect_same(viewer)
        assert viewer.whole_states == 1
    assert Method.UMAP in viewers[0].page.layouts
    assert "words" in viewers[0].page.kinds()


def test_a_quiet_second_has_no_segment_but_the_manifest_says_that_it_goes_on(show: Show):
    show.train()
    show.write()
    before = show.manifest()
    show.write()
    assert show.manifest() == before | {"written": before["written"] + 1}  # pyright: ignore[reportOperatorIssue]


def test_a_message_has_the_milliseconds_after_the_segment_before(show: Show, monkeypatch: pytest.MonkeyPatch):
    show.write()
    now = [broadcast.time.monotonic() + 100]
    monkeypatch.setattr(broadcast.time, "monotonic", lambda: now[0])
    show.train()
    show.write()
    now[0] += 0.25
    show.train()
    show.write()
    newest = sorted(show.folder.glob("*/[0-9]*[0-9].bin"))[-1]
    assert [after for after, _ in split_segment(newest.read_bytes())] == [250]


def test_a_viewer_who_was_away_goes_on_from_a_whole_state(show: Show):
    show.train()
    show.write()
    away = show.viewer()
    away.look()
    for _ in range(KEPT + 2 * WHOLE_EVERY + 5):
        show.train()
        show.write()
    assert show.manifest()["first"] > 2  # pyright: ignore[reportOperatorIssue]
    away.look()
    show.expect_same(away)
    assert away.whole_states == 2


def test_old_segments_go(show: Show):
    for _ in range(2 * KEPT):
        show.train()
        show.write()
    numbers = {int(path.name[:6]) for path in show.folder.glob("*/*.bin")}
    first = show.manifest()["first"]
    assert min(numbers) == first
    assert len(numbers) <= KEPT + WHOLE_EVERY + 1


def test_publications_that_were_lost_are_replaced_by_a_whole_state(
    show: Show, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(channel_log, "MAX_KEPT", 3)
    viewer = show.viewer()
    for _ in range(3):
        # More in a second than the log keeps.
        show.train(10)
        show.write()
        viewer.look()
        show.expect_same(viewer)
    assert viewer.whole_states == 3


def test_a_restarted_broadcast_reuses_no_name(show: Show):
    show.train(5)
    show.write()
    viewer = show.viewer()
    viewer.look()
    old = show.manifest()["name"]
    show.writer = SegmentWriter(FolderSite(show.folder.parent), show.folder.name, "run")
    show.train(5)
    show.write()
    assert show.manifest()["name"] != old
    assert list((show.folder / str(old)).glob("*")) == []
    viewer.look()
    show.expect_same(viewer)


def test_the_last_segment_says_so(show: Show):
    show.train()
    show.write(ended=True)
    viewer = show.viewer()
    viewer.look()
    assert viewer.ended
    show.expect_same(viewer)


def test_only_the_files_of_a_broadcast_are_removed(tmp_path: Path):
    mine = tmp_path / "live" / "mine"
    mine.mkdir(parents=True)
    (mine / "notes.txt").touch()
    for said in (b"{", b"[]", b'{"name": "mine"}', b'{"name": "../live"}', b'{"name": 7}'):
        (tmp_path / "live" / "manifest.json").write_bytes(said)
        Show(tmp_path / "live").write()
        assert (mine / "notes.txt").exists()


def test_a_segment_that_could_not_be_written_is_written_later(show: Show, monkeypatch: pytest.MonkeyPatch):
    show.train(2)
    show.write()
    viewer = show.viewer()
    viewer.look()
    real = FolderSite.put_file

    def fail(*given: object, **how: object) -> None:
        raise OSError("no room")

    show.train()
    monkeypatch.setattr(FolderSite, "put_file", fail)
    with pytest.raises(OSError, match="no room"):
        show.write()
    monkeypatch.setattr(FolderSite, "put_file", real)
    show.train()
    show.write()
    viewer.look()
    show.expect_same(viewer)
    assert viewer.whole_states == 1


def test_messages_are_not_repeated_after_a_whole_state_that_failed(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FolderSite.put_file

    def fail_whole(self: FolderSite, name: str, *given: object, **how: object) -> None:
        if "-whole" in name:
            raise OSError("no room")
        real(self, name, *given, **how)  # pyright: ignore[reportArgumentType]

    show.train()
    monkeypatch.setattr(FolderSite, "put_file", fail_whole)
    with pytest.raises(OSError, match="no room"):
        show.write()
    monkeypatch.setattr(FolderSite, "put_file", real)
    show.write()
    assert (show.manifest()["sequence"], show.manifest()["whole"]) == (1, 1)
    viewer = show.viewer()
    viewer.look()
    show.expect_same(viewer)


class FailingSite(FolderSite):
    """A folder that takes no page, and not the first manifest that says the end."""

    failed = False

    def put_file(self, name: str, data: bytes, media_type: str, *, lasting: bool) -> None:
        is_end = name.endswith("manifest.json") and json.loads(data)["ended"]
        if name == broadcast.PAGE or (is_end and not self.failed):
            self.failed = self.failed or is_end
            raise OSError("no room")
        super().put_file(name, data, media_type, lasting=lasting)


def test_an_end_that_cannot_be_written_is_tried_again_and_a_missing_page_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "SEGMENT_SECONDS", 0.0)
    run = GrowingRun(tmp_path / "runs")
    run.grow(3)
    run.end()
    site, said = FailingSite(tmp_path / "site"), list[str]()
    with pytest.raises(BroadcastFailedError, match="last page"):
        Broadcast(run.folder, site, said.append).write_until_over(threading.Event().wait)
    assert site.failed
    assert json.loads((tmp_path / "site" / "live" / "manifest.json").read_bytes())["ended"]


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
    SegmentWriter(site, "live", "run").write_second(BeatLog())
    site.put_file("live/other.txt", b"mine", "text/plain", lasting=False)
    SegmentWriter(site, "live", "run").write_second(BeatLog())
    assert site.read_small_file("live/other.txt") == b"mine"


def test_everybody_may_read_what_is_in_a_folder(tmp_path: Path):
    FolderSite(tmp_path / "site").put_file("index.html", b"page", "text/html", lasting=False)
    assert (tmp_path / "site" / "index.html").stat().st_mode & 0o777 == 0o644
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["index.html"]
