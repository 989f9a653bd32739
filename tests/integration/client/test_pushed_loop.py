"""A watched loop that is pushed by its own process: what it recorded arrives, even if it is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.web.access.pushers import PusherStore
from tests.support.application import Application
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
