"""A watched loop that is pushed by its own process: what it recorded arrives, even if it is killed.

Runs of one name that are pushed with one token: each arrives by itself, under a name of its own.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lamplighter.client.pushing import pusher as pushing
from lamplighter.client.pushing.push_client import PushClient, PushRefusedError
from lamplighter.client.pushing.pusher import RunPusher
from lamplighter.client.pushing.worker import PushProcess
from lamplighter.runfolder.fragments import fragment
from lamplighter.runfolder.fragments.fragment import IDENTITY_FILE
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import numbered_id
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.web.access.credentials import PusherStore
from lamplighter.web.settings import ServerSettings
from tests.support.application import Application
from tests.support.served import ServerThread
from tests.support.synthetic_runs.growing_run import GrowingRun
from tests.support.synthetic_runs.received import require_equal_records
from tests.support.waiting import wait_until

LOOP = """
import sys, time, torch, lamplighter
torch.set_num_threads(1)
model = torch.nn.Sequential(torch.nn.Embedding(40, 4), torch.nn.Linear(4, 40))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
lamplighter.watch(model, folder=sys.argv[1], push=sys.argv[2], on_error="raise")
for step in range(int(sys.argv[3])):
    ids = torch.randint(0, 40, (6,))
    torch.nn.functional.cross_entropy(model(ids), ids.roll(1)).backward()
    optimizer.step()
    optimizer.zero_grad()
    time.sleep(0.01)
