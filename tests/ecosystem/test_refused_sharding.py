"""DeepSpeed ZeRO-3 and Megatron's split table, as those libraries make them: refused when they are attached, with the reason."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import torch

import lamplighter
from tests.support.machine.ranks import run_ranks
from tests.support.machine.shared_training import ROWS, WIDTH, SharedModel


def watch_deepspeed(rank: int, size: int, folder: Path, stage: int, unwrapped: bool) -> str:
    os.environ |= {
        "DS_ACCELERATOR": "cpu",
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(size),
    }
    import deepspeed

    # Otherwise it compiles an operation of its own for processors, which takes minutes.
    sys.modules["deepspeed.comm.torch"].build_shm_op = lambda: None  # type: ignore[attr-defined]
    deepspeed.init_distributed("gloo", dist_init_required=False)
    model = SharedModel()
    engine, *_ = deepspeed.initialize(
        model=model,
        optimizer=torch.optim.AdamW(model.parameters()),
        config={
            "train_micro_batch_size_per_gpu": 1,
            "zero_optimization": {"stage": stage},
            "zero_force_ds_cpu_optimizer": False,
            "zero_allow_untested_optimizer": True,
        },
    )
    return why_refused(engine.module if unwrapped else engine, folder)


def watch_megatron(rank: int, size: int, folder: Path) -> str:
    from megatron.core import ModelParallelConfig, parallel_state
    from megatron.core.tensor_parallel import VocabParallelEmbedding

    parallel_state.initialize_model_parallel(tensor_model_parallel_size=size)
    model = SharedModel()
    config = ModelParallelConfig(use_cpu_initialization=True, tensor_model_parallel_size=size)
    model.wte = VocabParallelEmbedding(  # type: ignore[assignment]
        ROWS + 1, WIDTH, init_method=torch.nn.init.normal_, config=config
    )
    return why_refused(model, folder)


def why_refused(model: object, folder: Path) -> str:
    try:
        lamplighter.watch(model, folder=folder / "mine", embedding="wte")
    except lamplighter.InputError as error:
        return str(error)
    return "not refused"


@pytest.mark.parametrize(("stage", "unwrapped"), [(3, False), (3, True), (2, False)])
def test_deepspeed_is_refused_by_every_rank(tmp_path: Path, stage: int, unwrapped: bool) -> None:
    name = "DeepSpeed ZeRO-3" if stage == 3 else "DeepSpeed"
    said = run_ranks(watch_deepspeed, 2, tmp_path, stage=stage, unwrapped=unwrapped)
    assert all(f"trained with {name} cannot be watched" in one for one in said), said
    assert not (tmp_path / "mine").exists()


def test_the_split_table_of_megatron_is_refused_by_every_rank(tmp_path: Path) -> None:
    said = run_ranks(watch_megatron, 2, tmp_path)
    assert all("trained with Megatron cannot be watched" in one for one in said), said
