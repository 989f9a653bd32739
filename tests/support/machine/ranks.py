"""Processes that train together: a function run by each rank of a group of gloo, and what each rank returned.

A fork server that has imported torch once starts the ranks, so a group takes a tenth of a second. The ranks meet through
a file of their own, and gloo picks free ports on the loopback interface: groups never collide.
"""

from __future__ import annotations

import faulthandler
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

PATIENCE = 120.0
"""Seconds after which a group is taken for hung. Nothing waits that long unless it hangs."""
_GRACE = 10.0
"""Seconds that the other ranks get after one has failed: most fail too, with a message that helps."""

_TRACE = "(most recent call first)"
"""What faulthandler writes where a rank hangs."""
_starting = multiprocessing.get_context("forkserver")
_PRELOADED = [
    "torch",
    # Without it each rank would spend two seconds on it at its first optimiser.
    "torch._dynamo",
    "torch.distributed.fsdp",
    "torch.distributed.tensor.parallel",
    "lamplighter.client.watching.watch",
]
_starting.set_forkserver_preload(_PRELOADED)


def preload(*modules: str) -> None:
    """Let the fork server import further modules, before the first group."""
    _starting.set_forkserver_preload([*_PRELOADED, *modules])


class RankError(AssertionError):
    """A rank failed or hung; the message has the output of all."""


def run_ranks(
    loop: Callable[..., Any], size: int, folder: Path, *, patience: float = PATIENCE, **options: Any
) -> list[Any]:
    """Run a function in `size` processes that form a group of gloo.

    Args:
        loop: a function of a module, called with `rank`, `size`, `folder` and the options; it returns what JSON can hold.
        size: the number of processes; 0: one process without a group.
        folder: a folder that all ranks get; it is made if it is missing.
        patience: seconds until the ranks are killed.
        options: the other arguments of the function.

    Returns:
        What each rank returned, by rank.

    Raises:
        RankError: a rank raised, died or hung. All ranks are gone then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    own = Path(tempfile.mkdtemp(prefix="ranks-", dir=folder))
    ranks = [
        _starting.Process(
            target=_run_rank, args=(loop, rank, size, folder, own, patience, options), daemon=True
        )
        for rank in range(size or 1)
    ]
    for rank in ranks:
        rank.start()
    end = time.monotonic() + patience
    failed = False
    while any(rank.is_alive() for rank in ranks) and time.monotonic() < end:
        if not failed and any(rank.exitcode for rank in ranks):
            failed, end = True, min(end, time.monotonic() + _GRACE)
        # The last may have ended since it was asked.
        next((rank for rank in ranks if rank.is_alive()), ranks[0]).join(0.05)
    hung = [number for number, rank in enumerate(ranks) if rank.is_alive()]
    for number in hung:
        os.kill(ranks[number].pid or 0, signal.SIGUSR1)
    told = time.monotonic() + _GRACE
    while time.monotonic() < told and not all(_TRACE in _read(own, number) for number in hung):
        time.sleep(0.05)
    for rank in ranks:
        rank.kill()
        rank.join()
    if hung or any(rank.exitcode for rank in ranks):
        raise RankError(_describe(own, [rank.exitcode for rank in ranks], hung))
    return [json.loads((own / f"{number}.json").read_text()) for number in range(len(ranks))]


def _describe(own: Path, codes: list[int | None], hung: list[int]) -> str:
    parts: list[str] = []
    for number, code in enumerate(codes):
        how = "hung and was killed" if number in hung else f"ended with {code}"
        parts.append(f"rank {number} of {len(codes)} {how}:\n{_read(own, number)[-6_000:]}")
    return "\n".join(parts)


def _read(own: Path, number: int) -> str:
    """Return what a rank has printed so far."""
    path = own / f"{number}.txt"
    return path.read_text(errors="replace") if path.exists() else ""


def _run_rank(
    loop: Callable[..., Any],
    rank: int,
    size: int,
    folder: Path,
    own: Path,
    patience: float,
    options: dict[str, Any],
) -> None:
    """Run one rank, with all that it prints in a file."""
    output = os.open(own / f"{rank}.txt", os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w", 1), os.fdopen(2, "w", 1)
    faulthandler.register(signal.SIGUSR1, output)
    import torch

    torch.set_num_threads(1)
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    try:
        if size:
            torch.distributed.init_process_group(
                "gloo",
                init_method=f"file://{own / 'store'}",
                rank=rank,
                world_size=size,
                timeout=timedelta(seconds=patience),
            )
        returned = loop(rank=rank, size=size, folder=folder, **options)
        (own / f"{rank}.json").write_text(json.dumps(returned))
        if size:
            # So that no rank closes its connections while another still reads from them.
            torch.distributed.barrier()
            torch.distributed.destroy_process_group()
    except BaseException:  # noqa: BLE001 (told in the file; the code tells the parent)
        traceback.print_exc()
        sys.stderr.flush()
        # At once: a thread of gloo may still wait for another rank.
        os._exit(1)
