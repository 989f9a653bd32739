"""The kind *heads*: what each attention head attends to, at the states of the model that were kept.

The text is random tokens, repeated once: no meaning and no habit of the language tells where to look, only the position and
the repetition do. An induction head finds the place where the present token came before, and attends to what followed it
(Olsson et al. 2022, arXiv 2209.11895, whose prefix-matching score this is). Beside it their in-context score: what words
further back are worth on held-out text.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from lamplighter.contract.answers import HeadsAnswer
from lamplighter.contract.answers.reading import HeadScores, HeadsReading
from lamplighter.contract.questions import HeadsQuestion, QuestionError
from lamplighter.contract.recipe import Recipe
from lamplighter.contract.sentences import say
from lamplighter.examination.examined_model import ExaminedModel, ReportProgress
from lamplighter.examination.readings import choose_kept_steps, rounded
from lamplighter.model.held_out import HeldOutLoss
from lamplighter.model.learner import Learner

SEQUENCES = 16
"""Random sequences, always the same ones: with 16, the standard error of a score is a few hundredths."""
_LEAST_TOKENS = 4
_DIGITS = 4
_TOKENS = 2_048
"""Tokens of held-out text to read, or more for a long context: twice as many take a step of the default recipe beyond 150 ms of processor time."""
_MIN_WINDOWS = 8
"""Windows of held-out text without which a standard error says nothing."""


def examine(model: ExaminedModel, question: HeadsQuestion, report: ReportProgress) -> HeadsAnswer:
    """Return the scores of all heads at the kept states up to the step."""
    tokens = model.run.recipe.model.context // 2
    if tokens < _LEAST_TOKENS:
        raise QuestionError(
            f"this model reads {2 * tokens} tokens at a time, too few to repeat {_LEAST_TOKENS} of them"
        )
    half = np.random.default_rng(0).integers(0, len(model.run.vocabulary), (SEQUENCES, tokens))
    ids = np.concatenate((half, half), axis=1)
    held_out = model.run.held_out_ids
    windows = None if held_out is None else _read_windows(model.run.recipe, held_out)
    steps = choose_kept_steps(model, question.readings)
    readings: list[HeadsReading] = []
    for step in steps:
        report(len(readings) / len(steps), say("reading_attention", step=step))
        learner = model.learner if step == model.step else model.learner_at(step)
        readings.append(_read(learner, torch.from_numpy(ids), windows, step))
    uniform = np.tril(np.ones((2 * tokens, 2 * tokens)))
    return HeadsAnswer(
        kind="heads",
        **model.facts(question),
        readings=readings,
        tokens=tokens,
        sequences=SEQUENCES,
        uniform=score_attention((uniform / uniform.sum(axis=1, keepdims=True))[None]),
    )


def score_attention(attention: NDArray[np.float64]) -> HeadScores:
    """Return the scores of a head by its attention on repeated sequences, (N, 2 T, 2 T)."""
    length = attention.shape[1]
    positions, again = np.arange(1, length), np.arange(length // 2, length)
    weights = np.clip(attention[:, 1:], 1e-12, None)
    entropy = -(attention[:, 1:] * np.log(weights)).sum(axis=2)
    return HeadScores(
        previous=_mean(attention[:, positions, positions - 1]),
        induction=_mean(attention[:, again, again - length // 2 + 1]),
        first=_mean(attention[:, 1:, 0]),
        spread=_mean(entropy / np.log(positions + 1)),
    )


def _read_windows(recipe: Recipe, held_out: NDArray[np.uint32]) -> torch.Tensor | None:
    """Return windows of held-out text, token ids (N, T + 1); None if there are too few."""
    tokens = max(_TOKENS, _MIN_WINDOWS * recipe.model.context)
    windows = HeldOutLoss(recipe, held_out, tokens).windows
    return windows if len(windows) >= _MIN_WINDOWS else None


def _read(learner: Learner, ids: torch.Tensor, windows: torch.Tensor | None, step: int) -> HeadsReading:
    with torch.no_grad():
        weights = learner.model.attention_weights(ids.to(learner.device))
    attention = [layer.double().cpu().numpy() for layer in weights]
    by_position = _losses(learner, ids).mean(axis=0)
    half = ids.shape[1] // 2
    in_context, error = (None, None) if windows is None else _score_in_context(learner, windows)
    return HeadsReading(
        step=step,
        heads=[[score_attention(layer[:, head]) for head in range(layer.shape[1])] for layer in attention],
        loss_first=rounded(float(by_position[: half - 1].mean())),
        # The first repeated token cannot be foreseen either.
        loss_again=rounded(float(by_position[half:].mean())),
        in_context=in_context,
        in_context_error=error,
    )


def _score_in_context(learner: Learner, windows: torch.Tensor) -> tuple[float | None, float | None]:
    """Return the in-context score on windows of text, token ids (N, T + 1), and its standard error, in nats."""
    losses = _losses(learner, windows)
    quarter = max(1, losses.shape[1] // 4)
    scores = losses[:, -quarter:].mean(axis=1) - losses[:, :quarter].mean(axis=1)
    return rounded(float(scores.mean())), rounded(float(scores.std(ddof=1) / np.sqrt(len(scores))))


def _losses(learner: Learner, ids: torch.Tensor) -> NDArray[np.float64]:
    """Return the loss of each token but the first, in nats: shape (N, T) for token ids (N, T + 1)."""
    found: list[NDArray[np.float64]] = []
    with torch.no_grad():
        for some in ids.split(SEQUENCES):
            tokens = some.to(learner.device)
            logits = learner.model.logits(tokens[:, :-1]).float()
            losses = F.cross_entropy(logits.transpose(1, 2), tokens[:, 1:], reduction="none")
            found.append(losses.double().cpu().numpy())
    return np.concatenate(found)


def _mean(values: NDArray[np.float64]) -> float:
    return round(float(np.nan_to_num(values).mean()), _DIGITS)
