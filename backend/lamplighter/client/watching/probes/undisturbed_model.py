"""A model as it is, lent for a forward pass beside its training: what the pass changes is put back."""

from __future__ import annotations

import random
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from torch import nn


@contextmanager
def undisturbed(model: nn.Module) -> Generator[None]:
    """Lend a model in eval mode, without gradients. Afterwards its mode, its buffers and all random numbers are as before.

    Submodules are set to eval mode one by one, because a model's own `train()` may do more.
    """
    modules = list(model.modules())
    modes = [module.training for module in modules]
    buffers = [
        (module, name, buffer, buffer._version, buffer.clone())
        for module in modules
        for name, buffer in module.named_buffers(recurse=False, remove_duplicate=False)
    ]
    numbers, arrays = random.getstate(), np.random.get_state()
    devices = {one.device for one in model.parameters() if one.device.type != "cpu"}
    cuda = sorted(device.index for device in devices if device.type == "cuda")
    try:
        with torch.no_grad(), ExitStack() as stack:
            stack.enter_context(torch.random.fork_rng(cuda))
            # Weights that autocast casts without gradients would stay in its cache, and get none in the training.
            for kind in {"cpu", *(device.type for device in devices)}:
                stack.enter_context(torch.autocast(kind, enabled=False))
            if "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance"):
                # Another mode would be compiled as another graph.
                stack.enter_context(torch.compiler.set_stance("force_eager"))
            for module in modules:
                module.training = False
            yield
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode
        for module, name, buffer, version, copy in buffers:
            if getattr(module, name, None) is not buffer:
                setattr(module, name, buffer)
            if buffer._version != version:
                with torch.no_grad():
                    buffer.copy_(copy)
        random.setstate(numbers)
        np.random.set_state(arrays)
