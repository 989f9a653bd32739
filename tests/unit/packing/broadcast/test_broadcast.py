"""The end of a broadcast: what is written of it when the site fails at the last moment."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from lamplighter.packing.broadcast import broadcast
from lamplighter.packing.broadcast.broadcast import Broadcast, BroadcastFailedError
from lamplighter.packing.broadcast.site import FolderSite
from tests.support.synthetic_runs.growing_run import GrowingRun


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
