"""The recipe of `benchmarks.essay` on the card: 50,000 tokens x 1,024, with a sampled softmax and with the whole one."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from benchmarks.essay import VOCABULARY, essay_recipe, made_text
from benchmarks.gpu.cards import facts
from benchmarks.gpu.training import measure_rate
from benchmarks.support.report import report
from lamplighter.runfolder.run_store import RunStore
from lamplighter.training.corpus_setup import prepare_corpus


def speed(device: torch.device) -> bool:
    """Measure the bare steps a second, and the memory of the card. A processor tries it out with a small vocabulary."""
    if device.type == "mps":
        print("essay: sparse gradients have no MPS kernels: not run")
        return True
    words = VOCABULARY if device.type == "cuda" else 500
    with tempfile.TemporaryDirectory() as folder:
        run = RunStore(Path(folder)).create(essay_recipe(device.type), made_text(words, 20 * words))
        prepare_corpus(run)
        rates = {
            name: measure_rate(essay_recipe(device.type, negatives), run, device)
            for name, negatives in (("sampled", run.recipe.model.negatives), ("whole", None))
        }
    memory = torch.cuda.max_memory_allocated(device) / 1e9 if device.type == "cuda" else None
    return report(
        "gpu_essay", rates["sampled"], "steps/s", whole_softmax=rates["whole"],
        tokens=run.recipe.batch_tokens, memory_gb=memory, **facts(device),
    )  # fmt: skip
