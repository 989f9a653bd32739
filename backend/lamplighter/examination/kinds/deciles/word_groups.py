"""Words in groups by frequency, each with about as large a part of the text, and a model's loss on each group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.examination.readings import prediction_losses, rounded
from lamplighter.model.batches import positions_after
from lamplighter.model.learner import Learner

GROUPS = 10
"""Groups of words; fewer where one word has more than a tenth of the text."""


@dataclass(frozen=True)
class WordGroups:
    """Groups of words, the most frequent first; none is empty."""

    of_word: NDArray[np.int64]
    """The group of each word, shape (V,)."""
    counts: NDArray[np.int64]
    """How often the text has each word, shape (V,)."""

    @property
    def number(self) -> int:
        """Return the number of groups."""
        return int(self.of_word.max()) + 1


def group_words(counts: NDArray[np.int64], text: NDArray[np.uint32]) -> WordGroups:
    """Return the words in groups that each have about a tenth of a text.

    Args:
        counts: of the words, shape (V,); all 0 where they are not known, then those of the text count.
        text: token ids.
    """
    found = counts if counts.any() else np.bincount(text, minlength=len(counts))
    order = np.argsort(-found, kind="stable")
    # By its middle: a word with a third of the text belongs where most of it lies.
    middle = (np.cumsum(found[order]) - found[order] / 2) / found.sum()
    _, numbers = np.unique(np.minimum(GROUPS - 1, (GROUPS * middle).astype(np.int64)), return_inverse=True)
    of_word = np.empty(len(found), dtype=np.int64)
    of_word[order] = numbers
    return WordGroups(of_word, found)


class GroupedLoss:
    """The loss by group of the true word, on a sample of the text held out, or of the run's own where none is."""

    def __init__(self, model: ExaminedModel, groups: WordGroups, tokens: int) -> None:
        """Choose the sample of so many tokens, spread over the text."""
        run, self._groups = model.run, groups
        held_out, context = run.held_out_ids, run.recipe.model.context
        self.text = "training" if held_out is None else "held_out"
        """The name of the text in an answer."""
        ids = run.token_ids if held_out is None else held_out
        windows = max(0, min((len(ids) - 1) // context, max(1, tokens // context)))
        starts = np.linspace(0, max(0, len(ids) - 1 - context), windows).astype(np.int64)
        self._windows = torch.from_numpy(ids[positions_after(starts, context)].astype(np.int64))
        self._true = self._windows[:, 1:].reshape(-1).numpy()
        self._at_once = run.recipe.sequences

    def measure(self, learner: Learner) -> tuple[float | None, list[float | None]]:
        """Return a model's mean loss in nats, and that of each group; None where it is not finite or nothing was read."""
        losses = self._losses(learner)
        return (rounded(float(losses.mean())) if len(losses) else None), self._by_group(losses)

    def describe(self, learner: Learner) -> list[dict[str, Any]]:
        """Return the groups, with a model's loss on each and the loss of who knows only how frequent words are."""
        counts, of_word = self._groups.counts, self._groups.of_word
        # A word that is only in the text held out counts as if it had been seen once.
        alone = self._by_group(-np.log(np.maximum(counts, 1) / counts.sum())[self._true])
        read = np.bincount(of_word[self._true], minlength=self._groups.number).tolist()
        _, losses = self.measure(learner)
        described: list[dict[str, Any]] = []
        for group in range(self._groups.number):
            own = counts[of_word == group]
            described.append(
                {
                    "words": len(own),
                    "least": int(own.min()),
                    "most": int(own.max()),
                    "share": rounded(float(own.sum() / counts.sum())),
                    "predictions": read[group],
                    "loss": losses[group],
                    "by_counts": alone[group],
                }
            )
        return described

    def _losses(self, learner: Learner) -> NDArray[np.float64]:
        """Return the loss of each prediction."""
        return prediction_losses(learner, self._windows, self._at_once).reshape(-1)

    def _by_group(self, losses: NDArray[np.float64]) -> list[float | None]:
        groups, number = self._groups.of_word[self._true], self._groups.number
        sizes = np.bincount(groups, minlength=number).tolist()
        sums = np.bincount(groups, weights=losses, minlength=number).tolist()
        return [rounded(total / size) if size else None for total, size in zip(sums, sizes, strict=True)]
