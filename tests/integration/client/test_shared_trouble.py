"""Processes that train together and do not agree, fail, or are killed: the record says so, and no loop waits for it.

Shared trainings that cannot be watched, as their libraries make them: each is refused when it is attached, with the reason.
"""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import lamplighter
from lamplighter.client.sharding import shared_recorder, watch_group
from lamplighter.client.watching.embedding_search import unwrap_model
from lamplighter.client.watching.weight_diff import WeightDiff
from tests.support.machine.ranks import RankError, run_ranks
from tests.support.machine.shared_training import SharedModel, global_batches, part_of

TOUR = pytest.mark.tour


def step(model: Any, optimizer: torch.optim.Optimizer, ids: torch.Tensor) -> None:
    model(ids, ids.roll(-1, 1))[1].backward()
    optimizer.step()
    optimizer.zero_grad()


def listen(said: list[str]) -> None:
    """Add each warning to a list."""

    def show(message: Any, *others: Any, **rest: Any) -> None:
        said.append(str(message))

    warnings.simplefilter("always")
    warnings.showwarning = show


def begin(rank: int, folder: Path, **options: Any) -> tuple[Any, torch.optim.Optimizer, Any, list[str]]:
    """Watch a model in DDP, and return it with its optimiser, the watcher, and the warnings that were shown."""
    said: list[str] = []
    listen(said)
    model = nn.parallel.DistributedDataParallel(SharedModel())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    return model, optimizer, lamplighter.watch(model, folder=folder / "shared", **options), said


def disagree(rank: int, size: int, folder: Path, how: str) -> str:
    model = SharedModel()
    options: dict[str, Any] = {}
    if how == "every":
        options["every"] = 1 + rank
    elif how == "no folder":
        (folder / "file").write_text("")
    elif how == "frozen" and rank:
        model.requires_grad_(False)
    elif how == "absent":
        # Nothing else of this test waits.
        watch_group.PATIENCE = 6.0
        if rank:
            torch.distributed.barrier()
            return ""
    try:
        place = folder / "file" if how == "no folder" else folder
        watcher = lamplighter.watch(model, folder=place / "shared", **options)
        return repr(watcher)
    except lamplighter.InputError as error:
        return str(error)
    finally:
        if how == "absent":
            torch.distributed.barrier()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("every", ["every is 1 in process 0 and 2 in process 1"] * 2),
        pytest.param(
            "frozen", ["process 1 of 2 cannot be watched: .*frozen", "the embedding is frozen"], marks=TOUR
        ),
        pytest.param(
            "no folder", ["records nothing: .*cannot be created", "records nothing: .*process 0"], marks=TOUR
        ),
        pytest.param(
            "absent", ["records nothing: .*not all of 2 processes have called watch", ""], marks=TOUR
        ),
    ],
)
def test_either_all_watch_or_none(tmp_path: Path, how: str, said: list[str]) -> None:
    for told, wanted in zip(run_ranks(disagree, 2, tmp_path, how=how), said, strict=True):
        assert re.search(wanted, told)
    assert not (tmp_path / "shared").exists()


def fail_in_the_second(rank: int, size: int, folder: Path) -> list[str]:
    model, optimizer, watcher, said = begin(rank, folder)
    compare = WeightDiff.compare
    steps = 0

    def compare_or_fail(self: WeightDiff, weight: torch.Tensor) -> Any:
        nonlocal steps
        steps += 1
        if steps == 4 and rank:
            raise MemoryError("no room for the copy")
        return compare(self, weight)

    WeightDiff.compare = compare_or_fail
    with watcher:
        for (batch,) in global_batches(8):
            step(model, optimizer, part_of(batch, rank, size))
    # The loops went on, together.
    total = model.module.wte.weight.detach().sum()
    other = total.clone()
    torch.distributed.broadcast(other, 0)
    assert total == other
    return said


def test_an_error_of_one_record_ends_all_and_no_loop(tmp_path: Path) -> None:
    first, second = run_ranks(fail_in_the_second, 2, tmp_path)
    assert any(
        "the record of shared ends after step 3: process 1: MemoryError: no room" in line for line in first
    )
    assert any("the record ends here: MemoryError: no room" in line for line in second)
    run = lamplighter.open(tmp_path / "shared")
    assert (run.status.phase, run.status.step) == ("interrupted", 3)
    assert "process 1: MemoryError" in run.status.message


def die_in_the_second(rank: int, size: int, folder: Path) -> None:
    model, optimizer, watcher, _ = begin(rank, folder)
    for number, (batch,) in enumerate(global_batches(8)):
        if number == 4 and rank:
            os.kill(os.getpid(), 9)
        try:
            step(model, optimizer, part_of(batch, rank, size))
        except RuntimeError as error:
            watcher.close(error)
            return


def test_of_a_killed_process_the_steps_before_are_kept(tmp_path: Path) -> None:
    with pytest.raises(RankError, match="rank 1 of 2 ended with -9"):
        run_ranks(die_in_the_second, 2, tmp_path)
    run = lamplighter.open(tmp_path / "shared")
    assert run.status.phase == "interrupted"
    # The fourth step may be lost with the process: its part was held for a late loss.
    assert run.status.step in (3, 4)


