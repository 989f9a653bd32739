"""Text generation: prompts are continued token by token, greedily or by sampling, leaving the model unchanged.

Nothing here uses torch's random numbers: callers that sample pass a generator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from lamplighter.model.transformer import Transformer


@dataclass(frozen=True)
class SpokenWord:
    """A token that a model said, with the alternatives."""

    token_id: int
    probability: float
    """The probability of the token at temperature 1, for any way of choosing."""
    candidates: tuple[tuple[int, float], ...]
    """The most probable tokens with their probabilities, in descending order; ties by ascending id."""


@dataclass(frozen=True)
class Sampler:
    """Sampling of tokens."""

    random: np.random.Generator
    """The random numbers, one per token."""
    temperature: float = 1.0
    """A divisor of the logits, above 0; below 1 it favours the likely tokens."""

    def choose(self, logits: NDArray[np.float64]) -> int:
        """Return a token id drawn from logits, shape (V,)."""
        cumulated = np.cumsum(_softmax(logits / self.temperature))
        found = np.searchsorted(cumulated, self.random.random() * cumulated[-1], side="right")
        return min(int(found), len(logits) - 1)


def continue_prompts(
    model: Transformer,
    prompts: Sequence[Sequence[int]],
    words: int,
    samplers: Sequence[Sampler | None],
    candidates: int = 0,
) -> list[list[SpokenWord]]:
    """Continue prompts, at least one, in one batch, token by token; return the `words` tokens said after
    each. The model is left unchanged.

    Of a text longer than the model's context only the end is read: the window slides. The forward pass has
    the precision of the caller's `torch.autocast`. `samplers`: that of each prompt; None chooses the most
    probable token. `candidates`: the number of candidates to keep for each word, at most V. Raises
    ValueError if a prompt is empty, or the numbers of samplers and prompts differ, FloatingPointError if
    the model's logits are not all finite.
    """
    if not all(len(prompt) for prompt in prompts):
        raise ValueError("a prompt is empty: there is nothing to continue")
    texts = [list(prompt) for prompt in prompts]
    spoken: list[list[SpokenWord]] = [[] for _ in prompts]
    for _ in range(words if texts else 0):
        logits = _next_logits(model, texts)
        if not np.isfinite(logits).all():
            raise FloatingPointError("the model's numbers are no longer finite: it says nothing")
        for text, said, sampler, row in zip(texts, spoken, samplers, logits, strict=True):
            probabilities = _softmax(row)
            chosen = int(np.argmax(row)) if sampler is None else sampler.choose(row)
            said.append(
                SpokenWord(chosen, float(probabilities[chosen]), most_probable(probabilities, candidates))
            )
            text.append(chosen)
    return spoken


def most_probable(probabilities: NDArray[np.float64], count: int) -> tuple[tuple[int, float], ...]:
    """Return the `count` most probable tokens as (id, probability), from probabilities of shape (V,), in descending
    order; ties by ascending id."""
    count = min(count, len(probabilities))
    if not count:
        return ()
    threshold = np.partition(probabilities, -count)[-count]
    ids = np.flatnonzero(probabilities >= threshold)
    order = ids[np.argsort(-probabilities[ids], kind="stable")][:count]
    return tuple((int(token_id), float(probabilities[token_id])) for token_id in order)


def _next_logits(model: Transformer, texts: list[list[int]]) -> NDArray[np.float64]:
    """Return the logits of the token after each text, shape (B, V)."""
    windows = [text[-model.shape.context :] for text in texts]
    # Padding comes after a text, where causal attention does not see it.
    ids = np.zeros((len(windows), max(map(len, windows))), dtype=np.int64)
    for row, window in zip(ids, windows, strict=True):
        row[: len(window)] = window
    device = model.embedding.weight.device
    with torch.no_grad():
        stream = model.residual_stream(torch.from_numpy(ids).to(device))[-1]
        last = torch.tensor([len(window) - 1 for window in windows], device=device)
        ends = stream[torch.arange(len(windows), device=device), last]
        # Unembed only the last position: with a large vocabulary that is most of the work.
        logits: NDArray[np.float32] = model.unembedding(model.norm(ends)).float().cpu().numpy()
    return logits.astype(np.float64)


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    exponentials = np.exp(logits - logits.max())
    return exponentials / exponentials.sum()
