"""Two processes that train together: the first records, says what of it is its own alone, and the other writes nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import lamplighter

LOOP = """
import json, sys, warnings, torch, lamplighter
from torch import nn
rank, folder = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(1)
torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
torch.manual_seed(0)
model = nn.parallel.DistributedDataParallel(nn.Sequential(nn.Embedding(20, 4), nn.Linear(4, 20)))
weight = model.module[0].weight
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    watcher = lamplighter.watch(model, folder=f"{folder}/runs/mine", on_error="raise")
refused = ""
try:
    lamplighter.watch(model, gradient="before_clipping")
except lamplighter.InputError as error:
    refused = str(error)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
norms = []
for step in range(3):
    for part in range(2):
        ids = torch.arange(5) + 10 * rank + 5 * part
        (nn.functional.cross_entropy(model(ids), ids) / 2).backward()
    norms.append(weight.grad.norm(dim=1).tolist())
    optimizer.step()
    optimizer.zero_grad()
watcher.log(loss=1.0)
watcher.close()
torch.distributed.destroy_process_group()
print(json.dumps({"norms": norms, "said": [str(one.message) for one in said], "refused": refused}))
"""


@pytest.mark.tour  # Two processes that import torch.
def test_the_first_process_records_its_ids_and_the_gradient_of_all(tmp_path: Path):
    loops = [
        subprocess.Popen(
            [sys.executable, "-c", LOOP, str(rank), str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        for rank in (0, 1)
    ]
    first, second = (json.loads(loop.communicate(timeout=120)[0].splitlines()[-1]) for loop in loops)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["mine"]
    assert any("ids of a step are those of this process alone" in line for line in first["said"])
    assert second["said"] == []
    assert "several processes train together" in first["refused"]
    pulses = list(lamplighter.open(tmp_path / "runs" / "mine").steps())
    assert [pulse.batch_ids.tolist() for pulse in pulses] == [list(range(10))] * 3
    for pulse, norms in zip(pulses, first["norms"], strict=True):
        assert pulse.gradient_ids.tolist() == list(range(20))
        assert abs(pulse.gradient_norms - norms).max() < 1e-6
