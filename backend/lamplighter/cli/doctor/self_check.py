"""The command `lamplighter self-check`: whether this installation trains, serves, and reads back what it recorded."""

from __future__ import annotations

import json
import math
import os
import platform
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from lamplighter import __version__
from lamplighter.cli.common import common_options
from lamplighter.cli.terminal import print_line
from lamplighter.contract.recipe import CorpusRecipe, Recipe
from lamplighter.platform.printable import quote_foreign
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore

STEPS = 50
_TRAIN_SECONDS, _ANSWER_SECONDS, _END_SECONDS = 300, 60, 10
"""Seconds after which a stage counts as failed; a quiet machine takes a tenth of them."""
_ADDRESS = re.compile(r"^Lamplighter is at (http://\S+)", re.M)
_PARTS = re.compile(r'(?:src|href)="([^":]+)"')
"""The parts of the page beside it."""


class SelfCheckError(Exception):
    """An error for a stage that failed. The text says how, and what to do."""


@click.command("self-check")
@common_options()
def self_check_command(runs_dir: Path) -> int:
    """Check this installation, in seconds: train 50 steps of Lamptown in a folder of their own, serve them, fetch the page in
    no browser, and compare what is served with the record. The folder is removed. Exits with 1 if something is wrong.
    """
    del runs_dir
    print_line(f"lamplighter {__version__}, Python {platform.python_version()}, {_describe_torch()}")
    begun = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="lamplighter-self-check-") as folder:
            run = RunStore(Path(folder) / "runs").create(
                Recipe(corpus=CorpusRecipe(kind="lamptown"), steps=STEPS)
            )
            report("trained", lambda: _train(run))
            with _served(run.path.parent) as address:
                report("the page", lambda: fetch_page(address))
                report("read back", lambda: _read_back(run, address))
    except SelfCheckError:
        return 1
    print_line(f"all is well, after {time.monotonic() - begun:.0f} s; nothing was left behind")
    print_line("not checked: the map, which is compiled when it is first drawn, and the page in a browser")
    return 0


def report(stage: str, work: Callable[[], str]) -> None:
    """Do the work of a stage and print what it found, or that it failed before it raises SelfCheckError."""
    begun = time.monotonic()
    try:
        found = work()
    except SelfCheckError as error:
        print_line(f"!!  {stage}: {error}", err=True)
        raise
    except Exception as error:
        # What is checked is whether anything at all goes wrong.
        print_line(f"!!  {stage}: {type(error).__name__}: {quote_foreign(error)}", err=True)
        raise SelfCheckError(stage) from error
    print_line(f"ok  {stage}: {found} ({time.monotonic() - begun:.1f} s)")


def _describe_torch() -> str:
    try:
        return f"torch {version('torch')}, {platform.system()} {platform.machine()}"
    except PackageNotFoundError:
        return "no torch, which training needs"


def _train(run: RunFolder) -> str:
    command = [sys.executable, "-m", "lamplighter.training.worker", str(run.path)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_TRAIN_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise SelfCheckError(f"the trainer did not end within {_TRAIN_SECONDS} s") from None
    if done.returncode:
        raise SelfCheckError(
            f"the trainer ended with {done.returncode}: {quote_foreign(_last_line(done.stderr))}"
        )
    from lamplighter.client.run import open_run

    recorded = open_run(run.path)
    first, last = (next(iter(recorded.steps(step, step))).loss for step in (1, STEPS))
    chance = math.log(len(recorded.tokens))
    if not last < first:
        raise SelfCheckError(f"the loss did not fall: {first:.3f} at step 1, {last:.3f} at step {STEPS}")
    return f"{STEPS} steps, loss {first:.2f} at step 1 and {last:.2f} at step {STEPS}; guessing gives {chance:.2f}"


@contextmanager
def _served(runs: Path) -> Generator[str]:
    words = (
        "--runs",
        str(runs),
        "serve",
        "--no-workers",
        "--no-browser",
        "--port",
        "0",
        "--smooth-after",
        "never",
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "lamplighter", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    said: list[str] = []
    address: list[str] = []
    up = threading.Event()

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if found := _ADDRESS.match(line):
                address.append(found[1].rstrip("/"))
                up.set()
        up.set()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()

    def wait() -> str:
        up.wait(_ANSWER_SECONDS)
        if not address:
            raise SelfCheckError(f"it did not start: {quote_foreign(_last_line(''.join(said)))}")
        with _open(f"{address[0]}/healthz"):
            return f"it answers at {address[0]}"

    try:
        report("the server", wait)
        yield address[0]
    finally:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        listener.join(_END_SECONDS)
        if process.stdout is not None:
            process.stdout.close()


def fetch_page(address: str) -> str:
    """Fetch the page of a server and all parts that it names, and return how much that is."""
    with _open(f"{address}/") as answer:
        page = answer.read().decode()
    parts = sorted(set(_PARTS.findall(page)))
    scripts = [part for part in parts if part.endswith(".js")]
    if not scripts:
        raise SelfCheckError(
            "it has no script: the installation lacks the built page (python build_frontend.py)"
        )
    size = len(page)
    for part in parts:
        with _open(f"{address}/{part.removeprefix('./').lstrip('/')}") as answer:
            content = answer.read()
        if not content:
            raise SelfCheckError(f"{part} is empty")
        size += len(content)
    return f"{len(parts) + 1} files, {size / 1e6:.1f} MB, not opened in a browser"


def _read_back(run: RunFolder, address: str) -> str:
    # numpy is slow to import, and a broken one is a finding of its own.
    import io

    import numpy as np

    from lamplighter.client.run import open_run

    recorded = open_run(run.path)
    root = f"{address}/api/runs/{run.id}"
    with _open(f"{root}/steps?from=1&to={STEPS}") as answer:
        served: list[dict[str, Any]] = json.load(answer)["items"]
    losses = [pulse.loss for pulse in recorded.steps(1, STEPS)]
    if [one["loss"] for one in served] != losses:
        raise SelfCheckError("the steps that are served are not those of the record")
    with _open(f"{root}/snapshots/{STEPS}?format=npy") as answer:
        matrix = np.load(io.BytesIO(answer.read()), allow_pickle=False)
    own = recorded.snapshot(STEPS)
    if matrix.shape != own.shape or not (matrix == own).all():
        raise SelfCheckError(f"the matrix that is served after step {STEPS} is not that of the record")
    rows, width = own.shape
    return f"{STEPS} steps, and the matrix after the last, {rows:,} x {width} numbers, equal in every bit"


def _open(address: str) -> Any:
    # A proxy of the environment does not lead to this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(address, timeout=_ANSWER_SECONDS)


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "it said nothing")
