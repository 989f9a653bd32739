"""Histories of embeddings for the checks: trainings that are right, of many kinds, in numpy and in milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
History = dict[int, Matrix]

PYTHIA_STEPS = (0, *(1 << n for n in range(10)), *range(1_000, 144_000, 1_000))
"""The steps of Pythia's 154 checkpoints."""


def as_bfloat16(matrix: Matrix) -> Matrix:
    """Return a matrix rounded to bfloat16."""
    bits = matrix.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)).view(np.float32)


def as_float16(matrix: Matrix) -> Matrix:
    return matrix.astype(np.float16).astype(np.float32)


@dataclass(frozen=True)
class Training:
    """A training by noisy gradients: each word's row is drawn to a place in its cluster, common words more often."""

    rate: Callable[[float], float] = lambda _: 0.04
    """The learning rate by the share of the training that is done."""
    steps: int = 200
    keep: Sequence[int] = tuple(range(0, 201, 10))
    size: int = 500
    width: int = 32
    adam: bool = False
    decay: float = 0.0
    noise: float = 0.5
    start: float = 0.2
    is_sparse: bool = False
    """Whether a step reads few of the words, and moves no others."""
    restart: int | None = None
    """The step at which the optimiser's state is lost and the words change their places a little."""
    at_rest: bool = False
    store: Callable[[Matrix], Matrix] = np.copy
    seed: int = 0
    start_seed: int | None = None

    def run(self) -> History:
        """Return the table at each of the kept steps."""
        random = np.random.default_rng(self.seed)
        own = random if self.start_seed is None else np.random.default_rng(self.start_seed)
        shape = (self.size, self.width)
        clusters = random.normal(size=(12, self.width))
        goal = clusters[random.integers(0, 12, self.size)] + 0.4 * random.normal(size=shape)
        table = goal.copy() if self.at_rest else self.start * own.normal(size=shape)
        frequency = 1 / np.arange(1, self.size + 1)
        mean, square = np.zeros(shape), np.zeros(shape)
        kept = {0: self.store(table.astype(np.float32))} if 0 in self.keep else {}
        for step in range(1, self.steps + 1):
            if step == self.restart:
                mean, square = np.zeros(shape), np.zeros(shape)
                goal = goal + 0.5 * random.normal(size=shape)
            read = random.random(self.size) < np.clip(40 * frequency, 0, 1)
            gradient = (table - goal + self.noise * random.standard_normal(shape, np.float32)) * read[:, None]
            if self.adam:
                mean = 0.9 * mean + 0.1 * gradient
                square = 0.99 * square + 0.01 * gradient**2
                scaled = mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
            else:
                scaled = gradient
            change = scaled + self.decay * table
            table = table - self.rate(step / self.steps) * (
                change * read[:, None] if self.is_sparse else change
            )
            if step in self.keep:
                kept[step] = self.store(table.astype(np.float32))
        return kept


def bigram_history(size: int = 80, width: int = 24, steps: int = 300) -> History:
    """Return the input table of a bigram model, trained with softmax and Adam on random text of a Markov chain."""
    random = np.random.default_rng(3)
    chain = random.dirichlet(np.full(size, 0.05), size)
    text = np.zeros(4_000, int)
    for at in range(1, len(text)):
        text[at] = random.choice(size, p=chain[text[at - 1]])
    tables = {"in": 0.1 * random.normal(size=(size, width)), "out": 0.1 * random.normal(size=(width, size))}
    means = {name: np.zeros_like(table) for name, table in tables.items()}
    squares = {name: np.zeros_like(table) for name, table in tables.items()}
    kept: History = {0: tables["in"].astype(np.float32)}
    for step in range(1, steps + 1):
        at = random.integers(0, len(text) - 1, 128)
        words, following = text[at], text[at + 1]
        hidden = tables["in"][words]
        logits = hidden @ tables["out"]
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        chances[np.arange(128), following] -= 1
        gradients = {"in": np.zeros_like(tables["in"]), "out": hidden.T @ chances / 128}
        np.add.at(gradients["in"], words, chances @ tables["out"].T / 128)
        for name, gradient in gradients.items():
            means[name] = 0.9 * means[name] + 0.1 * gradient
            squares[name] = 0.999 * squares[name] + 0.001 * gradient**2
            scaled = means[name] / (1 - 0.9**step) / (np.sqrt(squares[name] / (1 - 0.999**step)) + 1e-8)
            tables[name] = tables[name] - 0.01 * scaled
        if step % 15 == 0:
            kept[step] = tables["in"].astype(np.float32)
    return kept


