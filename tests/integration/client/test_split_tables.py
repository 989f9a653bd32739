"""Tables that are split over processes by rows or by columns, as tensor parallelism splits them: record with record.

The runner of processes that train together: results by rank, and failures and hangs that are told with all output.
"""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import Replicate, Shard
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

import lamplighter
from tests.support.machine.ranks import RankError, run_ranks
from tests.support.machine.shared_training import (
    SharedModel,
    assert_same_record,
    train_part,
    train_plainly,
)

EMBEDDINGS: dict[str, Any] = {
    "by rows": RowwiseParallel(input_layouts=Replicate()),
    "by columns": ColwiseParallel(output_layouts=Replicate()),
    "by rows, ids split": RowwiseParallel(input_layouts=Shard(0)),
}


def train_in_parallel(
    rank: int, size: int, folder: Path, how: str, tied: bool = False, options: Any = None, **others: Any
) -> list[int]:
    """Train with the table, and the output matrix, split by tensor parallelism: each process reads the whole batch."""
    model: Any = SharedModel(tied=False)
    mesh = init_device_mesh("cpu", (size,))
    plan: dict[str, Any] = {"wte": EMBEDDINGS[how], "head": ColwiseParallel(output_layouts=Replicate())}
    parallelize_module(model, mesh, plan)
    if tied:
        model.head.weight = model.wte.weight
    watched = lamplighter.watch(
        model, folder=folder / "shared", embedding="wte", on_error="raise", **(options or {})
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    called = model
    if how.endswith("ids split"):

        def called(ids: torch.Tensor, targets: torch.Tensor) -> Any:
            return model(ids.chunk(size)[rank], targets)

    train_part(called, optimizer, watched, rank=rank, size=size, whole_batch=True, **others)
    weight: Any = model.wte.weight
    return list(weight.to_local().shape)


SOON = [("by rows", True, 2), ("by rows", False, 3), ("by columns", False, 3)]
LATER = [(how, tied, size) for how in EMBEDDINGS for tied in (False, True) for size in (1, 2, 3)]


@pytest.mark.parametrize(
    ("how", "tied", "size"),
    [
        *SOON,
        *(
            pytest.param(*case, marks=pytest.mark.tour)
            for case in LATER
            # The table of columns and the output matrix are split otherwise, so they cannot be one.
            if case not in SOON and case[:2] != ("by columns", True)
        ),
    ],
)
def test_a_vocabulary_parallel_table_is_recorded_whole(
    tmp_path: Path, size: int, how: str, tied: bool
) -> None:
    run_ranks(train_plainly, 0, tmp_path, tied=tied)
    run_ranks(train_in_parallel, size, tmp_path, how=how, tied=tied)
    assert_same_record(tmp_path / "shared", tmp_path / "plain")


@pytest.mark.tour
@pytest.mark.parametrize("how", ["by rows", "by columns"])
def test_accumulated_and_merged_steps_are_those_of_one_process(tmp_path: Path, how: str) -> None:
    options: dict[str, Any] = {"every": 5} if how == "by rows" else {}
    loop: dict[str, Any] = {"accumulation": 2, "options": options}
    run_ranks(train_plainly, 0, tmp_path, **loop)
    run_ranks(train_in_parallel, 2, tmp_path, how=how, **loop)
    assert_same_record(tmp_path / "shared", tmp_path / "plain", steps=20 // options.get("every", 1))


def train_on_a_grid(rank: int, size: int, folder: Path, how: str) -> str:
    """Train in two groups of two processes: data parallel between them (FSDP2), tensor parallel within."""
    model: Any = SharedModel()
    mesh = init_device_mesh("cpu", (2, 2), mesh_dim_names=("data", "tensor"))
    plan: dict[str, Any] = {"wte": EMBEDDINGS[how], "head": ColwiseParallel(output_layouts=Replicate())}
    parallelize_module(model, mesh["tensor"], plan)
    fully_shard(model, mesh=mesh["data"])
    try:
        watched = lamplighter.watch(model, folder=folder / "shared", embedding="wte", on_error="raise")
    except lamplighter.InputError as error:
        return str(error)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    train_part(model, optimizer, watched, rank=rank // 2, size=2)
    return ""


@pytest.mark.tour
def test_columns_that_are_split_by_rows_again_are_recorded_whole(tmp_path: Path) -> None:
    run_ranks(train_plainly, 0, tmp_path)
    assert run_ranks(train_on_a_grid, 4, tmp_path, how="by columns") == [""] * 4
    assert_same_record(tmp_path / "shared", tmp_path / "plain")


@pytest.mark.tour
def test_rows_that_are_split_by_rows_again_are_refused(tmp_path: Path) -> None:
    said = run_ranks(train_on_a_grid, 4, tmp_path, how="by rows")
    assert all("whose parts are no blocks of rows or columns" in one for one in said)
    assert not (tmp_path / "shared").exists()


def train_in_copies(rank: int, size: int, folder: Path, shape: tuple[int, int]) -> None:
    """Train with FSDP2 on a mesh of copies of shards (HSDP)."""
    model: Any = SharedModel()
    fully_shard(model, mesh=init_device_mesh("cpu", shape, mesh_dim_names=("copies", "shards")))
    watched = lamplighter.watch(model, folder=folder / "shared", on_error="raise")
    train_part(model, torch.optim.SGD(model.parameters(), lr=0.5), watched, rank=rank, size=size)


@pytest.mark.tour
@pytest.mark.parametrize("shape", [(2, 1), (1, 2), (3, 1)])
def test_copies_of_shards_are_recorded_once(tmp_path: Path, shape: tuple[int, int]) -> None:
    run_ranks(train_plainly, 0, tmp_path)
    run_ranks(train_in_copies, shape[0] * shape[1], tmp_path, shape=shape)
    assert_same_record(tmp_path / "shared", tmp_path / "plain")


def watch_what_cannot_be(rank: int, size: int, folder: Path, what: str) -> str:
    model: Any = SharedModel()
    mesh = init_device_mesh("cpu", (size,))
    options: dict[str, Any] = {}
    if what == "a whole table":
        parallelize_module(model, mesh, {"mid": RowwiseParallel(input_layouts=Replicate())})
    elif what == "merged columns":
        parallelize_module(model, mesh, {"wte": EMBEDDINGS["by columns"]})
        options = {"every": 2}
    else:
        # A mesh for each process.
        alone = init_device_mesh("cpu", (size, 1), mesh_dim_names=("copies", "own"))["own"]
        parallelize_module(model, alone, {"wte": EMBEDDINGS["by rows"]})
    try:
        lamplighter.watch(model, folder=folder / "shared", embedding="wte", **options)
    except lamplighter.InputError as error:
        return str(error)
    return "not refused"


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("a whole table", "unknown which processes read the same batch"),
        ("merged columns", "every=2: the embedding is split by columns"),
        ("a mesh of some", "spread over 1 processes, and this record is of 2"),
    ],
)
def test_what_would_give_wrong_numbers_is_refused_by_every_rank(tmp_path: Path, what: str, why: str) -> None:
    said = run_ranks(watch_what_cannot_be, 2, tmp_path, what=what)
    assert all(why in one for one in said), said
    assert not (tmp_path / "shared").exists()


def train_on_the_same_batch(rank: int, size: int, folder: Path) -> list[str]:
    model = nn.parallel.DistributedDataParallel(SharedModel())
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        watched = lamplighter.watch(model, folder=folder / "shared", on_error="raise")
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        train_part(model, optimizer, watched, rank=rank, size=size, steps=3, whole_batch=True)
    return [str(one.message) for one in said]


def test_processes_that_read_the_same_rows_are_said_once(tmp_path: Path) -> None:
    first, second = run_ranks(train_on_the_same_batch, 2, tmp_path)
    assert sum("in step 1 all processes read the very same rows" in line for line in first) == 1
    assert not second


def train_with_split_states(rank: int, size: int, folder: Path) -> None:
    from torch.distributed.optim import ZeroRedundancyOptimizer

    model = nn.parallel.DistributedDataParallel(SharedModel())
    watched = lamplighter.watch(model, folder=folder / "shared", on_error="raise")
    optimizer = ZeroRedundancyOptimizer(model.parameters(), optimizer_class=torch.optim.SGD, lr=0.5)
    train_part(model, optimizer, watched, rank=rank, size=size)


@pytest.mark.tour
def test_an_optimiser_whose_states_are_split_steps_the_whole_table(tmp_path: Path) -> None:
    run_ranks(train_plainly, 0, tmp_path)
    run_ranks(train_with_split_states, 2, tmp_path)
    assert_same_record(tmp_path / "shared", tmp_path / "plain")


def add_ranks(rank: int, size: int, folder: Path, start: int) -> int:
    total = torch.tensor(rank + start)
    torch.distributed.all_reduce(total)
    return int(total)


def end_badly(rank: int, size: int, folder: Path) -> None:
    print(f"here is {rank}")
    if rank:
        raise ValueError("the second rank cannot")
    torch.distributed.barrier()


def hang(rank: int, size: int, folder: Path) -> None:
    print(f"{rank} is about to hang")
    if rank:
        time.sleep(1_000)
    torch.distributed.barrier()


@pytest.mark.parametrize("size", [1, pytest.param(2, marks=pytest.mark.tour), 3])
def test_each_rank_returns(tmp_path: Path, size: int) -> None:
    assert run_ranks(add_ranks, size, tmp_path, start=1) == [size * (size + 1) // 2] * size


def test_a_rank_that_raises_ends_all_of_them(tmp_path: Path) -> None:
    with pytest.raises(RankError, match=r"(?s)here is 0.*here is 1.*ValueError: the second rank cannot"):
        run_ranks(end_badly, 2, tmp_path)


@pytest.mark.tour  # It waits.
def test_a_group_that_hangs_is_killed_and_its_output_shown(tmp_path: Path) -> None:
    with pytest.raises(
        RankError, match=r"(?s)0 is about to hang.*rank 1 of 2 hung and was killed:\n1 is about.*in hang"
    ):
        run_ranks(hang, 2, tmp_path, patience=15)
