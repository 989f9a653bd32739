"""Reading a folder of two hundred runs: finding one run costs one run, and listing them costs a few reads
each.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from lamplighter.runfolder.run_set import SET_FILE
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from tests.support.asgi import call, connect
from tests.support.classroom.class_apps import (
    CLASS_HOST,
    CLASS_ORIGIN,
    PUPIL,
    ClassApps,
    make_class_apps,
)
from tests.support.folders import finished_run, layout
from tests.support.machine.disk_accesses import disk_accesses

RUNS = 200
LONG_AGO = 1_000_000_000
_LISTING = ("os.listdir", "os.scandir")


class Crowd:
    """A folder of one run and its many copies, with a class in front of it."""

    def __init__(self, folder: Path) -> None:
        first = finished_run(folder)
        writer = LayoutsWriter(first.layouts_path)
        writer.commit(layout(1, 35))
        writer.close(sealed=True)
        for path in (first.path, *first.path.iterdir()):
            os.utime(path, (LONG_AGO, LONG_AGO))
        self.folder = folder
        self.run = first.id
        for number in range(RUNS - 1):
            shutil.copytree(first.path, folder / f"{first.id}-{number}", copy_function=os.link)
            os.utime(folder / f"{first.id}-{number}" / "checkpoints", (LONG_AGO, LONG_AGO))
        self.apps: ClassApps = make_class_apps(folder)
        _, self.cookie = self.apps.join()
        self.headers = {
            "presenter": {
                "host": "127.0.0.1:8600",
                "authorization": f"Bearer {self.apps.services.gate.credentials.token}",
            },
            "viewer": {"host": CLASS_HOST, "cookie": self.cookie},
        }

    async def get(self, who: str, path: str) -> Any:
        app, peer = (self.apps.presenting, "127.0.0.1") if who == "presenter" else (self.apps.watching, PUPIL)
        answer = await call(app, "GET", path, self.headers[who], peer=peer)
        assert answer.status == 200, answer.body
        return answer.json

    async def count(self, asking: Callable[[], Awaitable[object]]) -> Counter[str]:
        """Count the listings of the folder itself, and the accesses to each run's folder."""
        counts: Counter[str] = Counter()
        with disk_accesses() as accesses:
            await asking()
        for access in accesses:
            path = Path(access.what)
            if path == self.folder and access.kind in _LISTING:
                counts["listings"] += 1
            elif path == self.folder / SET_FILE:
                # Whether the folder is a set.
                continue
            elif path != self.folder and path.is_relative_to(self.folder):
                counts[path.relative_to(self.folder).parts[0]] += 1
        return counts


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Crowd:
    return Crowd(tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize("who", ["presenter", "viewer"])
async def test_a_list_reads_each_run_a_few_times(crowd: Crowd, who: str) -> None:
    async def ask() -> None:
        assert len((await crowd.get(who, "/api/runs"))["items"]) == RUNS

    first, again = await crowd.count(ask), await crowd.count(ask)
    for counts, most in ((first, 40), (again, 4)):
        assert counts["listings"] == 1
        each = [count for name, count in counts.items() if name.startswith(crowd.run)]
        assert len(each) == RUNS
        assert max(each) <= most


@pytest.mark.parametrize(
    "path", ["/api/runs/{run}/steps/3/text", "/api/runs/{run}/examinations", "/api/runs/{run}"]
)
@pytest.mark.parametrize("who", ["presenter", "viewer"])
async def test_a_request_about_one_run_reads_no_other(crowd: Crowd, who: str, path: str) -> None:
    counts = await crowd.count(lambda: crowd.get(who, path.format(run=crowd.run)))
    assert counts[crowd.run] > 0
    assert set(counts) == {crowd.run}


async def test_joining_looks_at_no_other_run(crowd: Crowd) -> None:
    secret = crowd.apps.classroom.code_and_secret()[1]
    headers = {"host": CLASS_HOST, "origin": CLASS_ORIGIN}

    async def join() -> None:
        body = f'{{"code": "{secret}"}}'.encode()
        given = {**headers, "content-type": "application/json"}
        answer = await call(crowd.apps.watching, "POST", "/api/class/join", given, body, peer=PUPIL)
        assert answer.status == 204
        cookie = answer.cookies[0].partition(";")[0]
        path = f"/api/runs/{crowd.run}/beats"
        opened, code = await connect(crowd.apps.watching, path, {**headers, "cookie": cookie}, peer=PUPIL)
        assert (opened, code) == (True, None)

    counts = await crowd.count(join)
    assert counts[crowd.run] > 0
    assert set(counts) == {crowd.run}
