"""Speed of a watched training, compared with the same training unwatched, in one process or in two.

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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

import lamplighter
from benchmarks.support.report import report
from lamplighter.client.sharding.step_part import HEADER_BYTES
from tests.support.machine.ranks import run_ranks

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


ROWS, SHARED_WIDTH, CONTEXT, RANKS = 50_257, 256, 64, 2
SHARED_CASES = (("ddp", 1, 12), ("ddp", 10, 6), ("fsdp2", 1, 12), ("fsdp2", 10, 6))
"""Kind, steps per recorded step, and pairs."""


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

    def __init__(self, model: nn.Module, seed: int = 0) -> None:
        """Train a model, `Shaped` or what wraps one, on ids that are drawn from a seed."""
        self.model = model
        self._optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=0.1)
        self._choose = torch.Generator().manual_seed(seed)
        shaped: Any = getattr(model, "module", model)
        self._rows, self._context = shaped.wte.num_embeddings, shaped.wpe.num_embeddings

    def draw(self) -> Tensor:
        """Return the ids of a batch."""
        return torch.randint(self._rows, (SEQUENCES, self._context), generator=self._choose)

    def step(self, steps: int) -> tuple[float, float]:
        """Train. Returns the seconds per step: of the processor, and by the clock."""
        begun, clock = time.process_time(), time.perf_counter()
        for _ in range(steps):
            ids = self.draw()
            self._optimizer.zero_grad(set_to_none=True)
            self.model(ids, ids.roll(-1, 1))[1].backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self._optimizer.step()
        return (time.process_time() - begun) / steps, (time.perf_counter() - clock) / steps


def take_turns(
    one: Trained, other: Trained, every: int, pairs: int, begin: Callable[[], None] = lambda: None
) -> NDArray[np.float64]:
    """Train two in turn, `every` steps at a time. Once both are warm, `begin` is called.

    Returns:
        The seconds of a step: of the processor and by the clock, of `one` and of `other`, shape (2, 2, pairs).
    """
    seconds: list[list[tuple[float, float]]] = []
    for trained in (one, other):
        trained.step(WARM if every == 1 else every)
    begin()
    for number in range(pairs):
        # The first one finds another cache state, so they alternate.
        order = (one, other) if number % 2 else (other, one)
        took = {id(trained): trained.step(every) for trained in order}
        seconds.append([took[id(one)], took[id(other)]])
    return np.array(seconds).transpose(2, 1, 0)


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    for case in CASES:
        _compare(*case)


def _compare(rows: int, width: int, context: int, every: int, pairs: int) -> None:
    plain, watched = (Trained(Shaped(rows, width, context)) for _ in range(2))
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
            (without, with_it), (clock_without, clock_with) = take_turns(plain, watched, every, pairs)
        recorded = lamplighter.open(Path(folder) / "run").status.step
    report(
        f"watch_{rows}_every_{every}",
        np.median(without / with_it),
        "of the speed unwatched",
        rows=rows,
        width=width,
        every=every,
        pairs=pairs,
        step_ms=1e3 * np.median(without),
        more_ms=1e3 * np.median(with_it - without),
        clock_share=np.median(clock_without / clock_with),
        clock_more_ms=1e3 * np.median(clock_with - clock_without),
        recorded=recorded,
    )


class SharedModel(Trained):
    """A model that is shared with the other processes."""

    def __init__(self, kind: str, rank: int) -> None:
        self.inner: Any = Shaped(ROWS, SHARED_WIDTH, CONTEXT)
        model: Any = self.inner
        if kind == "ddp":
            model = nn.parallel.DistributedDataParallel(model)
        else:
            from torch.distributed.device_mesh import init_device_mesh
            from torch.distributed.fsdp import fully_shard

            mesh = init_device_mesh("cpu", (RANKS,))
            for block in model.blocks:
                fully_shard(block, mesh=mesh)
            model = fully_shard(model, mesh=mesh)
        super().__init__(model, rank)
        self.read: list[Tensor] = []
        """The rows that each step read."""

    def draw(self) -> Tensor:
        """Return the ids of a batch, and note its rows."""
        ids = super().draw()
        self.read.append(ids.unique())
        return ids


class CountedConnections:
    """The connections of a watcher, with the bytes of all tensors that this process hands over to be sent."""

    def __init__(self, connections: Any, rank: int) -> None:
        self._connections, self._rank = connections, rank
        self.sent = 0

    def _allgather_base(self, output: Tensor, own: Tensor) -> Any:
        self.sent += own.nbytes * (RANKS - 1)
        return self._connections._allgather_base(output, own)

    def alltoall_base(self, output: Tensor, own: Tensor, received: list[int], sent: list[int]) -> Any:
        """Count, and pass on."""
        self.sent += own.nbytes
        return self._connections.alltoall_base(output, own, received, sent)

    def broadcast(self, tensors: list[Tensor], options: Any) -> Any:
        """Count, and pass on."""
        self.sent += tensors[0].nbytes * (RANKS - 1) * (self._rank == 0)
        return self._connections.broadcast(tensors, options)


def train_both(rank: int, size: int, folder: Path, kind: str, every: int, pairs: int) -> dict[str, Any]:
    """Train both models of one process. A loop for `run_ranks`."""
    plain, watched = SharedModel(kind, rank), SharedModel(kind, rank)
    watcher = lamplighter.watch(
        watched.model, folder=folder / "run", embedding="wte", every=every, on_error="raise"
    )
    group: Any = watcher._recorder.exchange.group  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
    counted = CountedConnections(group._connections, rank)
    group._connections = counted
    seconds = take_turns(plain, watched, every, pairs)
    watcher.close()
    own = watched.inner.wte.weight
    return {
        "seconds": seconds.tolist(),
        "read": [
            len(torch.cat(watched.read[at : at + every]).unique())
            for at in range(0, len(watched.read), every)
        ],
        "sent": counted.sent,
        "rows": len(own.to_local() if hasattr(own, "to_local") else own),
    }


def count_bytes(run: lamplighter.Run, read: list[list[int]], rows: list[int]) -> int:
    """Return the bytes that all processes send for a record after its first matrix, by the formula of docs/client.md.

    Args:
        run: the record.
        read: the number of rows that each process read, for each recorded step.
        rows: the number of rows that each process holds.
    """
    split = rows[0] < ROWS
    word = 8 * (RANKS - 1)
    headers = HEADER_BYTES * RANKS * (RANKS - 1)
    total = 0
    for pulse, own in zip(run.steps(), zip(*read, strict=True), strict=True):
        total += headers + word + 8 * sum(own[1:])
        if split:
            gradients = int((pulse.gradient_ids >= rows[0]).sum())
            moved = int((pulse.moved_ids >= rows[0]).sum())
            total += 12 * (gradients + moved)
            if 2 * len(pulse.moved_ids) <= ROWS:
                raise AssertionError("this benchmark is of an optimiser that moves every row")
    # At the end all rows of a split table come with their ids, after the sizes and a word.
    whole = word + 8 * RANKS * (RANKS - 1) + (4 + 4 * SHARED_WIDTH) * (ROWS - rows[0])
    return total + headers + word + split * whole


def measure_sharded() -> None:
    """Measure the speed of a watched training in two processes, and the bytes that it sends.

    In each process two models take turns as above: in DDP, or cut by rows with FSDP2. The figure is the processor time of the
    busiest process, all its threads together, so that other programs do not count; beside it stands the ratio by the clock,
    which has the waiting as well. What goes through gloo for the record is counted where it is handed over, and compared with
    what the formula of docs/client.md makes of the record and the batches.
    """
    for case in SHARED_CASES:
        _compare_shared(*case)


def _compare_shared(kind: str, every: int, pairs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = run_ranks(
            train_both, RANKS, Path(folder), patience=3_000, kind=kind, every=every, pairs=pairs
        )
        run = lamplighter.open(Path(folder) / "run")
        recorded = run.status.step
        formula = count_bytes(run, [one["read"] for one in found], [one["rows"] for one in found])
    # The busiest process holds up the others.
    processor, wall = np.array([one["seconds"] for one in found]).max(axis=0)
    sent = sum(one["sent"] for one in found)
    report(
        f"sharded_{kind}_every_{every}",
        np.median(processor[0] / processor[1]),
        "of the speed unwatched",
        by_the_clock=np.median(wall[0] / wall[1]),
        step_ms=1e3 * np.median(processor[0]),
        watched_ms=1e3 * np.median(processor[1]),
        rows=ROWS,
        width=SHARED_WIDTH,
        ranks=RANKS,
        pairs=pairs,
        recorded=recorded,
    )
    unit = "bytes beside the formula"
    report(f"sharded_{kind}_bytes_{every}", abs(sent - formula), unit, sent=sent, formula=formula)
