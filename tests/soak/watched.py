"""A soak test of a watched training: it is killed at random moments, and each run must hold every step it had committed.

Prints one JSON line; exits with 1 if a step was lost or holds other numbers than the training had.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import lamplighter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from tests.support.runs import kill
from tests.support.waiting import wait_until

ROWS, LONGEST = 50, 1.5
"""Rows of the embedding; the longest time that a loop is let run, in seconds."""


def train(steps: int, folder: Path | None = None, pause: float = 0.0) -> list[np.ndarray[Any, Any]]:
    """Train a small model; with a folder, watched. Returns the embedding before the first step and after each."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = nn.Sequential(nn.Embedding(ROWS, 4, sparse=True), nn.Linear(4, ROWS))
    others = torch.optim.SGD(model[1].parameters(), lr=0.1)
    sparse = torch.optim.SGD(model[0].parameters(), lr=0.1)
    if folder is not None:
        lamplighter.watch(model, folder=folder, keyframe_every=9, on_error="raise")
    matrices = [model[0].weight.detach().numpy().copy()]
    for _ in range(steps):
        ids = torch.randint(0, ROWS, (3,))
        nn.functional.cross_entropy(model(ids), ids.roll(1)).backward()
        for optimizer in (others, sparse):
            optimizer.step()
            optimizer.zero_grad()
        if folder is None:
            matrices.append(model[0].weight.detach().numpy().copy())
        time.sleep(pause)
    return matrices


@dataclass
class KilledLoops:
    """Findings in the runs of killed loops."""

    kills: int = 0
    steps: int = 0
    lost: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)


def kill_loops(parent: Path, kills: int, seed: int = 0) -> KilledLoops:
    """Start a watched loop, kill it at a random moment, and read what is left; so many times."""
    choose, found = random.Random(seed), KilledLoops()
    for number in range(kills):
        folder = parent / f"run-{number}"
        loop = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.watched", "--loop", str(folder)],
            stdout=subprocess.DEVNULL,
            cwd=Path(__file__).parents[2],
        )
        try:
            wait_until(lambda folder=folder: _committed(folder) > 0, "the first step")
            time.sleep(choose.uniform(0, LONGEST))
            committed = _committed(folder)
        finally:
            kill(loop)
        _audit(folder, committed, found)
        found.kills += 1
    return found


def _audit(folder: Path, committed: int, found: KilledLoops) -> None:
    run = lamplighter.open(folder)
    steps = [pulse.step for pulse in run.steps()]
    newest = run.status.step
    if newest < committed or steps != list(range(1, newest + 1)):
        found.lost.append(f"{folder.name}: {committed} were committed, {len(steps)} are there up to {newest}")
    wanted = train(newest)
    if run.snapshot_steps().tolist() != list(range(newest + 1)) or any(
        run.snapshot(step).tobytes() != wanted[step].tobytes() for step in range(newest + 1)
    ):
        found.mixed.append(folder.name)
    found.steps += newest


def _committed(folder: Path) -> int:
    try:
        with StepsReader(folder / "steps.sqlite") as reader:
            return reader.newest_step()[1]
    except FileNotFoundError:
        return 0


def main() -> int:
    """Run the soak, or the loop that it kills. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.watched", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="[default: 50]")
    parser.add_argument("--seed", type=int, default=0, help="when they come  [default: 0]")
    parser.add_argument("--loop", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.loop is not None:
        train(1_000_000, chosen.loop, pause=0.002)
        return 0
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        found = kill_loops(Path(folder), chosen.kills, chosen.seed)
    report = {"kills": found.kills, "steps": found.steps, "lost": len(found.lost), "mixed": len(found.mixed)}
    print(json.dumps(report | {"seed": chosen.seed}), flush=True)
    return 1 if found.lost or found.mixed else 0


if __name__ == "__main__":
    sys.exit(main())
