"""A training that any number of processes can share, and the comparison of its records.

One global sequence of batches is the same for every number of processes; each takes every `size`-th sequence of a batch. The
sequences divide by 2 and by 3 and have equal lengths, so the mean of the ranks' mean losses is the loss of the whole batch,
and their averaged gradient is its gradient.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import lamplighter
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.exchanges import Exchange, ExchangesReader
from lamplighter.runfolder.tables.steps_reader import StepsReader

ROWS, WIDTH = 61, 8
"""The table. A prime number of rows, so that no number of processes splits it evenly."""
SEQUENCES, LENGTH = 6, 5
STEPS = 20
_ROUNDING = WIDTH**0.5 * 2**-22
"""The difference of two weights below 4 is known to their last place, in each column."""


class SharedModel(nn.Module):
    """A small model that returns its logits and its loss."""

    def __init__(self, *, tied: bool = False, rows: int = ROWS) -> None:
        """Make it with the same numbers in every process."""
        super().__init__()
        torch.manual_seed(0)
        self.wte = nn.Embedding(rows, WIDTH)
        self.mid = nn.Linear(WIDTH, WIDTH)
        self.head = nn.Linear(WIDTH, rows, bias=False)
        if tied:
            self.head.weight = self.wte.weight

    def forward(self, ids: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits and the mean loss, in nats per token; targets below 0 are no tokens."""
        logits = self.head(torch.tanh(self.mid(self.wte(ids))))
        return logits, nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)


def global_batches(steps: int = STEPS, accumulation: int = 1, rows: int = ROWS) -> Iterator[list[Tensor]]:
    """Yield the batches of each step, shape (SEQUENCES, LENGTH) each. Some rows are in one sequence only, some in none."""
    choose = torch.Generator().manual_seed(1)
    for _ in range(steps):
        yield [torch.randint(0, rows - 4, (SEQUENCES, LENGTH), generator=choose) for _ in range(accumulation)]


def part_of(batch: Tensor, rank: int, size: int) -> Tensor:
    """Return the sequences of a batch that a rank takes; all of them without a group (size 0)."""
    return batch[rank :: max(size, 1)]


def train_part(
    model: Any,
    optimizer: torch.optim.Optimizer,
    watched: Any,
    *,
    rank: int,
    size: int,
    steps: int = STEPS,
    accumulation: int = 1,
    clip: float | None = None,
    whole_batch: bool = False,
    rows: int = ROWS,
    synced: Any = None,
) -> None:
    """Train a rank's part of the global sequence, as the record's loop; the watcher is closed at the end.

    Args:
        model: called with ids and targets; it returns the logits and the loss.
        optimizer: the optimiser of its parameters.
        watched: what `lamplighter.watch` returned.
        rank: of this process.
        size: the number of processes; 0: no group.
        steps: the number of steps.
        accumulation: batches for each step.
        clip: the largest norm of the gradient, if it is clipped.
        whole_batch: whether each rank takes all sequences, as in a tensor-parallel group.
        rows: of the table.
        synced: called with True for the last batch of a step and with False for the others; returns a context manager.
    """
    with watched:
        for batches in global_batches(steps, accumulation, rows):
            for number, batch in enumerate(batches):
                ids = batch if whole_batch else part_of(batch, rank, size)
                with nullcontext() if synced is None else synced(number == len(batches) - 1):
                    (model(ids, ids.roll(-1, 1))[1] / accumulation).backward()
            if clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            optimizer.zero_grad()


def train_plainly(
    rank: int, size: int, folder: Path, tied: bool = False, options: Any = None, **others: Any
) -> None:
    """Record the training of one process without a group: the reference. A loop for `run_ranks` with size 0."""
    model = SharedModel(tied=tied)
    watched = lamplighter.watch(model, folder=folder / "plain", on_error="raise", **(options or {}))
    train_part(model, torch.optim.SGD(model.parameters(), lr=0.5), watched, rank=0, size=0, **others)


def read_exchanges(folder: Path) -> list[tuple[int, Any, Exchange]]:
    """Return each step of a run of several processes with its split and what they handed over; none if one process has it."""
    run = RunFolder(folder)
    if not run.exchanges_path.exists():
        return []
    with StepsReader(run.steps_path) as steps, ExchangesReader(run.exchanges_path) as reader:
        lineage = steps.lineage()
        return [(step, reader.split_at(lineage, step), one) for step, one in reader.exchanges(lineage)]


def assert_same_record(
    folder: Path,
    reference: Path,
    *,
    steps: int = STEPS,
    tolerance: float = 1e-5,
    of_largest: bool = False,
) -> None:
    """Compare two records step by step: ids, counts and moved rows exactly, the numbers within a relative tolerance.

    Args:
        folder: the record of several processes.
        reference: the record of one.
        steps: the number of recorded steps.
        tolerance: the largest relative difference of norms, distances and losses.
        of_largest: whether it is relative to the largest number of its kind in the step.
    """
    runs = lamplighter.open(folder), lamplighter.open(reference)
    assert runs[0].status.phase == runs[1].status.phase == "finished"
    pulses, wanted = (list(run.steps()) for run in runs)
    assert len(pulses) == len(wanted) == steps
    for found, true in zip(pulses, wanted, strict=True):
        at = f"step {true.step}"
        assert found.gradient_known == true.gradient_known, at
        assert found.batch_known == true.batch_known, at
        for name in ("batch_ids", "batch_counts", "gradient_ids", "moved_ids"):
            np.testing.assert_array_equal(getattr(found, name), getattr(true, name), err_msg=f"{at}: {name}")
        for name in ("gradient_norms", "moved_distances", "loss"):
            np.testing.assert_allclose(
                getattr(found, name),
                getattr(true, name),
                rtol=tolerance,
                atol=tolerance * np.max(getattr(true, name))
                if of_largest
                else _ROUNDING * (name == "moved_distances"),
                err_msg=f"{at}: {name}",
            )
    exchanged = read_exchanges(folder)
    assert [step for step, _, _ in exchanged] == (list(range(1, steps + 1)) if exchanged else [])
    for step, split, one in exchanged:
        assert one.bytes == split.expected_bytes(one), f"step {step}"
    matrices = [run.snapshot(steps) for run in runs]
    np.testing.assert_allclose(*matrices, rtol=tolerance, atol=tolerance)
