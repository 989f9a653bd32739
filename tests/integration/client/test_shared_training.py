"""Trainings that several processes share, against the same training in one: record with record."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import lamplighter
from tests.support.machine.ranks import run_ranks
from tests.support.machine.shared_training import SharedModel, assert_same_record, train_part, train_plainly


def train_in_ddp(rank: int, size: int, folder: Path, tied: bool) -> None:
    model = nn.parallel.DistributedDataParallel(SharedModel(tied=tied))
    watched = lamplighter.watch(model, folder=folder / "shared", on_error="raise")
    train_part(model, torch.optim.SGD(model.parameters(), lr=0.5), watched, rank=rank, size=size)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_record_of_ddp_is_that_of_one_process(tmp_path: Path, size: int, tied: bool) -> None:
    run_ranks(train_plainly, 0, tmp_path, tied=tied)
    run_ranks(train_in_ddp, size, tmp_path, tied=tied)
    assert_same_record(tmp_path / "shared", tmp_path / "plain")
