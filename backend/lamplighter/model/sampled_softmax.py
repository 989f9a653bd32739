"""Sampled softmax: the loss of a training step, read on some rows of the output matrix instead of all.

A cross-entropy needs the sum of exp(logit) over the vocabulary. Here the targets of the batch count in it in full. What all
other tokens add is estimated from K draws, with replacement, from a proposal q; each adds exp(logit) / (K q). The sum is
unbiased. Its logarithm is too small on average, by about half the square of the sum's relative error, and so is the loss
(Bengio and Senécal 2008, doi 10.1109/TNN.2007.912312; Jean et al. 2015, arXiv 1412.2007).
docs/decisions/0047-sampled-softmax.md has the measured bias of loss and gradient.

Half of the draws follow the frequencies of the text, half are uniform. Without the latter, tokens that the text lacks would
never be pushed down, and would spoil the loss over the whole vocabulary.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Candidates:
    """The rows of the output matrix that a step reads: N = B T + K, for every batch."""

    rows: Tensor
    """Token ids, shape (N,): the targets in ascending order, then the draws."""
    offsets: Tensor
    """Added to the logits, shape (N,): 0 for a target, -log(K q) for a draw; -inf for each further occurrence of a target,
    also among the draws."""
    columns: Tensor
    """The place in `rows` of each prediction's target, shape (B T,)."""


class NegativeSampler:
    """The draws of a run: a pure function of its seed and the tokens of the batch, so a step computed again has the same."""

    def __init__(self, counts: NDArray[np.integer], draws: int, seed: int) -> None:
        """Make the proposal of K `draws`. `counts`: how often each token is in the text that is trained on,
        shape (V,), not all 0.
        """
        self._seed, self._cumulative = seed, np.cumsum(counts.astype(np.int64))
        self._frequent, self._uniform = draws - draws // 2, draws // 2
        expected = self._frequent * counts / self._cumulative[-1] + self._uniform / len(counts)
        with np.errstate(divide="ignore"):
            # A single draw never finds a token that the text lacks.
            self._offsets = torch.from_numpy(-np.log(expected).astype(np.float32))

    def draw(self, ids: Tensor, targets: Tensor) -> Candidates:
        """Return the rows to read for a batch of token ids and next token ids, shape (B, T), on its device."""
        digest = hashlib.blake2b(torch.stack((ids, targets)).cpu().numpy().tobytes(), digest_size=16).digest()
        random = np.random.default_rng([self._seed, *np.frombuffer(digest, np.uint32).tolist()])
        size = len(self._cumulative)
        frequent = random.integers(self._cumulative[-1], size=self._frequent)
        drawn = np.concatenate(
            (
                np.searchsorted(self._cumulative, frequent, side="right"),
                random.integers(size, size=self._uniform),
            )
        )
        return _list_candidates(targets.flatten(), torch.from_numpy(drawn), self._offsets)


def _list_candidates(targets: Tensor, drawn: Tensor, offsets: Tensor) -> Candidates:
    ordered, order = targets.sort(stable=True)
    places = torch.arange(len(ordered), device=targets.device)
    first = torch.ones_like(ordered, dtype=torch.bool)
    first[1:] = ordered[1:] != ordered[:-1]
    columns = torch.empty_like(places)
    columns[order] = torch.where(first, places, 0).cummax(0).values
    drawn_offsets = offsets[drawn].to(targets.device)
    drawn = drawn.to(targets.device)
    return Candidates(
        torch.cat((ordered, drawn)),
        torch.cat(
            (
                torch.where(first, 0.0, -math.inf),
                drawn_offsets.masked_fill(torch.isin(drawn, ordered), -math.inf),
            )
        ),
        columns,
    )
