"""Readings of a model that leave no trace in it: its loss on a text, and how probable it finds the next word."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.model.batches import positions_after
from lamplighter.model.generation import SpokenWord
from lamplighter.model.learner import Learner
from lamplighter.model.transformer import Transformer

CANDIDATES = 8
"""Words that are listed as the most probable ones."""
SAMPLE_TOKENS = 512
"""Predictions that the loss on a text is the mean of: always the same ones, so that two losses differ by the models alone."""
FAR_AHEAD = 1_000
"""Steps between a model and the batch on which its loss is measured where a run has no held-out text: more than a question
can train on."""
_DIGITS = 6


def rounded(value: float) -> float | None:
    """Return a number with six significant digits; None if it is not finite, which JSON cannot say."""
    return float(f"{float(value):.{_DIGITS}g}") if math.isfinite(value) else None


@contextmanager
def reading(learner: Learner) -> Generator[None]:
    """Compute without gradients, in the precision in which the learner is trained."""
    with (
        torch.no_grad(),
        torch.autocast(learner.device.type, learner.autocast, enabled=learner.autocast is not None),
    ):
        yield


@dataclass(frozen=True)
class TextSample:
    """A sample of text that is not trained on while a question is answered."""

    held_out: bool
    """True for text that the run never reads; False for a batch far ahead, where the run holds no text out."""
    ids: torch.Tensor
    """Token ids, shape (B, T)."""
    targets: torch.Tensor
    """The next token ids, shape (B, T)."""

    @property
    def name(self) -> str:
        """Return the name of the text in an answer."""
        return "held_out" if self.held_out else "training"

    def loss(self, model: Transformer) -> float | None:
        """Return the mean loss of a model in nats; None if it is not finite."""
        return rounded(float(model(self.ids, self.targets)))


def sample_text(examined: ExaminedModel) -> TextSample:
    """Return the text on which the loss of a model is measured, about `SAMPLE_TOKENS` predictions on it: of the held-out
    text where the run has some."""
    context = examined.learner.model.shape.context
    count = max(1, SAMPLE_TOKENS // context)
    held_out = examined.run.held_out_ids
    if held_out is None or len(held_out) <= context:
        _, ids, targets = examined.batches.batch(examined.step + FAR_AHEAD)
        return TextSample(False, ids[:count], targets[:count])
    count = min(count, (len(held_out) - 1) // context)
    starts = np.linspace(0, len(held_out) - 1 - context, count).astype(np.int64)
    windows = torch.from_numpy(held_out[positions_after(starts, context)].astype(np.int64))
    windows = windows.to(examined.learner.device)
    return TextSample(True, windows[:, :-1], windows[:, 1:])


def next_probabilities(model: Transformer, contexts: torch.Tensor) -> NDArray[np.float64]:
    """Return the probability of every token after each context, ids (N, T) -> (N, V)."""
    # Only the last position is unembedded: over a large vocabulary that is most of the work.
    ends = model.residual_stream(contexts)[-1][:, -1]
    # Not every device has 64 bits.
    logits = model.unembedding(model.norm(ends)).float().cpu().double()
    return torch.softmax(logits, 1).numpy()


def describe_words(words: Sequence[SpokenWord]) -> list[dict[str, object]]:
    """Return words that a model said as they stand in an answer: `id`, `p`, and `candidates` as pairs of both."""
    return [
        {
            "id": word.token_id,
            "p": rounded(word.probability),
            "candidates": [[token_id, rounded(p)] for token_id, p in word.candidates],
        }
        for word in words
    ]
