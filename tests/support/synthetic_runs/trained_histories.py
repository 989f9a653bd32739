"""Histories of a real small language model for the checks: trainings that are right, and what damages them.

The model reads three words and says the next (Bengio et al. 2003): an embedding, a hidden layer, logits, trained with torch
on the text of two novels. A training takes a tenth of a second, so that each check can be tried on many.
"""

from __future__ import annotations

import bz2
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from lamplighter.client.histories.report import HistoryReport
from tests.support.synthetic_runs.histories import History, Matrix, as_bfloat16, as_float16

_CONTEXT = 3
_HIDDEN = 48


@cache
def _read_text(size: int) -> torch.Tensor:
    """Return the words of the novels by frequency, as ids below `size`; the last id is any rarer word."""
    packed = (files("lamplighter.corpora") / "novels" / "two-novels.txt.bz2").read_bytes()
    words = re.findall(r"[a-z]+|[.,;!?]", bz2.decompress(packed)[:200_000].decode(errors="replace").lower())
    id_of = {word: at for at, (word, _) in enumerate(Counter(words).most_common(size - 1))}
    return torch.tensor([id_of.get(word, size - 1) for word in words])


@dataclass(frozen=True)
class Lesson:
    """A training of the model, and how its checkpoints are stored."""

    rate: Callable[[float], float] = lambda _: 0.01
    """The learning rate by the share of the training that is done."""
    size: int = 400
    width: int = 32
    steps: int = 120
    every: int = 6
    batch: int = 128
    optimiser: Literal["adamw", "sgd", "sparse", "momentum"] = "adamw"
    decay: float = 0.01
    tied: bool = False
    start: float = 0.3
    is_frozen: Callable[[float], bool] = lambda _: False
    """Whether the embedding stands still, by the share that is done."""
    merge: int | None = None
    """So many checkpoints lie between two merges of a low-rank difference into the table, which stands still else."""
    growth: Mapping[int, int] | None = None
    """Rows that the table gets (or loses) at a step, as by a tokeniser with more (or fewer) tokens."""
    average: float = 0.0
    """How much of the average of the weights stays at a step; 0 keeps the weights themselves."""
    store: Callable[[Matrix], Matrix] = np.copy
    seed: int = 0
    keep: Sequence[int] | None = None
    """The steps of the checkpoints, if they are not evenly spaced."""

    def run(self) -> History:
        """Return the table at each checkpoint."""
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.seed)
                return self._train()
        finally:
            torch.set_num_threads(threads)

    def _train(self) -> History:
        text = _read_text(self.size)
        table = (self.start * torch.randn(self.size, self.width)).requires_grad_()
        hidden = (torch.randn(_CONTEXT * self.width, _HIDDEN) / 10).requires_grad_()
        out = None if self.tied else (torch.randn(_HIDDEN, self.size) / 10).requires_grad_()
        back = (torch.randn(_HIDDEN, self.width) / 7).requires_grad_()
        low = (torch.randn(self.size, 4) / 2).requires_grad_()
        high = torch.zeros(4, self.width).requires_grad_()
        others = [hidden, back] if out is None else [hidden, out]
        trained = [low, high] if self.merge else [table]
        steps = self._optimisers(trained, others)
        averaged = table.detach().clone()
        kept = {0: self.store(table.detach().numpy().copy())}
        for step in range(1, self.steps + 1):
            done = step / self.steps
            at = torch.randint(_CONTEXT, len(text), (self.batch,))
            seen = text[at[:, None] + torch.arange(-_CONTEXT, 0)]
            if self.optimiser == "sparse":
                read = functional.embedding(seen.clamp(max=len(table) - 1), table, sparse=True)
            else:
                whole = table + low @ high if self.merge else table
                read = whole[seen.clamp(max=len(table) - 1)]
            state = torch.tanh(read.flatten(1) @ hidden)
            logits = state @ (back @ table.T if out is None else out)
            goal = text[at].clamp(max=logits.shape[1] - 1)
            functional.cross_entropy(logits, goal).backward()  # pyright: ignore[reportUnknownMemberType]
            for optimiser in steps:
                for group in optimiser.param_groups:
                    group["lr"] = self.rate(done) * group["times"]
            if self.is_frozen(done):
                table.grad = None
            for optimiser in steps:
                optimiser.step()
                optimiser.zero_grad()
            if self.growth and step in self.growth:
                change = self.growth[step]
                more = self.start * torch.randn(max(change, 0), self.width)
                table = torch.cat((table.detach()[: len(table) + min(change, 0)], more)).requires_grad_()
                steps = self._optimisers([table], others)
            averaged = (
                self.average * averaged + (1 - self.average) * table.detach() if self.average else averaged
            )
            if step % self.every == 0 if self.keep is None else step in self.keep:
                if self.merge and step % (self.merge * self.every) == 0:
                    with torch.no_grad():
                        table += low @ high
                        high.zero_()
                told = averaged if self.average else table.detach()
                kept[step] = self.store(told.numpy().copy())
        return kept

    def _optimisers(
        self, table: list[torch.Tensor], others: list[torch.Tensor]
    ) -> list[torch.optim.Optimizer]:
        groups = [{"params": [*table, *others], "times": 1.0}]
        rate = self.rate(0)
        match self.optimiser:
            case "adamw":
                return [torch.optim.AdamW(groups, rate, weight_decay=self.decay, fused=True)]
            case "sgd":
                groups[0]["times"] = 800.0
                return [torch.optim.SGD(groups, rate, weight_decay=0)]
            case "momentum":
                groups[0]["times"] = 100.0
                return [torch.optim.SGD(groups, rate, momentum=0.9)]
            case "sparse":
                return [
                    torch.optim.SparseAdam([{"params": table, "times": 1.0}], rate),
                    torch.optim.AdamW([{"params": others, "times": 1.0}], rate, fused=True),
                ]


