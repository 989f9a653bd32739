"""Trainings that several processes share, against the same training in one: record with record.

A training of two processes, one of which is killed, and which goes on from its checkpoint: one curve, that of one process.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import lamplighter
from tests.support.machine.ranks import RankError, run_ranks
from tests.support.machine.shared_training import (
    SharedModel,
    assert_same_record,
    global_batches,
    part_of,
    read_exchanges,
    train_part,
    train_plainly,
)

TOUR = pytest.mark.tour  # The others are like these, and each starts two groups of processes.


def train_in_ddp(rank: int, size: int, folder: Path, tied: bool = False, **others: Any) -> None:
    model = nn.parallel.DistributedDataParallel(SharedModel(tied=tied))
    watched = lamplighter.watch(model, folder=folder / "shared", on_error="raise")

    def synced(last: bool) -> Any:
        return nullcontext() if last else model.no_sync()

    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    train_part(model, optimizer, watched, rank=rank, size=size, synced=synced, **others)


@pytest.mark.parametrize(
    ("size", "options"),
    [
        (3, {"tied": True}),
        pytest.param(1, {"tied": True}, marks=TOUR),
        pytest.param(2, {}, marks=TOUR),
        pytest.param(2, {"accumulation": 3, "clip": 0.1}, marks=TOUR),
    ],
    ids=repr,
)
def test_the_record_of_ddp_is_that_of_one_process(tmp_path: Path, size: int, options: Any) -> None:
    run_ranks(train_plainly, 0, tmp_path, **options)
    run_ranks(train_in_ddp, size, tmp_path, **options)
    assert_same_record(tmp_path / "shared", tmp_path / "plain")


def shard(model: SharedModel, *, units: bool, reshard: bool, half: bool = False) -> None:
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

    policy = (
        MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
        if half
        else MixedPrecisionPolicy()
    )
    parts = [model.wte, model.mid] if units else []
    for part in [*parts, model]:
        fully_shard(part, reshard_after_forward=reshard, mp_policy=policy)


def train_in_fsdp2(
    rank: int,
    size: int,
    folder: Path,
    tied: bool = False,
    units: bool = False,
    reshard: bool = True,
    every: int = 1,
    sync: bool = True,
    half: bool = False,
    name: str = "shared",
    **others: Any,
) -> None:
    from torch.distributed.device_mesh import init_device_mesh

    model: Any = SharedModel(tied=tied)
    init_device_mesh("cpu", (size,))
    shard(model, units=units, reshard=reshard, half=half)
    watched = lamplighter.watch(model, folder=folder / name, on_error="raise", every=every)

    def synced(last: bool) -> Any:
        model.set_requires_gradient_sync(last or sync)
        return nullcontext()

    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    train_part(model, optimizer, watched, rank=rank, size=size, synced=synced, **others)


KINDS = [
    {"reshard": True, "units": True},
    {"reshard": False, "units": True},
    {"tied": True},
    {"accumulation": 2, "sync": True, "units": True},
    {"accumulation": 2, "sync": False},
    {"clip": 0.1, "reshard": False},
    {"every": 4},
]
QUICK = [(2, KINDS[0]), (3, KINDS[4])]


@pytest.mark.parametrize(
    ("size", "options"),
    [
        *QUICK,
        *(
            pytest.param(size, kind, marks=TOUR)
            for kind in KINDS
            for size in (1, 2, 3)
            if (size, kind) not in QUICK
        ),
    ],
    ids=repr,
)
def test_the_record_of_fsdp2_is_that_of_one_process(tmp_path: Path, size: int, options: Any) -> None:
    plain = {name: value for name, value in options.items() if name in ("tied", "accumulation", "clip")}
    every = {"every": options["every"]} if "every" in options else {}
    run_ranks(train_plainly, 0, tmp_path, options=every, **plain)
    run_ranks(train_in_fsdp2, size, tmp_path, **options)
    assert_same_record(tmp_path / "shared", tmp_path / "plain", steps=20 // options.get("every", 1))


@pytest.mark.parametrize("size", [2, pytest.param(3, marks=TOUR)])
def test_in_mixed_precision_the_record_is_that_of_one_process_but_for_its_rounding(
    tmp_path: Path, size: int
) -> None:
    # bfloat16 rounds by 2**-9 at most. From the loss to the table there are eight roundings (the loss and its division by
    # the tokens, the output matrix, tanh, the layer, the sum over at most four places of a row), in each of the two
    # records, and what they leave is relative to the largest row: 2 * 8 * 2**-9.
    run_ranks(train_in_fsdp2, 1, tmp_path, half=True, name="plain")
    run_ranks(train_in_fsdp2, size, tmp_path, half=True)
    assert_same_record(tmp_path / "shared", tmp_path / "plain", tolerance=2**-5, of_largest=True)


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