"""


def newest_step(run: Path) -> int:
    try:
        with StepsReader(run / "steps.sqlite") as reader:
            return reader.newest_step()[1]
    except FileNotFoundError:
        return 0


@pytest.mark.tour
def test_a_loop_that_ends_and_one_that_is_killed(tmp_path: Path) -> None:
    here = tmp_path / "here"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Application(here, "serve", "--no-workers", port=port):
        _, token = PusherStore(here).issue_token("exp-", 3_600, 10, 10**9)
        environment = os.environ | {"LAMPLIGHTER_PUSH_TOKEN": token}
        loops = {
            name: subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    LOOP,
                    str(tmp_path / "there" / name),
                    f"http://127.0.0.1:{port}",
                    steps,
                ],
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            for name, steps in (("exp-ends", "30"), ("exp-killed", "100000"))
        }
        said, _ = loops["exp-ends"].communicate(timeout=180)
        assert loops["exp-ends"].returncode == 0
        assert f"all of exp-ends is at http://127.0.0.1:{port}" in said
        wait_until(lambda: newest_step(here / "exp-killed") > 20, timeout=180)
        # As a batch system does: first it asks all processes of the job to end.
        children = Path(f"/proc/{loops['exp-killed'].pid}/task/{loops['exp-killed'].pid}/children")
        for child in children.read_text().split() if children.exists() else ():
            os.kill(int(child), signal.SIGTERM)
        loops["exp-killed"].kill()
        loops["exp-killed"].communicate()
        last = newest_step(tmp_path / "there" / "exp-killed")
        wait_until(lambda: newest_step(here / "exp-killed") == last, timeout=180)
    for name in loops:
        require_equal_records(RunFolder(tmp_path / "there" / name), RunFolder(here / name))


class Place:
    """A server, and tokens for it."""

    def __init__(self, here: Path) -> None:
        self.here = here
        self.server = ServerThread(ServerSettings(here, port=0, roles=())).start()
        self.address = f"http://127.0.0.1:{self.server.port}"
        self.tokens = {name: PusherStore(here).issue_token(name, 3_600, 100, 10**9)[1] for name in "j2"}
        self.said: list[str] = []

    def pusher(self, run: RunFolder) -> RunPusher:
        return RunPusher(run, PushClient(self.address, self.tokens[run.id[0]]), say=self.said.append)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("here"))
    yield place
    place.server.stop()


@pytest.fixture
def place(server: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(pushing, "_MIN_WAIT", 0.01)
    monkeypatch.setattr(pushing, "_POLL_SECONDS", 0.02)
    server.said.clear()
    return server


def job(disk: Path, name: str, steps: int, seed: int) -> RunFolder:
    """Return a finished run of a name on a disk of its own."""
    run = GrowingRun(disk, seed=seed)
    run.grow(steps)
    run.end()
    return RunFolder(run.folder.path.rename(disk / name))


def test_two_jobs_of_one_name_at_once(place: Place, tmp_path: Path) -> None:
    runs = [job(tmp_path / str(seed), "job-array", 20 + 10 * seed, seed) for seed in range(3)]
    pushers = [place.pusher(run) for run in runs]
    whole: list[bool] = []
    threads = [threading.Thread(target=lambda one=one: whole.append(one.push())) for one in pushers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert whole == [True] * 3
    assert sorted(one.name for one in pushers) == ["job-array", "job-array-2", "job-array-3"]
    for run, pusher in zip(runs, pushers, strict=True):
        require_equal_records(run, RunFolder(place.here / pusher.name))
    renamed = [one.name for one in pushers if one.name != "job-array"]
    assert sorted(said for said in place.said if "429" not in said) == sorted(
        f"another run has the name job-array there: see this one at {place.address}/?run={name}"
        for name in renamed
    )
    # Each finds its own again, also once its name is forgotten, or the one before has gone.
    for run, pusher in zip(runs, pushers, strict=True):
        again = place.pusher(run)
        assert again.name == pusher.name
        assert again.push()
        kept = run.path / IDENTITY_FILE
        kept.write_text(kept.read_text().replace(f'"{place.address}":"{pusher.name}"', ""))
        assert place.pusher(run).push()
        assert pusher.name in kept.read_text()
    (place.here / "job-array").rename(tmp_path / "gone")
    assert all((again := place.pusher(run)).push() and again.name == pusher.name for run, pusher in zip(runs, pushers, strict=True))  # fmt: skip


def test_a_job_that_is_killed_and_goes_on_elsewhere(place: Place, tmp_path: Path) -> None:
    first = GrowingRun(tmp_path / "first")
    first.grow(5)
    pusher = place.pusher(first.folder)
    while pusher._send_next(sign_of_life=False):
        pass
    # On another node the folder is not there, and the job begins again.
    second = job(tmp_path / "second", first.folder.id, 8, 1)
    assert place.pusher(second).push()
    require_equal_records(second, RunFolder(place.here / f"{first.folder.id}-2"))
    # The first one is back.
    first.grow(5)
    first.end()
    assert place.pusher(first.folder).push()
    require_equal_records(first.folder, RunFolder(place.here / first.folder.id))
    assert len(place.said) == 1


def test_a_run_that_an_earlier_version_began(place: Place, tmp_path: Path) -> None:
    own, other = (job(tmp_path / str(seed), "job-earlier", steps, seed) for seed, steps in ((1, 9), (2, 30)))
    assert place.pusher(other).push()
    arrived = place.here / "job-earlier" / "received.json"
    arrived.write_text('{"origin": "push j"}')
    # It is not the beginning of this one, though that name is all that is known of it: neither of a shorter nor of a longer one.
    for run, name in ((own, "job-earlier-2"), (job(tmp_path / "3", "job-earlier", 40, 3), "job-earlier-3")):
        pusher = place.pusher(run)
        assert pusher.push()
        assert pusher.name == name
        require_equal_records(run, RunFolder(place.here / name))
    again = place.pusher(other)
    assert again.push()
    assert again.name == "job-earlier"
    require_equal_records(other, RunFolder(place.here / "job-earlier"))


def test_a_folder_that_cannot_keep_a_name(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert place.pusher(job(tmp_path / "1", "job-shared", 3, 1)).push()
    unwritable = job(tmp_path / "2", "job-shared", 3, 2)

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(fragment, "write_atomically", refuse)
    with pytest.raises(PushRefusedError, match="cannot be written"):
        place.pusher(unwritable).push()
    alone = RunFolder(unwritable.path.rename(unwritable.path.with_name("job-alone")))
    for _ in range(2):
        assert place.pusher(alone).push()
    require_equal_records(alone, RunFolder(place.here / "job-alone"))


def test_a_loop_is_told_the_name_that_its_run_has(place: Place, tmp_path: Path) -> None:
    for seed, told in enumerate(("", ", as job-told-2")):
        run = job(tmp_path / str(seed), "job-told", 3, seed)
        process = PushProcess(run.path, place.address, place.tokens["j"])
        assert process.await_end(60) == f"all of job-told is at {place.address}{told}"


def test_numbered_names_are_ids() -> None:
    assert [numbered_id("x", number) for number in (1, 2)] == ["x", "x-2"]
    assert numbered_id("x" * 80, 100) == "x" * 76 + "-100"
