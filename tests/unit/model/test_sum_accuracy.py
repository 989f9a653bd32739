"""A run of sums: its batches are whole sums, its weights decay, and its accuracy is counted.

The loss on held-out text: correct, reproducible, and without effect on training.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lamplighter.contract.recipe import SUM_TOKENS, ModelRecipe, OptimiserRecipe, Recipe
from lamplighter.corpora.build import build_corpus
from lamplighter.model.batches import SAMPLE_TOKENS, batch_positions
from lamplighter.model.held_out import HeldOutLoss, SumAccuracy, split_by_frequency
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


V, CONTEXT = 20, 8
HELD_OUT_RECIPE = Recipe(
    model=ModelRecipe(dim=8, heads=2, layers=1, context=CONTEXT), sequences=4, passages=2
)


def text(length: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, V, length).astype(np.uint32)


def test_is_the_mean_over_windows_that_cover_the_text() -> None:
    learner, ids = build_learner(HELD_OUT_RECIPE, V, CPU), text(3 * CONTEXT + 1)
    windows = torch.from_numpy(ids.astype(np.int64))
    with torch.no_grad():
        losses = [
            float(learner.model(windows[None, at : at + CONTEXT], windows[None, at + 1 : at + CONTEXT + 1]))
            for at in (0, CONTEXT, 2 * CONTEXT)
        ]
    assert HeldOutLoss(HELD_OUT_RECIPE, ids).measure(learner) == pytest.approx(np.mean(losses), rel=1e-5)


def test_samples_a_long_text_evenly_and_reproducibly() -> None:
    measured = HeldOutLoss(HELD_OUT_RECIPE, text(10 * SAMPLE_TOKENS))
    assert measured.predictions == SAMPLE_TOKENS
    learner = build_learner(HELD_OUT_RECIPE, V, CPU)
    assert measured.measure(learner) == measured.measure(learner)


@pytest.mark.parametrize("length", [0, 1, CONTEXT])
def test_a_text_shorter_than_a_window_has_no_loss(length: int) -> None:
    assert HeldOutLoss(HELD_OUT_RECIPE, text(length)).measure(build_learner(HELD_OUT_RECIPE, V, CPU)) is None


def test_a_loss_that_is_not_finite_is_missing() -> None:
    learner = build_learner(HELD_OUT_RECIPE, V, CPU)
    with torch.no_grad():
        learner.model.embedding.weight.fill_(float("inf"))
    assert HeldOutLoss(HELD_OUT_RECIPE, text(100)).measure(learner) is None


def test_measuring_does_not_change_training() -> None:
    ids, held_out = (
        torch.from_numpy(text(80).astype(np.int64)).view(8, 10),
        HeldOutLoss(HELD_OUT_RECIPE, text(100)),
    )
    matrices: list[np.ndarray] = []
    for watched in (False, True):
        learner = build_learner(HELD_OUT_RECIPE, V, CPU)
        for _ in range(3):
            train_step(learner, ids[:, :CONTEXT], ids[:, 1 : CONTEXT + 1])
            if watched:
                held_out.measure(learner)
        matrices.append(learner.model.embedding.weight.detach().numpy().copy())
    assert np.array_equal(*matrices)


def test_the_loss_is_told_by_tenths_of_the_text() -> None:
    learner, ids = build_learner(HELD_OUT_RECIPE, V, CPU), text(3000)
    counts = np.arange(V, 0, -1).astype(np.uint32) ** 2
    held_out = HeldOutLoss(HELD_OUT_RECIPE, ids)
    measured = held_out.measure_by_frequency(learner, counts)
    assert measured is not None
    # Token 0 has 400 of the 2,870 words of the text: its middle is in the first tenth.
    tenth_of = [int(10 * (counts[:token].sum() + counts[token] / 2) / counts.sum()) for token in range(V)]
    assert tenth_of[0] == 0
    assert split_by_frequency(counts[::-1]).tolist() == tenth_of[::-1]
    sums: dict[int, list[float]] = {}
    with torch.no_grad():
        logits = learner.model.logits(held_out.windows[:, :-1]).log_softmax(-1)
    for window, scores in zip(held_out.windows.tolist(), logits.tolist(), strict=True):
        for target, row in zip(window[1:], scores, strict=True):
            sums.setdefault(tenth_of[target] + 1, []).append(-row[target])
    assert measured[1] == {
        f"loss_decile {n}": pytest.approx(np.mean(sums[n]), abs=1e-4) for n in sorted(sums)
    }
    assert measured[0] == pytest.approx(held_out.measure(learner))
