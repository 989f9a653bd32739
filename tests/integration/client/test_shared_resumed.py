"""A training of two processes, one of which is killed, and which goes on from its checkpoint: one curve, that of one process."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import lamplighter
from tests.support.machine.ranks import RankError, run_ranks
from tests.support.machine.shared_training import (
    SharedModel,
    global_batches,
    part_of,
    read_exchanges,
    train_plainly,
)

STEPS, SAVED, KILLED = 8, 3, 6


def train(rank: int, size: int, folder: Path, resumes: bool) -> None:
    inner = SharedModel()
    if resumes:
        inner.load_state_dict(torch.load(folder / "checkpoint"))
    model = nn.parallel.DistributedDataParallel(inner)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    begun = {"resume": folder / "shared", "first_step": SAVED} if resumes else {"folder": folder / "shared"}
    with lamplighter.watch(model, on_error="raise", **begun) as watcher:
        for number, (batch,) in enumerate(global_batches(STEPS), start=1):
            if number <= SAVED and resumes:
                continue
            if number == KILLED and rank and not resumes:
                os.kill(os.getpid(), 9)
            try:
                ids = part_of(batch, rank, size)
                model(ids, ids.roll(-1, 1))[1].backward()
                optimizer.step()
            except RuntimeError as error:
                watcher.close(error)
                return
            optimizer.zero_grad()
            if number == SAVED and rank == 0:
                torch.save(inner.state_dict(), folder / "checkpoint")


def test_a_killed_training_goes_on_in_its_curve(tmp_path: Path) -> None:
    with pytest.raises(RankError, match="rank 1 of 2 ended with -9"):
        run_ranks(train, 2, tmp_path, resumes=False)
    assert lamplighter.open(tmp_path / "shared").status.step in (KILLED - 2, KILLED - 1)
    run_ranks(train, 2, tmp_path, resumes=True)
    run_ranks(train_plainly, 0, tmp_path, steps=STEPS)
    shared, plain = (lamplighter.open(tmp_path / name) for name in ("shared", "plain"))
    assert (shared.status.phase, shared.status.attempt, shared.status.step) == ("finished", 2, STEPS)
    for ours, theirs in zip(shared.steps(), plain.steps(), strict=True):
        np.testing.assert_array_equal(ours.batch_ids, theirs.batch_ids)
        np.testing.assert_array_equal(ours.batch_counts, theirs.batch_counts)
        np.testing.assert_allclose(ours.loss, theirs.loss, rtol=1e-5)
    np.testing.assert_allclose(shared.snapshot(STEPS), plain.snapshot(STEPS), atol=1e-5)
    assert any("bit for bit" in event.message for event in shared.events())
    assert [step for step, _, _ in read_exchanges(tmp_path / "shared")] == list(range(1, STEPS + 1))
