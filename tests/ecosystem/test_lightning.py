"""The Trainer of Lightning, watched: losses as the module logs them, ids as its loader gave them, moves as a full comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pytest
import torch
from torch import nn

import lamplighter
from lamplighter.runfolder.tables.scalars import decode_scalars
from lamplighter.runfolder.tables.steps_reader import StepsReader
from tests.ecosystem.recorded_steps import BATCH, STEPS, TOKENS, OwnNotes, Texts, V, folder_of


class Module(lightning.LightningModule):
    def __init__(self, notes: OwnNotes, accumulation: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.wte = nn.Embedding(V, 16)
        self.head = nn.Linear(16, V, bias=False)
        self.head.weight = self.wte.weight
        self.notes, self._accumulation = notes, accumulation
        self._losses: list[float] = []

    def _loss(self, ids: torch.Tensor) -> torch.Tensor:
        logits = self.head(self.wte(ids[:, :-1]))
        return nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())

    def training_step(self, batch: Any, index: int) -> torch.Tensor:
        self.notes.waiting.append(batch["input_ids"][:, :-1].clone())
        loss = self._loss(batch["input_ids"])
        self._losses.append(loss.item())
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Any, index: int) -> None:
        if len(self._losses) == self._accumulation:
            self.notes.losses.append(float(np.mean(self._losses)))
            self._losses = []
            self.notes.end_step(self.wte.weight)

    def validation_step(self, batch: Any, index: int) -> None:
        self.log("val_loss", self._loss(batch["input_ids"]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), lr=1e-2)


@pytest.mark.parametrize("accumulation", [1, 3])
def test_losses_ids_and_moves_are_the_trainers(tmp_path: Path, accumulation: int) -> None:
    notes = OwnNotes()
    module = Module(notes, accumulation)
    notes.matrices.append(module.wte.weight.detach().numpy().copy())
    callback = lamplighter.LightningCallback(TOKENS, tmp_path / "runs" / "mine", on_error="raise")
    trainer = lightning.Trainer(
        max_steps=STEPS, accumulate_grad_batches=accumulation, gradient_clip_val=0.5, val_check_interval=24,
        callbacks=[callback], logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, accelerator="cpu", default_root_dir=tmp_path,
    )  # fmt: skip
    # As many batches as a whole number of steps needs.
    loader = torch.utils.data.DataLoader(Texts(BATCH * 48), batch_size=BATCH, shuffle=True)
    trainer.fit(module, loader, torch.utils.data.DataLoader(Texts(16), batch_size=BATCH))
    folder = folder_of(callback)
    losses = notes.assert_recorded(folder)
    np.testing.assert_allclose(losses, notes.losses, rtol=1e-5)
    assert lamplighter.open(folder).status.phase == "finished"
    with StepsReader(folder / "steps.sqlite") as reader:
        kept = [decode_scalars(text) for text in reader.scalars(0, STEPS).values()]
    assert kept
    assert all("val_loss" in values for values in kept)
