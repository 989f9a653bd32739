"""A process started by torchrun: it takes its part of a step with PyTorch's DistributedDataParallel.

`torchrun_step.py RUN STEP WEIGHTS OUT` reads the step's batch from the run, and writes the bytes it sent;
rank 0 also writes the shared gradients.
"""

# Annotations are looked at by DistributedDataParallel, so they are no strings here.
import json
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook
from torch.nn.parallel import DistributedDataParallel

from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.transformer import Transformer
from lamplighter.runfolder.run_folder import RunFolder


def main(run_path: Path, step: int, weights: Path, out: Path) -> None:
    """Take the step, and write what was sent."""
    run = RunFolder(run_path)
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    rank, size = dist.get_rank(), dist.get_world_size()
    model = Transformer(run.recipe.model, len(run.vocabulary), sparse=False)
    model.load_state_dict(load_file(weights))
    shared = DistributedDataParallel(model)
    sent = 0

    def count(
        group: dist.ProcessGroup,
        bucket: dist.GradBucket,  # pyright: ignore[reportPrivateImportUsage]
    ) -> torch.futures.Future[torch.Tensor]:
        nonlocal sent
        buffer = bucket.buffer()
        sent += buffer.numel() * buffer.element_size()
        return allreduce_hook(group, bucket)

    shared.register_comm_hook(dist.group.WORLD, count)
    _, ids, targets = BatchReader(run.recipe, run.token_ids, torch.device("cpu")).batch(step)
    shared(ids[rank::size], targets[rank::size]).backward()
    (out / f"sent-{rank}.json").write_text(json.dumps({"bytes": sent, "processes": size}))
    if rank == 0:
        gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
        save_file({name: grad for name, grad in gradients.items() if grad is not None}, out / "gradients")
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
