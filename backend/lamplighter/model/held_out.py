"""The loss of a model on held-out text, and of a run of sums the share that it gets right."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from lamplighter.contract.recipe import SUM_TOKENS, Recipe
from lamplighter.model.batches import SAMPLE_TOKENS, positions_after
from lamplighter.model.learner import Learner

_MIN_PREDICTIONS = 30


class HeldOutLoss:
    """The loss on a run's held-out text. Measuring it changes neither the model nor any random state."""

    def __init__(
        self, recipe: Recipe, token_ids: NDArray[np.uint32], sample_tokens: int = SAMPLE_TOKENS
    ) -> None:
        """Choose the windows of the held-out text, shape (M,), to read: `sample_tokens` predictions, unless
        the text has fewer.
        """
        context, unit = recipe.model.context, recipe.corpus.unit_tokens
        last = len(token_ids) - 1 - context
        windows = min(last // max(context, unit) + 1, max(1, sample_tokens // context))
        starts = unit * np.linspace(0, last // unit, max(0, windows)).astype(np.int64)
        self.windows = torch.from_numpy(token_ids[positions_after(starts, context)].astype(np.int64))
        """The windows, token ids of shape (N, context + 1)."""
        self._at_once = recipe.sequences

    @property
    def predictions(self) -> int:
        return len(self.windows) * max(0, self.windows.shape[1] - 1)

    def measure(self, learner: Learner) -> float | None:
        """Return the mean loss in nats; None if the text is shorter than a window, or the loss is not finite."""
        losses = self._measure_each(learner)
        return None if losses is None else float(losses.mean())

    def measure_by_frequency(
        self, learner: Learner, counts: NDArray[np.integer]
    ) -> tuple[float, dict[str, float]] | None:
        """Return the mean loss in nats, and that of each tenth of the text by the frequency of the word to be
        predicted, as `loss_decile 1` (the most frequent words) to `loss_decile 10`; None as in `measure`.
        `counts`: how often each token is in the text that is trained on, shape (V,). Tenths with fewer
        than 30 predictions are left out.
        """
        losses = self._measure_each(learner)
        if losses is None:
            return None
        tenths = split_by_frequency(counts)[self.windows[:, 1:].flatten().numpy()]
        sizes, sums = np.bincount(tenths, minlength=10), np.bincount(tenths, losses, minlength=10)
        by_frequency = {
            f"loss_decile {tenth + 1}": round(float(sums[tenth] / sizes[tenth]), 4)
            for tenth in np.flatnonzero(sizes >= _MIN_PREDICTIONS)
        }
        return float(losses.mean()), by_frequency

    def _measure_each(self, learner: Learner) -> NDArray[np.float64] | None:
        """Return the loss of every prediction in the order of the windows, shape (N context,)."""
        found: list[NDArray[np.float64]] = []
        with torch.no_grad():
            for windows in self.windows.split(self._at_once) if len(self.windows) else ():
                on_device = windows.to(learner.device)
                with torch.autocast(
                    learner.device.type, learner.autocast, enabled=learner.autocast is not None
                ):
                    losses = learner.model.losses(on_device[:, :-1], on_device[:, 1:])[1]
                found.append(losses.cpu().double().numpy())
        losses = np.concatenate(found) if found else np.empty(0)
        return losses if len(losses) and np.isfinite(losses.mean()) else None


def split_by_frequency(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the tenth of the text that each token belongs to, 0 for the most frequent, shape (V,).

    Tokens are laid out by their counts, each as long as its share of the text; its middle decides.
    """
    order = np.argsort(-counts.astype(np.int64), kind="stable")
    shares = counts[order] / max(1, int(counts.sum()))
    tenths = np.empty(len(counts), np.int64)
    tenths[order] = np.minimum(9, 10 * (np.cumsum(shares) - shares / 2)).astype(np.int64)
    return tenths


_MAX_SUMS = 4_096
"""Maximum sums of each part that are asked; their order is random, so the first are a sample."""


class SumAccuracy:
    """The accuracy of a run of the corpus kind `modular`. Measuring it changes neither the model nor any random state."""

    def __init__(self, recipe: Recipe, read: NDArray[np.uint32], held_out: NDArray[np.uint32]) -> None:
        """Take the sums that training reads and those held out, token ids of shape (5 N,) and (5 M,)."""
        self._parts = {
            name: torch.from_numpy(ids.reshape(-1, SUM_TOKENS)[:_MAX_SUMS].astype(np.int64))
            for name, ids in (("accuracy_read", read), ("accuracy_held_out", held_out))
        }
        self._at_once = recipe.sequences
        self._chance = 1 / (recipe.corpus.modulus or 1)

    def measure(self, learner: Learner) -> dict[str, float]:
        """Return `accuracy_read`, `accuracy_held_out` and `accuracy_chance`: shares of right answers, from 0 to 1."""
        found = {name: self._share_right(learner, sums) for name, sums in self._parts.items()}
        return found | {"accuracy_chance": self._chance}

    @torch.no_grad()
    def _share_right(self, learner: Learner, sums: torch.Tensor) -> float:
        right = 0
        for some in sums.to(learner.device).split(self._at_once):
            with torch.autocast(learner.device.type, learner.autocast, enabled=learner.autocast is not None):
                answers = learner.model.logits(some[:, :-1])[:, -1].argmax(dim=1)
            right += int((answers == some[:, -1]).sum())
        return right / len(sums)
