"""The group of the processes that train a run together: how a process joins it, leaves it, and finds it broken.

They talk over the loopback interface unless another one is named.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from lamplighter.platform.worker_limits import is_out_of_memory

LOOPBACK = {"linux": "lo", "darwin": "lo0"}
"""Loopback interface names by system; elsewhere gloo would listen on the network."""
_INTERFACE = "GLOO_SOCKET_IFNAME"
_TORCHRUN = "TORCHELASTIC_RUN_ID"
_STORE = "store"
_STEP_TIMEOUT = timedelta(minutes=30)
"""How long a process waits for the others within a step before it gives them up for lost."""


class ProcessLostError(Exception):
    """Raised when a process no longer answers: the step that was being computed is lost, and nothing before it."""


def torchrun_processes() -> int:
    """Return the number of processes if `torchrun` started this one, else 1."""
    return int(os.environ.get("WORLD_SIZE", "1")) if _TORCHRUN in os.environ else 1


def torchrun_rank() -> int:
    return int(os.environ["RANK"])


def ready_file(rank: int) -> str:
    """Return the name of the file by which a process tells that it is about to join."""
    return f"ready-{rank}"


def join_group(folder: Path | None, rank: int, size: int) -> None:
    """Join the group of all processes, as soon as they are there, by the private folder of processes of one
    machine (None under `torchrun`). Raises ProcessLostError if they do not come, if torch has no gloo, or
    if they are on several machines and the interface between these is not named.
    """
    import torch.distributed as dist

    if not (dist.is_available() and dist.is_gloo_available()):
        raise ProcessLostError("the torch that is installed here has no gloo, by which processes exchange")
    environment = os.environ
    if folder is not None or environment.get("LOCAL_WORLD_SIZE") == environment.get("WORLD_SIZE"):
        environment.setdefault(_INTERFACE, LOOPBACK[sys.platform])
    elif _INTERFACE not in environment:
        raise ProcessLostError(
            f"the processes are on several machines: name the network interface between them in {_INTERFACE}"
        )
    with lost_if_broken():
        if folder is None:
            dist.init_process_group("gloo", timeout=_STEP_TIMEOUT)
        else:
            (folder / ready_file(rank)).touch()
            store = (folder / _STORE).as_uri()
            dist.init_process_group(
                "gloo", init_method=store, rank=rank, world_size=size, timeout=_STEP_TIMEOUT
            )


def leave_group() -> None:
    import torch.distributed as dist

    dist.destroy_process_group()


@contextmanager
def lost_if_broken() -> Generator[None]:
    """Raise ProcessLostError for an error of torch within the block, unless memory has run out."""
    try:
        yield
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        raise ProcessLostError(str(error).partition("\n")[0]) from error
