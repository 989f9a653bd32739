"""A process that shares a step: `python -m lamplighter.examination.kinds.devices.rank RUN SCRATCH RANK`.

It reads the weights from the scratch folder and writes its measurements there; rank 0 also writes the
gradients. The processes find each other by a file in that folder and communicate over the loopback interface
only. The process ends at once when its standard input closes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamplighter.platform.child_process import LOWEST_PRIORITY, yield_processor
from lamplighter.platform.worker_limits import bounded_memory, limit_worker_files
from lamplighter.processes.worker import ExitCode, limit_threads, report_failure, watch_parent

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS, JOB = "weights.safetensors", "job.json"
TIMEOUT_SECONDS = 60
LOOPBACK = {"linux": "lo", "darwin": "lo0"}
"""Loopback interface names by system; elsewhere gloo would listen on the network."""


def result_file(rank: int) -> str:
    return f"result-{rank}.json"


def gradients_file(way: str) -> str:
    return f"{way}.safetensors"


class GlooCollective:
    """A process group of torch.distributed."""

    def __init__(self, scratch: Path, rank: int, size: int) -> None:
        import torch.distributed as dist

        self._dist, self.rank, self.size = dist, rank, size
        dist.init_process_group(
            "gloo",
            init_method=(scratch / "store").as_uri(),
            rank=rank,
            world_size=size,
            timeout=timedelta(seconds=TIMEOUT_SECONDS),
        )

    def add_up(self, tensor: Tensor) -> None:
        self._dist.all_reduce(tensor)

    def broadcast(self, tensor: Tensor, source: int) -> None:
        self._dist.broadcast(tensor, source)

    def meet(self) -> None:
        """Wait until all processes reach this point."""
        self._dist.barrier()

    def close(self) -> None:
        self._dist.destroy_process_group()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("scratch", type=Path)
    parser.add_argument("rank", type=int)
    chosen = parser.parse_args()

    def end() -> None:
        # The examiner deletes the folder, unless it was killed.
        shutil.rmtree(chosen.scratch, ignore_errors=True)
        os._exit(ExitCode.CANCELLED)

    watch_parent(end)
    limit_worker_files()
    yield_processor(LOWEST_PRIORITY)
    os.environ["GLOO_SOCKET_IFNAME"] = LOOPBACK[sys.platform]
    try:
        _share_step(chosen.run, chosen.scratch, chosen.rank)
    except (OSError, ValueError, RuntimeError, MemoryError) as error:
        return report_failure(str(error).partition("\n")[0])
    return ExitCode.DONE


def _share_step(run_path: Path, scratch: Path, rank: int) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    from lamplighter.examination.kinds.devices.shared_step import (
        PROCESSES,
        CountedCollective,
        compute_gradients,
        exchange_rows,
        exchange_whole,
        part_of_batch,
    )
    from lamplighter.model.batch_reader import BatchReader
    from lamplighter.model.training_demands import estimate_demands
    from lamplighter.model.transformer import Transformer
    from lamplighter.runfolder.run_folder import RunFolder

    run = RunFolder(run_path)
    recipe, vocabulary = run.recipe, len(run.vocabulary)
    job = json.loads((scratch / JOB).read_text(encoding="utf-8"))
    torch.set_num_threads(1)
    with bounded_memory(estimate_demands(recipe, vocabulary).memory_bytes):
        model = Transformer(recipe.model, vocabulary, sparse=False)
        weights = load_file(scratch / WEIGHTS)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(weights[name])
        _, ids, targets = BatchReader(recipe, run.token_ids, torch.device("cpu")).batch(job["step"])
        own_ids, own_targets = (part_of_batch(batch, rank, PROCESSES) for batch in (ids, targets))
        group = GlooCollective(scratch, rank, PROCESSES)
        group.meet()
        start = time.perf_counter()
        own = compute_gradients(model, own_ids, own_targets, len(own_ids) / len(ids))
        measured: dict[str, Any] = {"compute_seconds": time.perf_counter() - start}
        rows = own_ids.unique()
        for way in ("dense",) if job["table"] is None else ("dense", "lazy"):
            counted = CountedCollective(group)
            group.meet()
            start = time.perf_counter()
            if way == "dense":
                summed = exchange_whole(own, counted)
            else:
                summed = exchange_rows(own, job["table"], rows, counted)
            measured[way] = {"bytes": counted.bytes, "seconds": time.perf_counter() - start}
            if rank == 0:
                save_file(
                    {name: tensor.contiguous() for name, tensor in summed.items()},
                    scratch / gradients_file(way),
                )
        (scratch / result_file(rank)).write_text(json.dumps(measured), encoding="utf-8")
        group.meet()
        group.close()


if __name__ == "__main__":
    limit_threads()
    sys.exit(main())