def _spike(at: float, height: float, width: float = 0.01) -> Callable[[float], float]:
    return lambda done: 0.04 * (height if abs(done - at) < width else 1)


def _cosine(done: float) -> float:
    return 0.04 * (1 + np.cos(np.pi * done)) / 2


_PLAIN = Training()

RIGHT: Mapping[str, Callable[[], History]] = {
    "sgd": _PLAIN.run,
    "adam": replace(_PLAIN, adam=True).run,
    "adam at a high rate": replace(_PLAIN, adam=True, rate=lambda _: 0.3).run,
    "cosine to zero": replace(_PLAIN, rate=_cosine).run,
    "warm-up and decay": replace(_PLAIN, rate=lambda done: 0.04 * min(done / 0.1, 1 - done)).run,
    "warm restarts": replace(_PLAIN, rate=lambda done: _cosine(4 * done % 1)).run,
    "cyclical rate": replace(_PLAIN, rate=lambda done: 0.2 * abs(20 * done % 2 - 1)).run,
    "a spike": replace(_PLAIN, rate=_spike(0.5, 20)).run,
    "a spike at the start": replace(_PLAIN, rate=_spike(0.03, 20)).run,
    "a spike at the end": replace(_PLAIN, rate=_spike(0.99, 20)).run,
    "many spikes": replace(_PLAIN, rate=lambda done: _spike(round(20 * done) / 20, 25, 0.004)(done)).run,
    "frozen first quarter": replace(_PLAIN, rate=lambda done: 0.03 * (done > 0.25)).run,
    "frozen last quarter": replace(_PLAIN, rate=lambda done: 0.03 * (done < 0.75)).run,
    "strong weight decay": replace(_PLAIN, adam=True, decay=1.0).run,
    "the start forgotten": replace(_PLAIN, decay=3.0, rate=lambda done: 0.2 * (1 - done)).run,
    "sparse rows": replace(_PLAIN, is_sparse=True, size=700).run,
    "sparse adam": replace(_PLAIN, is_sparse=True, adam=True).run,
    "log-spaced": replace(_PLAIN, keep=(0, *(1 << n for n in range(8)), 200)).run,
    "log-spaced and then linear": replace(
        _PLAIN, keep=(0, 1, 2, 4, 8, *range(10, 201, 10)), rate=lambda done: 0.02 * (done > 0.006)
    ).run,
    "bfloat16": replace(_PLAIN, store=as_bfloat16, rate=lambda done: 0.02 * (1 - done)).run,
    "float16, tiny rate": replace(_PLAIN, store=as_float16, rate=lambda _: 1e-4).run,
    "bfloat16 at rest": replace(_PLAIN, store=as_bfloat16, at_rest=True, rate=lambda _: 3e-4, adam=True).run,
    "too large a rate": replace(_PLAIN, rate=lambda _: 1.9, noise=0.05).run,
    "noise around a point": replace(_PLAIN, at_rest=True, rate=lambda _: 0.5, noise=2.0).run,
    "optimiser lost, new text": replace(_PLAIN, adam=True, restart=100).run,
    "few words": replace(_PLAIN, size=40, width=8).run,
    "a large start": replace(_PLAIN, start=2.0).run,
    "checkpoints far apart": replace(_PLAIN, keep=(0, 150, 200), rate=lambda _: 0.05).run,
    "a bigram model": bigram_history,
}
"""Histories in which nothing is wrong, by what is special about them."""


def pythia_history(size: int = 300) -> History:
    """Return a table at each step of Pythia's 154 checkpoints; the time between them is not to scale."""
    kept = replace(_PLAIN, steps=306, keep=range(0, 307, 2), size=size, rate=_cosine).run()
    return dict(zip(PYTHIA_STEPS, kept.values(), strict=True))
