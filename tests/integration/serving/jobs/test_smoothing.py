"""A real server smooths a finished run by itself, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from tests.browser.map_page import write_maps
from tests.support.application import Application
from tests.support.folders import V, finished_run
from tests.support.waiting import wait_until

pytestmark = pytest.mark.tour


def left(run: RunFolder) -> set[str]:
    return {path.name for path in run.path.glob("relayouts*")}


def test_a_finished_run_is_smoothed_after_a_while_even_if_the_first_server_is_killed(tmp_path: Path) -> None:
    run = finished_run(tmp_path, 35)
    write_maps(run.layouts_path, V, range(0, 36, 5))
    with Application(tmp_path, "serve", "--smooth-after", "0.2") as server:
        wait_until(lambda: server.get(f"/api/runs/{run.id}/reprojection")["by_itself"])
        # The file that is being made has another name.
        wait_until(lambda: "relayouts.part" in left(run) or run.relayouts_path.exists())
        if not run.relayouts_path.exists():
            server.kill()
            wait_until(lambda: "relayouts.part" not in left(run))
            # The job may have come to its end before it missed its server.
            assert left(run) <= {"relayouts.sqlite"}
            assert (read_status(run).smoothed is None) == (not left(run))
    run.relayouts_path.unlink(missing_ok=True)
    with Application(tmp_path, "serve", "--smooth-after", "0.2") as server:
        # Not by asking the server: each request interrupts the work.
        wait_until(lambda: "smoothed for replay up to step 35" in server.log)
        assert left(run) == {"relayouts.sqlite"}
        assert server.get(f"/api/runs/{run.id}")["status"]["smoothed"] == 35
        layouts = server.get(f"/api/runs/{run.id}/layouts?set=again&method=umap")["items"]
        assert (layouts[0]["step"], layouts[-1]["step"]) == (0, 35)
