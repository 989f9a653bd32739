"""A small village, learned within a second: each animal has a voice, a home and a food."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lamplighter.contract.answers import Answer, parse_answer
from lamplighter.contract.answers.parts import Replayed
from lamplighter.contract.recipe import Recipe
from lamplighter.corpora.tokenisers import tokenise
from lamplighter.examination.examined_model import ExaminedModel, encode_answer
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.checkpoint import list_checkpoints, load_checkpoint
from lamplighter.model.learner import Learner, build_learner
from lamplighter.model.observer import Observer
from lamplighter.model.step import train_step
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.training.control import StopFlag
from lamplighter.training.trainer import Trainer
from lamplighter.wire.vocabulary import Vocabulary

ANIMALS = ["dog", "cat", "horse", "cow", "pig", "wolf", "lamb", "lion", "mouse", "bear"]
VOICES = [
    "barked",
    "meowed",
    "neighed",
    "mooed",
    "grunted",
    "howled",
    "bleated",
    "roared",
    "squeaked",
    "growled",
]
HOMES = ["basket", "cushion", "stable", "barn", "sty", "den", "fold", "savanna", "cupboard", "cave"]
CPU = torch.device("cpu")
STEPS = 250
"""The recorded steps: by then each animal has its voice."""


def village_text(sentences: int = 2_000) -> str:
    """Return the text, always the same."""
    choose = random.Random(3)
    lines: list[str] = []
    for _ in range(sentences):
        at = choose.randrange(len(ANIMALS))
        lines.append(
            choose.choice(
                [
                    f"the {ANIMALS[at]} {VOICES[at]} .",
                    f"the {ANIMALS[at]} {VOICES[at]} in the {HOMES[at]} .",
                    f"in the {HOMES[at]} something {VOICES[at]} .",
                ]
            )
        )
    return " ".join(lines)


def village_recipe(**fields: Any) -> Recipe:
    """Return the recipe of the village; keyword arguments replace top-level fields."""
    return Recipe.model_validate(
        {
            "corpus": {"kind": "text", "name": "village", "vocabulary_size": 100},
            "model": {"dim": 24, "layers": 2, "heads": 2, "context": 12},
            "optimiser": {"learning_rate": 6e-3},
            "cadence": {"checkpoint_every": STEPS},
            "sequences": 8,
            "passages": 4,
            "steps": STEPS,
            "device": "cpu",
            **fields,
        }
    )


NOT_REPLAYED = Replayed.model_validate({"from": 0, "steps": 0, "equal": None, "difference": None})


@dataclass(frozen=True)
class Village:
    """A recorded run of the village."""

    run: RunFolder

    def word(self, name: str) -> int:
        """Return the id of a word."""
        return self.run.vocabulary.tokens.index(name)

    def without_classes(self, folder: Path) -> Village:
        """Return a copy of the run without planted classes."""
        copied = RunFolder(Path(shutil.copytree(self.run.path, folder / "unclassed")))
        copied.write_vocabulary(replace(self.run.vocabulary, classes={}))
        return Village(copied)

    def with_held_out_text(self, folder: Path) -> Village:
        """Return a copy of the run with held-out text."""
        copied = RunFolder(Path(shutil.copytree(self.run.path, folder / "held-out")))
        np.save(copied.held_out_path, self.run.token_ids[-200:])
        return Village(copied)

    def learner(self, step: int = STEPS) -> Learner:
        """Return the model after a step, retrained from the checkpoint before it."""
        learner = build_learner(self.run.recipe, len(self.run.vocabulary), CPU)
        done = 0
        for file in list_checkpoints(self.run.checkpoints):
            if done < file.step <= step:
                load_checkpoint(file, learner, Observer(learner, verify_every=1))
                done = file.step
        batches = BatchReader(self.run.recipe, self.run.token_ids, CPU)
        for number in range(done + 1, step + 1):
            _, ids, targets = batches.batch(number)
            train_step(learner, ids, targets)
        return learner

    def examined(self, step: int = STEPS, learner: Learner | None = None) -> ExaminedModel:
        """Return the model after a step, or a given one, in the form that the kinds of questions receive."""
        return ExaminedModel(
            run=self.run,
            learner=learner or self.learner(step),
            batches=BatchReader(self.run.recipe, self.run.token_ids, CPU),
            step=step,
            learning_rate=self.run.recipe.optimiser.learning_rate,
            learner_at=self.learner,
            replayed=NOT_REPLAYED,
        )


def record_village(runs: Path, text_read: str | None = None, **fields: Any) -> Village:
    """Train the village for `STEPS` steps, and record it.

    Optionally on another text, or with other recipe fields.
    """
    read = text_read or village_text()
    run = RunStore(runs).create(village_recipe(**fields), read)
    text = tokenise([read], "words", 100)
    planted = (("animals", ANIMALS), ("voices", VOICES), ("homes", HOMES))
    classes = {name: tuple(text.tokens.index(word) for word in words) for name, words in planted}
    run.write_corpus(text.ids, Vocabulary(text.tokens, text.counts, classes), text.tokeniser)
    writer = StepsWriter(run.steps_path)
    trainer = Trainer(run, writer, StopFlag())
    try:
        trainer.run()
    finally:
        trainer.close()
        writer.close(sealed=True)
    return Village(run)


def ignore_progress(share: float, activity: str) -> None:
    """Ignore a progress report."""
    assert 0 <= share <= 1
    assert activity


def stored(answer: Answer) -> dict[str, Any]:
    """Return an answer after a round trip through its stored form: JSON of finite numbers."""
    text = encode_answer(answer)
    assert parse_answer(answer.kind, text) == answer
    return json.loads(text)
