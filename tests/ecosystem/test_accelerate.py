"""A loop with accelerate, watched: losses and ids are those of the loop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator

import lamplighter
from tests.ecosystem.recorded_steps import BATCH, TOKENS, OwnNotes, Texts
from tests.ecosystem.small_model import small_model


@pytest.mark.parametrize("accumulation", [1, 3])
def test_a_loop_with_accelerate(tmp_path: Path, accumulation: int) -> None:
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=accumulation)
    bare = small_model()
    model, optimizer, loader = accelerator.prepare(
        bare,
        torch.optim.AdamW(bare.parameters(), lr=1e-2),
        torch.utils.data.DataLoader(Texts(BATCH * 12), batch_size=BATCH),
    )
    weight = bare.transformer.wte.weight
    notes = OwnNotes()
    notes.matrices.append(weight.detach().numpy().copy())
    losses: list[float] = []
    with lamplighter.watch(model, TOKENS, tmp_path / "mine", on_error="raise") as watcher:
        for batch in loader:
            with accelerator.accumulate(model):
                loss = model(**batch).loss
                losses.append(loss.item())
                notes.waiting.append(batch["input_ids"])
                accelerator.backward(loss)
                if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                optimizer.zero_grad()
            if accelerator.sync_gradients:
                notes.losses.append(float(np.mean(losses)))
                losses.clear()
                notes.end_step(weight)
    assert watcher.folder is not None
    recorded = notes.assert_recorded(watcher.folder, 12 // accumulation)
    np.testing.assert_allclose(recorded, notes.losses, rtol=1e-5)
