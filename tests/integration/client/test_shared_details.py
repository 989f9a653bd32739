"""What a record of several processes says beside rows and norms: its loss, its matrices, and the bytes that were sent for it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import lamplighter
from benchmarks.watch import CountedConnections
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.shared_steps import read_shared_step
from lamplighter.runfolder.tables.steps_reader import StepsReader
from tests.support.machine.ranks import run_ranks
from tests.support.machine.shared_training import SharedModel, global_batches, part_of, read_exchanges

TOUR = pytest.mark.tour


def shard(model: Any) -> Any:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    init_device_mesh("cpu", (torch.distributed.get_world_size(),))
    return fully_shard(model)


def train_unevenly(rank: int, size: int, folder: Path, how: str) -> list[list[float]]:
    """Train on batches of 5 and of 10 tokens, and return the loss and the tokens of each step."""
    model = nn.parallel.DistributedDataParallel(SharedModel())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    losses = []
    with lamplighter.watch(model, folder=folder / "shared", on_error="raise", token_losses=True) as watcher:
        for (batch,) in global_batches(4):
            ids = batch[:2] if rank else batch[2:3]
            loss = model(ids, ids.roll(-1, 1))[1]
            losses.append([loss.item(), ids.numel()])
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            if how == "all" or (how == "first" and rank == 0):
                watcher.log(loss=loss + 1)
    return losses


@pytest.mark.parametrize("how", ["found", pytest.param("all", marks=TOUR), pytest.param("first", marks=TOUR)])
def test_the_loss_is_weighted_by_tokens(tmp_path: Path, how: str) -> None:
    first, second = (np.array(one) for one in run_ranks(train_unevenly, 2, tmp_path, how=how))
    weighted = (first[:, 0] * first[:, 1] + second[:, 0] * second[:, 1]) / 15
    wanted = {"found": weighted, "all": weighted + 1, "first": first[:, 0] + 1}[how]
    pulses = list(lamplighter.open(tmp_path / "shared").steps())
    np.testing.assert_allclose([pulse.loss for pulse in pulses], wanted, rtol=1e-6)
    assert [int(pulse.batch_counts.sum()) for pulse in pulses] == [15] * 4
    exchanged = read_exchanges(tmp_path / "shared")
    assert [step for step, _, _ in exchanged] == [1, 2, 3, 4]
    for _, split, one in exchanged:
        # Each process has the whole table, so no row belongs to one of them.
        assert split.owners == ((0, 61), (0, 61))
        assert split.row_owners is None
        assert one.bytes == split.expected_bytes(one)
        assert min(one.worked) > 0


def train_densely(rank: int, size: int, folder: Path, rows: int) -> int:
    """Train with AdamW, which moves each row in each step, keep the matrices, and return the bytes that were sent after the first one."""
    model: Any = SharedModel(rows=rows)
    shard(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    matrices: list[Any] = []
    watcher = lamplighter.watch(model, folder=folder / "shared", on_error="raise", keyframe_every=4)
    group: Any = watcher._recorder.exchange.group  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
    counted = group._connections = CountedConnections(group._connections, rank)
    with watcher:
        for (batch,) in global_batches(6):
            ids = part_of(batch, rank, size)
            model(ids, ids.roll(-1, 1))[1].backward()
            optimizer.step()
            optimizer.zero_grad()
            weight: Any = model.wte.weight
            matrices.append(weight.full_tensor().detach().numpy())
    np.save(folder / f"matrices-{rank}.npy", np.stack(matrices))
    return counted.sent


# 61 rows are a small matrix, whose moved rows are all kept; of 8,200 only those of keyframes are.
@pytest.mark.parametrize(
    ("rows", "kept"), [pytest.param(61, [1, 2, 3, 4, 5, 6], marks=TOUR), (8_200, [4, 6])]
)
def test_a_snapshot_of_a_split_table_is_exact_and_its_bytes_are_the_formula(
    tmp_path: Path, rows: int, kept: list[int]
) -> None:
    sent = run_ranks(train_densely, 2, tmp_path, rows=rows)
    run = lamplighter.open(tmp_path / "shared")
    assert list(run.snapshot_steps()) == [0, *kept]
    matrices = np.load(tmp_path / "matrices-0.npy")
    for step in kept:
        np.testing.assert_array_equal(run.snapshot(step), matrices[step - 1])
    pulses = list(run.steps())
    own = rows // 2
    read = [len(np.unique(part_of(batch, 1, 2))) for (batch,) in global_batches(6)]
    lit = [int((pulse.gradient_ids >= rows - own).sum()) for pulse in pulses]
    width = 8
    moved = 12 * own + (4 * width * own if rows == 61 else 0)
    exchanged = read_exchanges(tmp_path / "shared")
    assert {split.row_owners for _, split, _ in exchanged} == {((0, rows - own), (rows - own, own))}
    assert [one.bytes for _, _, one in exchanged] == [
        split.expected_bytes(one) for _, split, one in exchanged
    ]
    # The first matrix, and of the large table that of step 4; that of step 6 comes with the end, which is in no step.
    snapshots = 1 + (rows != 61)
    kept_bytes = {kind: sum(one.bytes[kind] for _, _, one in exchanged) for kind in exchanged[0][2].bytes}
    assert kept_bytes == {
        "headers": 6 * 2 * 512,
        "parts": sum(8 * ids + 12 * gradients + moved for ids, gradients in zip(read, lit, strict=True)),
        # The answers; the questions, and how many bytes of rows follow.
        "words": 6 * 8 + snapshots * (8 + 16),
        "rows": snapshots * 4 * (width + 1) * own,
    }
    snapshot = 8 + 16 + 4 * (width + 1) * own
    # Without the beginning, but with the answer to the last step, and the end.
    ending = 8 + 2 * 512 + 8 + snapshot * (rows != 61)
    assert sum(sent) == sum(kept_bytes.values()) - (snapshot + 8) + ending


def train_beyond_the_limit(rank: int, size: int, folder: Path) -> list[float]:
    model: Any = shard(SharedModel(rows=8_200))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    sums = []
    with lamplighter.watch(model, folder=folder / "shared") as watcher:
        for number, (batch,) in enumerate(global_batches(8)):
            if number == 4 and rank == 0:
                shared: Any = watcher._recorder  # pyright: ignore[reportPrivateUsage]
                shared.recorder._recording.end("no room")
            ids = part_of(batch, rank, size)
            model(ids, ids.roll(-1, 1))[1].backward()
            optimizer.step()
            optimizer.zero_grad()
            weight: Any = model.wte.weight
            sums.append(weight.full_tensor().sum().item())
    return sums


@pytest.mark.tour
def test_a_record_that_reaches_its_limit_keeps_its_last_matrix_and_no_process_waits(tmp_path: Path) -> None:
    sums = run_ranks(train_beyond_the_limit, 2, tmp_path, patience=60)[0]
    run = lamplighter.open(tmp_path / "shared")
    last = run.status.step
    assert run.status.phase == "interrupted"
    assert "no room" in run.status.message
    assert last < len(sums) == 8
    assert list(run.snapshot_steps())[-1] == last
    assert run.snapshot(last).sum() == pytest.approx(sums[last - 1], rel=1e-5)


def train_slowly(rank: int, size: int, folder: Path, split: bool) -> None:
    model: Any = shard(SharedModel()) if split else nn.parallel.DistributedDataParallel(SharedModel())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    with lamplighter.watch(model, folder=folder / "shared", on_error="raise"):
        for (batch,) in global_batches(20):
            ids = part_of(batch, rank, size)
            time.sleep(0.05 * rank)  # as in reading data
            model(ids, ids.roll(-1, 1))[1].backward()
            optimizer.step()
            optimizer.zero_grad()


@pytest.mark.tour
@pytest.mark.parametrize("split", [False, True])
def test_a_process_that_lags_is_told_from_those_that_wait_for_it(tmp_path: Path, split: bool) -> None:
    run_ranks(train_slowly, 2, tmp_path, split=split)
    run = RunFolder(tmp_path / "shared")
    with StepsReader(run.steps_path) as reader:
        found = read_shared_step(run, reader.lineage(), 20)
    assert found is not None
    assert found.lagging == 1
    waited = np.median([one.waited for _, _, one in read_exchanges(run.path)], axis=0)
    assert waited[0] == pytest.approx(0.05, abs=0.02)
    assert waited[1] == 0
