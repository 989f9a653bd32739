"""The runner of processes that train together: results by rank, and failures and hangs that are told with all output."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch

from tests.support.machine.ranks import RankError, run_ranks


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


@pytest.mark.parametrize("size", [1, 2, 3])
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
