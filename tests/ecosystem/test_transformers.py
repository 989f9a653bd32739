"""The Trainer of transformers, watched: losses as it logs them, ids as its loader gave them, moves as a full comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import Trainer, TrainerCallback, TrainingArguments

import lamplighter
from lamplighter.runfolder.tables.scalars import decode_scalars
from lamplighter.runfolder.tables.steps_reader import StepsReader
from tests.ecosystem.recorded_steps import BATCH, STEPS, TOKENS, OwnNotes, Texts, V, folder_of
from tests.ecosystem.small_model import small_model


class Notes(TrainerCallback, OwnNotes):
    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **others: Any) -> None:
        self.model = model
        self.matrices.append(model.transformer.wte.weight.detach().numpy().copy())

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        self.end_step(self.model.transformer.wte.weight)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **others: Any) -> None:
        if "loss" in logs:
            self.losses.append(float(logs["loss"]))


class Noting(Trainer):
    """A Trainer that notes what its loader gave."""

    notes: Notes

    def training_step(self, model: Any, inputs: Any, *others: Any, **options: Any) -> Any:
        self.notes.waiting.append(inputs["input_ids"].clone())
        return super().training_step(model, inputs, *others, **options)


def train(folder: Path, steps: int = STEPS, **options: Any) -> tuple[Notes, lamplighter.TransformersCallback]:
    arguments = TrainingArguments(
        output_dir=str(folder / "out"), max_steps=steps, per_device_train_batch_size=BATCH, logging_steps=1,
        learning_rate=1e-2, save_strategy="no", report_to=[], disable_tqdm=True, use_cpu=True, **options,
    )  # fmt: skip
    notes = Notes()
    callback = lamplighter.TransformersCallback(TOKENS, folder / "runs" / "My_Run", on_error="raise")
    trainer = Noting(
        small_model(),
        arguments,
        train_dataset=Texts(512),
        eval_dataset=Texts(16),
        callbacks=[callback, notes],
    )
    trainer.notes = notes
    trainer.train()
    return notes, callback


@pytest.mark.parametrize("accumulation", [1, 3])
def test_losses_ids_and_moves_are_the_trainers(tmp_path: Path, accumulation: int) -> None:
    notes, callback = train(tmp_path, gradient_accumulation_steps=accumulation)
    folder = folder_of(callback)
    losses = notes.assert_recorded(folder)
    # The digits that the Trainer logs.
    np.testing.assert_allclose(losses, notes.losses, atol=1e-4)
    run = lamplighter.open(folder)
    assert run.status.phase == "finished"
    assert run.tokens[-1] == f"(unused {V - 1})"


def test_checkpointing_bf16_and_evaluation_between(tmp_path: Path) -> None:
    notes, callback = train(
        tmp_path, 20, gradient_checkpointing=True, bf16=True, eval_strategy="steps", eval_steps=5
    )
    folder = folder_of(callback)
    losses = notes.assert_recorded(folder, 20)
    np.testing.assert_allclose(losses, notes.losses, atol=1e-2)
    with StepsReader(folder / "steps.sqlite") as reader:
        kept = {step: decode_scalars(text) for step, text in reader.scalars(0, 99).items()}
    assert list(kept) == [5, 10, 15, 20]
    assert all(values.keys() == {"eval_loss"} for values in kept.values())