def stay_silent(rank: int, size: int, folder: Path) -> str:
    watch_group._ANSWER = 1.0  # pyright: ignore[reportPrivateUsage]
    group = watch_group.Meeting(rank, size).connect()
    try:
        return str(group.share_number(7)) if rank == 0 else ""
    except watch_group.MissingProcessError as error:
        return str(error)
    finally:
        torch.distributed.barrier()


def test_a_process_that_is_there_and_does_not_answer_is_given_up(tmp_path: Path) -> None:
    said = run_ranks(stay_silent, 2, tmp_path)
    assert said == ["another process has not answered for 1 s", ""]


def train_apart(rank: int, size: int, folder: Path, alone: bool) -> list[str]:
    torch.manual_seed(rank)
    said: list[str] = []
    listen(said)
    model = SharedModel()
    with torch.no_grad():
        model.wte.weight += rank
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    with lamplighter.watch(model, folder=folder / "shared", alone=alone):
        for (batch,) in global_batches(3):
            step(model, optimizer, part_of(batch, rank, size))
    return said


@pytest.mark.tour
def test_processes_that_train_apart_are_told_so(tmp_path: Path) -> None:
    said = run_ranks(train_apart, 2, tmp_path, alone=False)[0]
    assert any("embeddings of the processes differ" in line for line in said)
    assert lamplighter.open(tmp_path / "shared").status.step == 0


@pytest.mark.tour
def test_processes_that_train_alone_have_a_record_each(tmp_path: Path) -> None:
    run_ranks(train_apart, 2, tmp_path, alone=True)
    assert [lamplighter.open(tmp_path / name).status.step for name in ("shared", "shared-2")] == [3, 3]


def close_early(rank: int, size: int, folder: Path, which: int) -> list[str]:
    shared_recorder._CLOSING_PATIENCE = 1.0  # pyright: ignore[reportPrivateUsage]
    model, optimizer, watcher, said = begin(rank, folder)
    for number, (batch,) in enumerate(global_batches(6)):
        step(model, optimizer, part_of(batch, rank, size))
        if number == 3 and rank == which:
            watcher.close()
        torch.distributed.barrier()
    return said


@pytest.mark.tour  # It waits.
@pytest.mark.parametrize(("which", "steps"), [(0, 3), (1, 4)])
def test_a_watcher_that_one_process_closes_ends_all(tmp_path: Path, which: int, steps: int) -> None:
    said = run_ranks(close_early, 2, tmp_path, which=which)
    assert any("closed" in line for line in said[0])
    run = lamplighter.open(tmp_path / "shared")
    assert (run.status.phase, run.status.step) == ("interrupted", steps)


def watch_fsdp1(rank: int, size: int, folder: Path, original: bool, unwrapped: bool) -> str:
    import torch
    from torch.distributed.fsdp import FullyShardedDataParallel

    wrapped = FullyShardedDataParallel(SharedModel(), use_orig_params=original, device_id=torch.device("cpu"))
    try:
        lamplighter.watch(wrapped.module if unwrapped else wrapped, folder=folder / "mine", embedding="wte")
    except lamplighter.InputError as error:
        return str(error)
    return "not refused"


@pytest.mark.parametrize("unwrapped", [False, True])
@pytest.mark.parametrize("original", [False, True])
def test_fsdp1_is_refused_by_every_rank(tmp_path: Path, original: bool, unwrapped: bool) -> None:
    said = run_ranks(watch_fsdp1, 2, tmp_path, original=original, unwrapped=unwrapped)
    assert all("FSDP1" in one and "flat vector" in one and "fully_shard" in one for one in said)
    assert not (tmp_path / "mine").exists()


def named(name: str, stage: int | None = None) -> type[nn.Module]:
    """Return a class of that name, for a library that tests cannot install."""

    def zero_optimization_stage(self: object) -> int | None:
        return stage

    return type(name, (nn.Module,), {"zero_optimization_stage": zero_optimization_stage})


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (named("DeepSpeedEngine", 3), "DeepSpeed ZeRO-3 cannot be watched: it keeps a flat part"),
        (named("DeepSpeedEngine", 2), "DeepSpeed cannot be watched: its optimiser steps flat copies"),
        (
            named("VocabParallelEmbedding"),
            "Megatron cannot be watched: each process holds a block of the rows",
        ),
        (named("ShardedEmbeddingBagCollection"), "TorchRec cannot be watched: its fused optimiser"),
    ],
)
def test_a_module_within_the_model_is_enough(kind: type[nn.Module], why: str) -> None:
    model = nn.Sequential(nn.Embedding(4, 2), kind())
    with pytest.raises(lamplighter.InputError, match=why):
        unwrap_model(model)
    derived = type("Own", (kind,), {})()
    with pytest.raises(lamplighter.InputError, match=why):
        unwrap_model(nn.Sequential(derived))


@pytest.mark.parametrize(("attribute", "name"), [("ds_id", "ZeRO-3"), ("tensor_model_parallel", "Megatron")])
def test_a_marked_weight_is_enough(attribute: str, name: str) -> None:
    model = SharedModel()
    setattr(model.mid.weight, attribute, 0)
    with pytest.raises(lamplighter.InputError, match=name):
        unwrap_model(model)