def _cosine(done: float) -> float:
    return 0.005 * (1 + float(np.cos(np.pi * done)))


def _between(first: float, last: float) -> Callable[[float], bool]:
    return lambda done: first < done <= last


def _soup(history: History) -> History:
    """Return a history whose last table is the mean of its last five."""
    steps = sorted(history)
    mean = np.mean([history[step] for step in steps[-5:]], axis=0).astype(np.float32)
    return history | {steps[-1]: mean}


def right_histories(plain: Lesson) -> Mapping[str, Callable[[], History]]:
    """Return trainings in which nothing is wrong, by what is special about them; `plain` gives size and seed."""

    def at(rate: Callable[[float], float], **more: Any) -> Lesson:
        return replace(plain, rate=rate, **more)

    def unfrozen(is_frozen: Callable[[float], bool]) -> Lesson:
        return replace(plain, is_frozen=is_frozen)

    lessons = {
        "constant rate": plain,
        "cosine": at(_cosine),
        "fourth power": at(lambda done: 0.01 * (1 - done) ** 4),
        "two warm restarts": at(lambda done: _cosine(3 * done % 1)),
        "a spike": at(lambda done: 0.2 if 0.48 < done < 0.51 else 0.01),
        "strong decay": replace(plain, decay=0.5),
        "very strong decay": replace(plain, decay=4.0, rate=_cosine),
        "tied": replace(plain, tied=True),
        "sgd": replace(plain, optimiser="sgd"),
        "momentum": replace(plain, optimiser="momentum"),
        "sparse": replace(plain, optimiser="sparse", batch=64),
        "very sparse": replace(plain, optimiser="sparse", batch=24),
        "sparse, uneven": replace(
            plain, optimiser="sparse", batch=16, keep=(0, 1, 2, 4, 8, 20, 40, 41, 60, 80, 81, 100, 119, 120)
        ),
        "uneven": replace(plain, keep=(0, 1, 2, 4, 8, 16, 32, 64, 65, 100, 118, 120)),
        "frozen start": unfrozen(_between(0, 0.3)),
        "frozen middle": unfrozen(_between(0.33, 0.67)),
        "frozen end": unfrozen(_between(0.7, 1)),
        "unfrozen by turns": unfrozen(lambda done: int(done * 10 - 1e-9) % 2 == 0),
        "frozen for one interval": unfrozen(_between(0.5, 0.55)),
        "rate 0 in the middle": at(lambda done: 0.0 if 0.4 < done <= 0.6 else 0.01),
        "low rank, merged": replace(plain, merge=4),
        "low rank, merged at each": replace(plain, merge=1),
        "bfloat16": at(lambda done: 0.003 * (1 - done) ** 2, store=as_bfloat16),
        "bfloat16, slow": at(lambda _: 3e-5, store=as_bfloat16),
        "float16, slow, uneven": at(
            lambda _: 3e-5, store=as_float16, keep=(0, 20, 40, 41, 42, 60, 80, 100, 120)
        ),
        "averaged": replace(plain, average=0.9),
        "grown": replace(plain, growth={61: 16}),
        "grown twice": replace(plain, growth={31: 16, 85: 40}),
        "grown at the end": replace(plain, growth={117: 16}),
        "shrunk": replace(plain, growth={61: -16}),
    }
    found: dict[str, Callable[[], History]] = {name: lesson.run for name, lesson in lessons.items()}
    found["soup at the end"] = lambda: _soup(plain.run())
    found["bfloat16 and then float32"] = lambda: {
        step: table if step > 60 else as_bfloat16(table) for step, table in plain.run().items()
    }
    found["float32 and then bfloat16"] = lambda: {
        step: table if step < 60 else as_bfloat16(table)
        for step, table in replace(plain, is_frozen=_between(0.45, 0.55)).run().items()
    }
    return found


class Damage(NamedTuple):
    """A history with something wrong."""

    history: History
    steps: frozenset[int]
    """The steps that are wrong, or those between which it goes wrong: a finding must name one."""


