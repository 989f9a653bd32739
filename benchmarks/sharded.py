"""Speed of a watched training in two processes, compared with the same training unwatched; and the bytes that it sends.

In each process two models of GPT-2's shape take turns, as in `watch`: in DDP, or cut by rows with FSDP2. The figure is the
processor time of the busiest process, all its threads together, so that other programs do not count; beside it stands
the ratio by the clock, which has the waiting as well. What goes through gloo for the record is counted where it is handed
over, and compared with what the formula of docs/client.md makes of the record and the batches.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import lamplighter
from benchmarks.support.report import report
from benchmarks.watch import SEQUENCES, Shaped
from lamplighter.client.sharding.step_part import HEADER_BYTES
from tests.support.machine.ranks import run_ranks

ROWS, WIDTH, CONTEXT, RANKS = 50_257, 256, 64, 2
WARM = 2
CASES = (("ddp", 1, 12), ("ddp", 10, 6), ("fsdp2", 1, 12), ("fsdp2", 10, 6))
"""Kind, steps per recorded step, and pairs."""


class Trained:
    """A model, shared with the other processes, and its optimiser."""

    def __init__(self, kind: str, rank: int) -> None:
        self.inner: Any = Shaped(ROWS, WIDTH, CONTEXT)
        if kind == "ddp":
            self.model: Any = nn.parallel.DistributedDataParallel(self.inner)
        else:
            from torch.distributed.device_mesh import init_device_mesh
            from torch.distributed.fsdp import fully_shard

            mesh = init_device_mesh("cpu", (RANKS,))
            for block in self.inner.blocks:
                fully_shard(block, mesh=mesh)
            self.model = fully_shard(self.inner, mesh=mesh)
        self._optimizer = torch.optim.AdamW(self.model.parameters(), lr=3e-4, weight_decay=0.1)
        self._choose = torch.Generator().manual_seed(rank)
        self.read: list[Tensor] = []
        """The rows that each step read."""

    def step(self, steps: int) -> tuple[float, float]:
        """Train. Returns the processor seconds and the seconds by the clock."""
        begun = time.process_time(), time.perf_counter()
        for _ in range(steps):
            ids = torch.randint(ROWS, (SEQUENCES, CONTEXT), generator=self._choose)
            self.read.append(ids.unique())
            self._optimizer.zero_grad(set_to_none=True)
            self.model(ids, ids.roll(-1, 1))[1].backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self._optimizer.step()
        return time.process_time() - begun[0], time.perf_counter() - begun[1]


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


def take_turns(rank: int, size: int, folder: Path, kind: str, every: int, pairs: int) -> dict[str, Any]:
    """Train both models of one process. A loop for `run_ranks`."""
    plain, watched = Trained(kind, rank), Trained(kind, rank)
    watcher = lamplighter.watch(
        watched.model, folder=folder / "run", embedding="wte", every=every, on_error="raise"
    )
    group: Any = watcher._recorder.exchange.group  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
    counted = CountedConnections(group._connections, rank)
    group._connections = counted
    seconds: list[list[tuple[float, float]]] = []
    for trained in (plain, watched):
        trained.step(WARM if every == 1 else every)
    for number in range(pairs):
        # The first one finds another cache state, so they alternate.
        first, second = (plain, watched) if number % 2 else (watched, plain)
        took = {id(one): one.step(every) for one in (first, second)}
        seconds.append([took[id(plain)], took[id(watched)]])
    watcher.close()
    own = watched.inner.wte.weight
    return {
        "seconds": seconds,
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
    whole = word + 8 * RANKS * (RANKS - 1) + (4 + 4 * WIDTH) * (ROWS - rows[0])
    return total + headers + word + split * whole


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    met = [_compare(*case) for case in CASES]
    return all(met)


def _compare(kind: str, every: int, pairs: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        found = run_ranks(
            take_turns, RANKS, Path(folder), patience=3_000, kind=kind, every=every, pairs=pairs
        )
        run = lamplighter.open(Path(folder) / "run")
        recorded = run.status.step
        formula = count_bytes(run, [one["read"] for one in found], [one["rows"] for one in found])
    # By process, pair, side (plain, watched) and clock (processor, wall). The busiest process holds up the others.
    processor, wall = np.moveaxis(np.array([one["seconds"] for one in found]).max(axis=0), 2, 0)
    sent = sum(one["sent"] for one in found)
    fast = report(
        f"sharded_{kind}_every_{every}",
        float(np.median(processor[:, 0] / processor[:, 1])),
        "of the speed unwatched",
        by_the_clock=float(np.median(wall[:, 0] / wall[:, 1])),
        step_ms=1e3 * float(np.median(processor[:, 0])) / every,
        watched_ms=1e3 * float(np.median(processor[:, 1])) / every,
        rows=ROWS,
        width=WIDTH,
        ranks=RANKS,
        pairs=pairs,
        recorded=recorded,
    )
    equal = report(
        f"sharded_{kind}_bytes_{every}",
        abs(sent - formula),
        "bytes beside the formula",
        sent=sent,
        formula=formula,
    )
    return fast and equal
