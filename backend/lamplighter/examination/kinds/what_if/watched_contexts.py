"""Contexts watched while a model is trained on a sentence: its own, and others of the same form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from lamplighter.contract.answers.training import ChangedContext, WatchedContext
from lamplighter.examination.readings import next_probabilities, round_known
from lamplighter.model.transformer import Transformer
from lamplighter.wire.vocabulary import Vocabulary
from living_map.rows import unit_rows

MAX_CONTEXTS = 128
"""Maximum number of other contexts."""
MAX_LOGITS = 1 << 22
"""Maximum logits computed at once: with a large vocabulary, fewer contexts are watched."""
SHOWN_CONTEXTS = 12
NEIGHBOURS = 8
"""Nearest words that replace a word, if no word of the sentence has a class."""


@dataclass(frozen=True)
class OtherContext:
    """A context that differs from the sentence's own by one word."""

    place: int
    """The position of the replaced word."""
    token_id: int
    """The word in its place."""


class WatchedContexts:
    """The context of a sentence's last word, and others of the same form, read after each step."""

    def __init__(
        self, contexts: list[list[int]], others: list[OtherContext], told: int, model: Transformer
    ) -> None:
        """Read the predictions after each context before the training.

        Args:
            contexts: token ids, all of one length; the sentence's own first.
            others: how the others differ from it.
            told: the word that the sentence has after its context.
            model: the model before the training.
        """
        self._ids = torch.tensor(contexts, device=model.embedding.weight.device)
        self._others, self._told = others, told
        probabilities = next_probabilities(model, self._ids)
        self._said = probabilities.argmax(axis=1)
        # The probabilities of (told word, word predicted before) after each context, by reading.
        self._readings = [self._extract(probabilities)]

    def read(self, model: Transformer) -> None:
        """Read a model's predictions, and store them."""
        self._readings.append(self._extract(next_probabilities(model, self._ids)))

    def _extract(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        rows = np.arange(len(probabilities))
        return np.stack((probabilities[:, self._told], probabilities[rows, self._said]), axis=1)

    def own(self) -> WatchedContext:
        """Return the predictions after the sentence's own context at every reading."""
        return self._tell(0)

    def also_changed(self, at: int) -> list[ChangedContext]:
        """Return the other contexts in which the told word rose most up to a reading, in descending order.

        Args:
            at: the reading; 0 is before the first step.
        """
        rises = self._readings[at][:, 0] - self._readings[0][:, 0]
        order = np.argsort(-rises[1:], kind="stable")[:SHOWN_CONTEXTS] + 1
        return [
            ChangedContext(
                place=self._others[row - 1].place,
                id=self._others[row - 1].token_id,
                **vars(self._tell(int(row))),
            )
            for row in order
            if rises[row] > 0
        ]

    @property
    def count(self) -> int:
        """Return the number of other contexts."""
        return len(self._others)

    def _tell(self, row: int) -> WatchedContext:
        return WatchedContext(
            ids=self._ids[row].tolist(),
            p=[round_known(float(reading[row, 0])) for reading in self._readings],
            said=int(self._said[row]),
            said_p=[round_known(float(reading[row, 1])) for reading in self._readings],
        )


def watch_contexts(
    model: Transformer, vocabulary: Vocabulary, context: list[int], told: int
) -> WatchedContexts:
    """Choose the contexts of the same form as a sentence's own, and read them for the first time.

    Each replaces one word: by words of its class, most similar first; if no word of the sentence has a class,
    by its nearest neighbours.

    Args:
        model: the model before the training.
        vocabulary: the vocabulary, with its classes.
        context: token ids.
        told: the word after them.
    """
    others = _choose_others(model, vocabulary, context, {*context, told})
    contexts = [context]
    for other in others:
        changed = list(context)
        changed[other.place] = other.token_id
        contexts.append(changed)
    return WatchedContexts(contexts, others, told, model)


def _choose_others(
    model: Transformer, vocabulary: Vocabulary, context: list[int], taken: set[int]
) -> list[OtherContext]:
    class_of = vocabulary.class_of()
    classed = [place for place, token_id in enumerate(context) if class_of[token_id] >= 0]
    places = classed or list(range(len(context)))
    limit = max(1, min(MAX_CONTEXTS, MAX_LOGITS // len(vocabulary)))
    share = max(1, limit // len(places))
    units = unit_rows(model.embedding.weight.detach().float().cpu().numpy())

    def choose() -> Iterator[OtherContext]:
        for place in places:
            token_id = context[place]
            # `<unk>` occurs in no text.
            allowed = np.arange(len(units)) > 0
            allowed[list(taken)] = False
            if classed:
                allowed &= class_of == class_of[token_id]
            similar = np.where(allowed, units @ units[token_id], -np.inf)
            count = min(share if classed else min(share, NEIGHBOURS), int(allowed.sum()))
            for other in np.argsort(-similar, kind="stable")[:count]:
                yield OtherContext(place, int(other))

    return list(choose())[:limit]
