"""Trainings that several processes share, against the same training in one: record with record."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import lamplighter
from tests.support.machine.ranks import run_ranks
from tests.support.machine.shared_training import SharedModel, assert_same_record, train_part, train_plainly

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
