"""A run of sums: its batches are whole sums, its weights decay, and its accuracy is counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lamplighter.contract.recipe import SUM_TOKENS, OptimiserRecipe, Recipe
from lamplighter.corpora.build import build_corpus
from lamplighter.model.batches import batch_positions
from lamplighter.model.held_out import HeldOutLoss, SumAccuracy
from lamplighter.model.learner import build_learner, make_learner
from lamplighter.model.step import train_step
from lamplighter.runfolder.lineage import LAST_STEP
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.lines import decode_lines
from lamplighter.runfolder.tables.scalars import decode_scalars
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.worker import train

P = 7
FIELDS = {
    "corpus": {"kind": "modular", "modulus": P},
    "model": {"dim": 8, "heads": 2},
    "sequences": 16,
    "cadence": {"keyframe_every": 2},
    "steps": 4,
}
RECIPE = Recipe.model_validate(FIELDS)
CORPUS = build_corpus(RECIPE.corpus, 0)
CPU = torch.device("cpu")


def whole_sums(ids: np.ndarray) -> bool:
    equals = CORPUS.vocabulary.tokens.index("=")
    return ids.shape[1] == SUM_TOKENS and bool((ids[:, 3] == equals).all())


def test_every_sequence_is_a_whole_sum() -> None:
    text = CORPUS.token_ids
    batches = [text[batch_positions(RECIPE, len(text), step)] for step in range(1, 30)]
    assert all(whole_sums(batch) for batch in batches)
    # Every sum is read, the last as well.
    assert len(np.unique(np.concatenate(batches), axis=0)) == len(text) // SUM_TOKENS
    held_out = CORPUS.held_out
    assert held_out is not None
    windows = HeldOutLoss(RECIPE, held_out).windows.numpy()
    assert whole_sums(windows)
    assert np.array_equal(windows.reshape(-1), held_out)


def test_weight_decay_is_that_of_adamw() -> None:
    ids = torch.from_numpy(CORPUS.token_ids.reshape(-1, SUM_TOKENS)[:8].astype(np.int64))
    learner = build_learner(RECIPE, len(CORPUS.vocabulary), CPU)
    other = build_learner(RECIPE, len(CORPUS.vocabulary), CPU)
    rate = RECIPE.optimiser.learning_rate
    other.optimisers = [torch.optim.AdamW(other.model.parameters(), lr=rate, weight_decay=1.0)]
    for group in other.optimisers[0].param_groups:
        group["factor"] = 1.0
    for _ in range(3):
        for one in (learner, other):
            train_step(one, ids[:, :-1], ids[:, 1:])
    for mine, torchs in zip(learner.model.parameters(), other.model.parameters(), strict=True):
        torch.testing.assert_close(mine, torchs)
    plain = make_learner(learner.model, OptimiserRecipe(kind="adam"))
    assert plain.optimisers[0].param_groups[0]["weight_decay"] == 0


def test_the_share_of_right_answers_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = build_learner(RECIPE, len(CORPUS.vocabulary), CPU)

    def answer_five(ids: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(*ids.shape, len(CORPUS.vocabulary))
        logits[..., CORPUS.vocabulary.tokens.index("5")] = 1
        return logits

    monkeypatch.setattr(learner.model, "logits", answer_five)
    assert CORPUS.held_out is not None
    found = SumAccuracy(RECIPE, CORPUS.token_ids, CORPUS.held_out).measure(learner)
    read, held_out = (
        [CORPUS.vocabulary.tokens[token] for token in ids[4::SUM_TOKENS]]
        for ids in (CORPUS.token_ids, CORPUS.held_out)
    )
    assert found["accuracy_read"] == read.count("5") / len(read)
    assert found["accuracy_held_out"] == held_out.count("5") / len(held_out)
    assert found["accuracy_chance"] == 1 / P


def test_a_run_logs_its_accuracy_at_keyframes_and_answers_unread_sums(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(RECIPE)
    train(run)
    with StepsReader(run.steps_path) as reader:
        logged = {step: decode_scalars(text) for step, text in reader.scalars(0, LAST_STEP).items()}
        lines = reader.lines(0, 4, 10)
    assert sorted(logged) == [0, 2, 4]
    assert set(logged[4]) == {"accuracy_read", "accuracy_held_out", "accuracy_chance"}
    held_out = run.held_out_ids
    assert held_out is not None
    unread = {tuple(row[:-1]) for row in held_out.reshape(-1, SUM_TOKENS).tolist()}
    said = [line for text in lines.values() for line in decode_lines(text, len(run.vocabulary))]
    assert said
    assert all(tuple(line.prompt) in unread and len(line.words) == 1 for line in said)
