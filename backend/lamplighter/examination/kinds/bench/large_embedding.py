"""Updates of an embedding as large as that of a large model: of the touched rows, and of all."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import torch
from torch import nn, optim

from lamplighter.contract.answers.training import LargeEmbedding
from lamplighter.examination.kinds.bench.timings import quartiles_ms
from lamplighter.examination.readings import round_known
from lamplighter.model.flops import count_softmax_flops
from lamplighter.model.optimiser_costs import NUMBER_BYTES, count_update_flops
from lamplighter.platform.worker_limits import available_memory, is_out_of_memory, machine_memory

ROWS, WIDTH, TOUCHED = 50_000, 1_024, 200
_COPIES = 6
"""Matrices of that size that exist at once: weights, gradient, both averages, and two during the update."""
_WHOLE_UPDATES, _SPARSE_UPDATES = 5, 10
_RATE = 1e-3


def measure_large_embedding(
    batch_tokens: int, report: Callable[[float], None]
) -> tuple[LargeEmbedding | None, str | None]:
    """Measure updates of an embedding of `ROWS` x `WIDTH`: `TOUCHED` rows by SparseAdam, and all by Adam.

    Args:
        batch_tokens: predictions of a step, for the cost of one softmax over all rows.
        report: receives the share done.

    Returns:
        The measurements; or None, and the reason.
    """
    needed = _COPIES * ROWS * WIDTH * NUMBER_BYTES
    free = available_memory()
    machine = machine_memory()
    if free is None and machine is not None:
        free = machine // 4
    if free is None or free < needed:
        known = "this machine does not say how much memory is free"
        if free is not None:
            known = f"{free / 1e9:.1f} GB of memory are free"
        return None, f"{known}, and a matrix of {ROWS:,} rows takes {needed / 1e9:.1f} GB to be trained"
    try:
        touched = _time_updates(_SPARSE_UPDATES, report, 0.0, sparse=True)
        whole = _time_updates(_WHOLE_UPDATES, report, 0.5, sparse=False)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        return None, f"a matrix of {ROWS:,} rows did not fit into memory"
    measured = LargeEmbedding(
        rows=ROWS,
        width=WIDTH,
        touched=TOUCHED,
        touched_ms=round_known(1_000 * median(touched)),
        whole_ms=round_known(1_000 * median(whole)),
        touched_ms_quartiles=quartiles_ms(touched),
        whole_ms_quartiles=quartiles_ms(whole),
        touched_flops=count_update_flops("lazy", TOUCHED * WIDTH),
        whole_flops=count_update_flops("adam", ROWS * WIDTH),
        softmax_flops=count_softmax_flops(WIDTH, ROWS, batch_tokens),
        batch_tokens=batch_tokens,
    )
    return measured, None


def _time_updates(number: int, report: Callable[[float], None], share: float, *, sparse: bool) -> list[float]:
    """Return the CPU seconds of some updates, without the first, which allocates the averages."""
    report(share)
    embedding = nn.Embedding(ROWS, WIDTH, sparse=sparse, _weight=torch.zeros(ROWS, WIDTH))
    optimiser = (optim.SparseAdam if sparse else optim.Adam)(embedding.parameters(), lr=_RATE)
    rows = torch.arange(0, ROWS, ROWS // TOUCHED)
    weight = embedding.weight
    weight.grad = (
        torch.sparse_coo_tensor(
            rows[None], torch.ones(len(rows), WIDTH), (ROWS, WIDTH), check_invariants=True
        ).coalesce()
        if sparse
        else torch.ones(ROWS, WIDTH)
    )
    times: list[float] = []
    for done in range(number + 1):
        report(share + 0.5 * done / (number + 1))
        begun = time.process_time()
        optimiser.step()
        times.append(time.process_time() - begun)
    return times[1:]
