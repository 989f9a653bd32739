"""Trainers that share a training between processes, watched: the record is that of the same training in one process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, Sampler, SequentialSampler

import lamplighter
from tests.ecosystem.recorded_steps import TOKENS, Texts
from tests.ecosystem.small_model import small_model
from tests.support.machine.ranks import preload, run_ranks
from tests.support.machine.shared_training import assert_same_record

preload("transformers.trainer", "accelerate", "lightning.pytorch.strategies")
BATCH, STEPS = 6, 20
"""Sequences of a step over all processes, and steps."""
RATE = 0.1
RUNS = {0: "plain", 1: "one", 2: "two", 3: "three"}


def launched(rank: int, size: int) -> None:
    """Set what torchrun tells a process."""
    if size:
        given = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size}
        os.environ |= {name: str(value) for name, value in given.items()}
        # The group is there already: nobody listens at this address.
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}


class Parts(Sampler[int]):
    """The sequences of a process: of each batch of all processes its own consecutive part."""

    def __init__(self, rank: int, size: int, accumulation: int) -> None:
        self._own = [
            at for at in range(BATCH * STEPS * accumulation) if at % BATCH // (BATCH // max(size, 1)) == rank
        ]

    def __iter__(self) -> Any:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)


def train_transformers(rank: int, size: int, folder: Path, kind: str, accumulation: int) -> None:
    launched(rank, size)
    from transformers import Trainer, TrainingArguments

    class InOrder(Trainer):
        def _get_train_sampler(self, *others: Any) -> Any:
            return SequentialSampler(self.train_dataset)  # type: ignore[arg-type]

    options: dict[str, Any] = {}
    if kind == "fsdp2" and size:
        options = {"fsdp": "full_shard", "fsdp_config": {"fsdp_version": 2, "reshard_after_forward": True}}
    arguments = TrainingArguments(
        output_dir=str(folder / "out"), max_steps=STEPS, per_device_train_batch_size=BATCH // max(size, 1),
        gradient_accumulation_steps=accumulation, learning_rate=RATE, optim="sgd", save_strategy="no",
        logging_strategy="no", report_to=[], disable_tqdm=True, use_cpu=True, **options,
    )  # fmt: skip
    callback = lamplighter.TransformersCallback(TOKENS, folder / RUNS[size], on_error="raise")
    trainer = InOrder(
        small_model(),
        arguments,
        train_dataset=Texts(BATCH * STEPS * accumulation),
        callbacks=[callback],
    )
    trainer.train()


def train_accelerate(rank: int, size: int, folder: Path, kind: str, accumulation: int) -> None:
    launched(rank, size)
    from accelerate import Accelerator
    from accelerate.utils import FullyShardedDataParallelPlugin

    plugin = None
    if kind == "fsdp2" and size:
        plugin = FullyShardedDataParallelPlugin(fsdp_version=2)
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=accumulation, fsdp_plugin=plugin)
    bare = small_model()
    model, optimizer, loader = accelerator.prepare(
        bare,
        torch.optim.SGD(bare.parameters(), lr=RATE),
        DataLoader(Texts(BATCH * STEPS * accumulation), batch_size=BATCH // max(size, 1)),
    )
    with lamplighter.watch(model, TOKENS, folder / RUNS[size], on_error="raise"):
        for batch in loader:
            with accelerator.accumulate(model):
                accelerator.backward(model(**batch).loss)
                if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                optimizer.zero_grad()


def train_lightning(rank: int, size: int, folder: Path, kind: str, accumulation: int) -> None:
    launched(rank, size)
    os.environ |= {"TORCHELASTIC_RUN_ID": "1"} if size else {}
    import lightning
    from lightning.pytorch.strategies import ModelParallelStrategy

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.inner = small_model()

        def configure_model(self) -> None:
            if kind == "fsdp2" and size:
                from torch.distributed.fsdp import fully_shard

                fully_shard(self.inner, mesh=self.device_mesh["data_parallel"])

        def training_step(self, batch: Any, index: int) -> torch.Tensor:
            return self.inner(**batch).loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=RATE)

    callback = lamplighter.LightningCallback(
        TOKENS, folder / RUNS[size], on_error="raise", embedding="inner.transformer.wte"
    )
    strategy: Any = "ddp" if size else "auto"
    if kind == "fsdp2" and size:
        strategy = ModelParallelStrategy(data_parallel_size=size, tensor_parallel_size=1)
    trainer = lightning.Trainer(
        max_steps=STEPS, accumulate_grad_batches=accumulation, accelerator="cpu", devices=max(size, 1),
        strategy=strategy, use_distributed_sampler=False, callbacks=[callback], logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False, default_root_dir=folder,
    )  # fmt: skip
    texts = Texts(BATCH * STEPS * accumulation)
    trainer.fit(
        Module(),
        DataLoader(texts, batch_size=BATCH // max(size, 1), sampler=Parts(rank, size, accumulation)),
    )


TRAINERS = {
    "transformers": train_transformers,
    "accelerate": train_accelerate,
    "lightning": train_lightning,
}


@pytest.mark.parametrize("accumulation", [1, 2])
@pytest.mark.parametrize("kind", ["ddp", "fsdp2"])
@pytest.mark.parametrize("trainer", TRAINERS)
def test_the_record_is_that_of_one_process(
    tmp_path: Path, trainer: str, kind: str, accumulation: int
) -> None:
    for size in RUNS:
        run_ranks(TRAINERS[trainer], size, tmp_path, kind=kind, accumulation=accumulation)
    for size in (1, 2, 3):
        assert_same_record(tmp_path / RUNS[size], tmp_path / RUNS[0], steps=STEPS)
