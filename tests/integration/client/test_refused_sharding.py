"""Shared trainings that cannot be watched, as their libraries make them: each is refused when it is attached, with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn

import lamplighter
from lamplighter.client.watching.embedding_search import unwrap_model
from tests.support.machine.ranks import run_ranks
from tests.support.machine.shared_training import SharedModel


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
