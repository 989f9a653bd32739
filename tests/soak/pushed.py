"""A soak test of a run that is pushed while it grows: its pusher and the server are killed at random moments, and every step must
arrive exactly once.

Prints one JSON line; exits with 1 if the two records differ.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import uvicorn

from lamplighter.client.pushing.push_client import PushClient
from lamplighter.client.pushing.pusher import RunPusher
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.apps.app import create_app
from lamplighter.web.access.credentials import PusherStore
from lamplighter.web.settings import ServerSettings
from tests.support.synthetic_runs.growing_run import GrowingRun
from tests.support.synthetic_runs.received import require_equal_records
from tests.support.waiting import wait_until

FORKS = multiprocessing.get_context("fork")
"""Children of this process have imported everything, so that a kill costs no start."""


def push_under_kills(folder: Path, kills: int, seed: int = 0) -> dict[str, int]:
    """Push a growing run while its two sides are killed in turn. Return counts.

    Raises:
        AssertionError: the records differ.
    """
    choose = random.Random(seed)
    there, here = folder / "there", folder / "here"
    here.mkdir(parents=True)
    _, token = PusherStore(here).issue_token("2", 3_600, 10, 10**12)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    done = folder / "done"
    loop = _start(_grow, there, done)
    wait_until(lambda: any(there.glob("2*/steps.sqlite")))
    run = RunFolder(next(there.glob("2*")))
    sides: list[Callable[[], BaseProcess]] = [
        lambda: _start(_serve, here, port),
        lambda: _start(_push, run.path, port, token),
    ]
    processes = [side() for side in sides]
    for _ in range(kills):
        before = _arrived(here / run.id)
        time.sleep(choose.uniform(0.0, 0.4))
        if choose.random() < 0.5:
            # At least every second time something has come meanwhile.
            wait_until(lambda before=before: _arrived(here / run.id) > before)
        side = choose.randrange(2)
        processes[side].kill()
        processes[side].join()
        processes[side] = sides[side]()
    done.touch()
    loop.join()
    processes[1].join()
    assert (loop.exitcode, processes[1].exitcode) == (0, 0)
    processes[0].terminate()
    processes[0].join()
    require_equal_records(run, RunFolder(here / run.id))
    return {"kills": kills, "steps": _arrived(here / run.id), "lost": 0, "doubled": 0}


def _start(work: Callable[..., object], *arguments: object) -> BaseProcess:
    process = FORKS.Process(target=work, args=arguments, daemon=True)
    process.start()
    return process


def _grow(folder: Path, done: Path) -> None:
    run = GrowingRun(folder, size=60, dim=4)
    while not done.exists():
        run.grow(5, pause=0.004, rows=10)
        if run.at % 200 == 0:
            run.writer.add_event(run.at, "note", f"step {run.at}")
        if run.at % 500 == 0:
            run.resume_from(run.at - 7)
    run.end()


def _serve(folder: Path, port: int) -> None:
    settings = ServerSettings(folder, port=port, roles=(), smooth_after=None)
    uvicorn.run(create_app(settings), port=port, log_level="critical")


def _push(run: Path, port: int, token: str) -> None:
    pusher = RunPusher(RunFolder(run), PushClient(f"http://127.0.0.1:{port}", token), say=lambda _: None)
    pusher._wait = 0.05
    # The run's writer is a stand-in without the trainer's role, so that its end is told by its phase.
    pusher._is_over = lambda: _has_ended(run)  # pyright: ignore[reportAttributeAccessIssue]
    os._exit(0 if pusher.push() else 1)


def _has_ended(run: Path) -> bool:
    with StepsReader(run / "steps.sqlite") as reader:
        return reader.phase().has_ended


def _arrived(run: Path) -> int:
    try:
        with StepsReader(run / "steps.sqlite") as reader:
            return reader.newest_step()[1]
    except FileNotFoundError:
        return 0


def main() -> int:
    """Run the soak. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.pushed", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="[default: 50]")
    parser.add_argument("--seed", type=int, default=0, help="when they come  [default: 0]")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        try:
            print(
                json.dumps(push_under_kills(Path(folder), chosen.kills, chosen.seed) | {"seed": chosen.seed}),
                flush=True,
            )
        except AssertionError as error:
            print(
                json.dumps({"kills": chosen.kills, "seed": chosen.seed, "differs": str(error)[:200]}),
                flush=True,
            )
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
