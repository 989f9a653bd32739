"""The memory of a server that shows runs whose numbers are hostile: it grows by what their files justify, no more.

The runs lie in the folder as if they had been copied there, without the checks of an import.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lamplighter
from lamplighter.runfolder.lineage import step_key
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.sqlite.database import open_writer
from lamplighter.runfolder.tables import steps
from lamplighter.wire.frames import decode_as, encode
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.vocabulary import Vocabulary
from tests.support.application import Application
from tests.support.folders import TOKENS, V, finished_run, pulse
from tests.support.runs import batch_counts

MAX_GROWTH = 64 << 20
LATE = 20_000_000
EVENTS, CHARACTERS, PLAYERS = 2_000, 9_990, 6
LARGEST = 1 << 20
"""Tokens of the largest batch that a recipe allows."""

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="a peak of memory is told by Linux"
)


def change_recipe(run: RunFolder, **changes: object) -> None:
    path = run.path / "recipe.json"
    recipe = json.loads(path.read_text())
    recipe["model"]["context"] = changes.pop("context")
    recipe["corpus"]["kind"] = changes.pop("kind", "lamptown")
    path.write_text(json.dumps(recipe | changes))
    ids = np.random.default_rng(0).integers(0, V, size=6_000).astype(np.uint32)
    run.write_corpus(ids, Vocabulary(TOKENS, np.ones(V, dtype=np.int64)), "{}")


def huge_run(folder: Path) -> RunFolder:
    """Return a run whose batches would have 268 million tokens, with a step far beyond all others, and endless events."""
    run = finished_run(folder)
    change_recipe(run, context=4_096, sequences=65_536, passages=65_536, kind="recorded")
    connection = open_writer(run.steps_path, steps.SCHEMA)
    with connection:
        connection.execute(
            "INSERT INTO pulses VALUES(?,?,?)", (step_key(1, LATE), b"x", encode(pulse(1, LATE)))
        )
        connection.executemany(
            "INSERT INTO events(time,attempt,step,kind,message) VALUES(1,1,35,'note',?)",
            [("x" * CHARACTERS,)] * EVENTS,
        )
    connection.close()
    return run


def largest_run(folder: Path) -> RunFolder:
    """Return a run with the largest batches that its recipe allows, which its text repeats many times."""
    run = finished_run(folder)
    change_recipe(run, context=16, sequences=65_536, passages=65_536)
    connection = open_writer(run.steps_path, steps.SCHEMA)
    with connection:
        for row, record in connection.execute("SELECT id, record FROM pulses").fetchall():
            known = decode_as(record, Pulse)
            fitting = replace(known, batch_counts=batch_counts(len(known.batch_ids), LARGEST))
            connection.execute("UPDATE pulses SET record=? WHERE id=?", (encode(fitting), row))
    connection.close()
    return run


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    with Application(tmp_path, "serve", "--no-workers") as started:
        yield started


def peak(application: Application) -> int:
    status = Path(f"/proc/{application.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return 1024 * int(found[1])


def ask(application: Application, run: RunFolder, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"{application.url}/api/runs/{run.id}/{path}", timeout=60) as answer:
            return answer.status, str(sum(len(part) for part in iter(lambda: answer.read(1 << 16), b"")))
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)["detail"]


def play(application: Application, run: RunFolder) -> bool:
    """Follow the run from its beginning. Return whether the first step came."""
    url = f"{application.url}/?run={run.id}"
    return any(isinstance(f, Pulse) and f.step >= 1 for f in lamplighter.follow(url, from_step=0))


def test_hostile_numbers_take_no_memory(application: Application, tmp_path: Path) -> None:
    huge, largest = huge_run(tmp_path), largest_run(tmp_path)
    ask(application, largest, "steps?every=1")
    before = peak(application)
    status, said = ask(application, huge, "steps/5")
    assert (status, "268,500,992 numbers" in said, "lamplighter.open" in said) == (422, True, True), said
    status, length = ask(application, largest, "steps/5")
    assert (status, int(length) > 2 * LARGEST) == (200, True)
    assert ask(application, huge, "snapshots?limit=10")[0] == 200
    assert ask(application, huge, "tokens/3/path")[0] == 200
    assert ask(application, huge, "events")[0] == 200

    with ThreadPoolExecutor(PLAYERS) as pool:
        assert all(pool.map(lambda _: play(application, huge), range(PLAYERS)))
    growth = peak(application) - before
    assert growth < MAX_GROWTH, f"{growth / 1e6:.0f} MB"