def damages(right: History, other: History) -> Mapping[str, Callable[[], Damage]]:
    """Return what can go wrong with a history, by name.

    Args:
        right: a history of some twenty steps.
        other: one of the same steps and shape from another seed.
    """
    steps = sorted(right)
    last, mid, early = steps[-1], steps[len(steps) // 2], steps[3]
    before, after = steps[len(steps) // 2 - 1], steps[len(steps) // 2 + 1]
    rows, width = right[0].shape
    top, left = slice(0, rows // 2), (slice(None), slice(0, width // 2))
    random = np.random.default_rng(8)
    few = random.choice(rows, max(1, rows // 25), replace=False)

    def put(*changed: int, of: Callable[[int], Matrix]) -> Damage:
        return Damage(right | {step: of(step) for step in changed}, frozenset(changed))

    def part(step: int, some: Any, source: Matrix, *also: int) -> Damage:
        mixed = right[step].copy()
        mixed[some] = source[some]
        return Damage(right | {step: mixed}, frozenset({step, *also}))

    def from_on(begin: int, change: Callable[[Matrix], Matrix]) -> Damage:
        changed = {step: change(right[step]) for step in steps if step >= begin}
        return Damage(right | changed, frozenset({begin, steps[steps.index(begin) - 1]}))

    def swap(one: int, two: int) -> Damage:
        return Damage(right | {one: right[two], two: right[one]}, frozenset({one, two}))

    def insert(table: Matrix) -> Matrix:
        at = rows // 3
        return np.concatenate((table[:at], table[-1:], table[at:-1]))

    def roll_back() -> Damage:
        back = steps.index(mid)
        return Damage(
            right | {step: right[steps[at - 4]] for at, step in enumerate(steps) if back <= at < back + 3},
            frozenset(steps[back - 4 : back + 3]),
        )

    at = steps.index(mid)
    return {
        "neighbours swapped": lambda: swap(mid, after),
        "swapped early": lambda: swap(steps[1], steps[2]),
        "swapped far": lambda: swap(early, steps[-4]),
        "one of another seed": lambda: put(mid, of=other.__getitem__),
        "two of another seed": lambda: put(mid, after, of=other.__getitem__),
        "the first of another seed": lambda: Damage(right | {0: other[0]}, frozenset(steps[:2])),
        "the last of another seed": lambda: Damage(right | {last: other[last]}, frozenset(steps[-2:])),
        "another seed from a step on": lambda: Damage(
            {step: (right if step < mid else other)[step] for step in steps}, frozenset({before, mid})
        ),
        "sign": lambda: put(mid, of=lambda step: -right[step]),
        "columns turned": lambda: put(mid, of=lambda step: np.ascontiguousarray(right[step][:, ::-1])),
        "rows turned": lambda: put(mid, of=lambda step: right[step][::-1].copy()),
        "rows of the step before": lambda: part(mid, top, right[before]),
        "last rows of the step before": lambda: part(mid, slice(rows // 2, rows), right[before]),
        "a quarter of the rows, of the step before": lambda: part(mid, slice(0, rows // 4), right[before]),
        "rows of the step after": lambda: part(mid, top, right[after]),
        "columns of the step before": lambda: part(mid, left, right[before]),
        "columns of the step after": lambda: part(mid, left, right[after]),
        "rows of the step before, at the end": lambda: part(last, top, right[steps[-2]]),
        "columns of the step before, at the end": lambda: part(last, left, right[steps[-2]]),
        "rows two steps old": lambda: part(mid, top, right[steps[at - 2]], steps[at - 2]),
        "columns two steps old": lambda: part(mid, left, right[steps[at - 2]], steps[at - 2]),
        "rows of the last in the first": lambda: part(0, top, right[last], last),
        "rows of the first in the last": lambda: part(last, top, right[0], 0),
        "rows shifted on": lambda: from_on(mid, lambda table: np.roll(table, 1, axis=0)),
        "rows shifted back": lambda: from_on(mid, lambda table: np.roll(table, -1, axis=0)),
        "a row put in": lambda: from_on(mid, insert),
        "halved": lambda: from_on(mid, lambda table: table * np.float32(0.5)),
        "in another unit": lambda: put(mid, of=lambda step: 8 * right[step]),
        "the next one's, rounded": lambda: put(mid, of=lambda _: as_bfloat16(right[after])),
        "the last one's, rounded": lambda: put(mid, of=lambda _: as_float16(right[last])),
        "the last one's": lambda: put(mid, 0, of=lambda _: right[last]),
        "some rows zero": lambda: part(mid, few, np.zeros_like(right[0])),
        "some rows of another seed": lambda: part(mid, few, other[mid]),
        "some rows not finite": lambda: part(mid, few, np.full_like(right[0], np.nan)),
        "reversed": lambda: Damage(
            dict(zip(steps, [right[step] for step in steps[::-1]], strict=True)), frozenset(steps)
        ),
        "rolled back": roll_back,
    }


def judge(report: HistoryReport, damage: Damage) -> str:
    """Return "" if a check names the steps of a damage and no others, or else what it says."""
    # Rows that are back were others in between, where the fault may be.
    problems = [
        set(range(one.steps[0], one.steps[-1] + 1)) if one.code == "returned" else set(one.steps)
        for one in report.problems
    ]
    if problems and all(some & damage.steps for some in problems):
        return ""
    return "; ".join(one.sentence for one in report.findings) or "nothing found"
