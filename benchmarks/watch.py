"""Speed of a watched training, compared with the same training unwatched.

Two models of GPT-2's shape with tied weights and AdamW take turns in one process, step by step, so that both meet the
same machine. The goal is about processor time on one thread, so that other programs do not count; the time by the clock is
printed beside it, and says something on a quiet machine alone. If only every tenth step is recorded, ten steps are one pair.
`LAMPLIGHTER_BENCH_KEPT_ROWS=100` keeps so many rows of every recorded step. `LAMPLIGHTER_BENCH_WIDTH=768` uses GPT-2's width. A vocabulary of characters is paired with a
typical narrow model, whose steps take about ten milliseconds.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import lamplighter
from benchmarks.support.report import report

WIDTH = int(os.environ.get("LAMPLIGHTER_BENCH_WIDTH", "256"))
LAYERS, HEADS, SEQUENCES = 4, 4, 8
KEPT_ROWS = int(os.environ.get("LAMPLIGHTER_BENCH_KEPT_ROWS", "0"))
WARM = 3
CASES = (
    (112, 64, 32, 1, 300),
    (4_096, WIDTH, 64, 1, 100),
    (4_096, WIDTH, 64, 10, 12),
    (50_257, WIDTH, 64, 1, 20),
    (50_257, WIDTH, 64, 10, 4),
)
"""Rows, width, tokens per sequence, steps per recorded step, and pairs."""


class Block(nn.Module):
    """A block of GPT-2."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.attention = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)
        self.feed_forward = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """Return the residual stream after the block."""
        parts = self.attention(self.norms[0](x)).chunk(3, dim=-1)
        query, key, value = (part.unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in parts)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.projection(seen.transpose(1, 2).flatten(2))
        return x + self.feed_forward(self.norms[1](x))


class Shaped(nn.Module):
    """A model of GPT-2's shape, with tied weights."""

    def __init__(self, rows: int, width: int, context: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.wte, self.wpe = nn.Embedding(rows, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block(width) for _ in range(LAYERS)))
        self.head = nn.Linear(width, rows, bias=False)
        self.head.weight = self.wte.weight
        nn.init.normal_(self.wte.weight, std=0.02)

    def forward(self, ids: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits and the loss."""
        logits = self.head(self.blocks(self.wte(ids) + self.wpe.weight))
        return logits, functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


class Trained:
    """A model and its optimiser."""

    def __init__(self, rows: int, width: int, context: int) -> None:
        self.model = Shaped(rows, width, context)
        self._optimizer = torch.optim.AdamW(self.model.parameters(), lr=3e-4, weight_decay=0.1)
        self._choose = torch.Generator().manual_seed(0)
        self._rows, self._context = rows, context

    def step(self, steps: int) -> tuple[float, float]:
        """Train. Returns the seconds per step: of the processor, and by the clock."""
        begun, clock = time.process_time(), time.perf_counter()
        for _ in range(steps):
            ids = torch.randint(self._rows, (SEQUENCES, self._context), generator=self._choose)
            self._optimizer.zero_grad(set_to_none=True)
            self.model(ids, ids.roll(-1, 1))[1].backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self._optimizer.step()
        return (time.process_time() - begun) / steps, (time.perf_counter() - clock) / steps


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    torch.set_num_threads(1)
    met = [_compare(*case) for case in CASES]
    return all(met)


def _compare(rows: int, width: int, context: int, every: int, pairs: int) -> bool:
    plain, watched = Trained(rows, width, context), Trained(rows, width, context)
    seconds: list[tuple[tuple[float, float], tuple[float, float]]] = []
    with tempfile.TemporaryDirectory() as folder:
        watcher = lamplighter.watch(
            watched.model,
            folder=Path(folder) / "run",
            embedding="wte",
            every=every,
            keep_rows=range(KEPT_ROWS) or None,
            on_error="raise",
        )
        with watcher:
            for trained in (plain, watched):
                trained.step(WARM if every == 1 else every)
            for number in range(pairs):
                # The first one finds another cache state, so they alternate.
                first, second = (plain, watched) if number % 2 else (watched, plain)
                took = {id(one): one.step(every) for one in (first, second)}
                seconds.append((took[id(plain)], took[id(watched)]))
        recorded = lamplighter.open(Path(folder) / "run").status.step
    # Shape (2, 2, pairs): of the processor and by the clock, without and with the record.
    (without, with_it), (clock_without, clock_with) = np.array(seconds).transpose(2, 1, 0)
    return report(
        f"watch_{rows}_every_{every}",
        float(np.median(without / with_it)),
        "of the speed unwatched",
        rows=rows,
        width=width,
        every=every,
        pairs=pairs,
        step_ms=1e3 * float(np.median(without)),
        more_ms=1e3 * float(np.median(with_it - without)),
        clock_share=float(np.median(clock_without / clock_with)),
        clock_more_ms=1e3 * float(np.median(clock_with - clock_without)),
        recorded=recorded,
    )
