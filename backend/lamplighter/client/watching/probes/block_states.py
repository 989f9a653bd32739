"""The hidden states of token sequences in a model whose code is not known: what goes into its first block, and what comes out
of each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lamplighter.client.errors import InputError
from lamplighter.client.probing.probe_set import Layers, spread_layers
from lamplighter.client.watching.looked_up_ids import tensors_in

_GIVE = "give a function that returns the hidden states: probes=lambda model: ..."


def find_blocks(model: nn.Module) -> list[str]:
    """Return the names of a model's blocks: the longest list of modules of one class that is in no other such list.

    Raises:
        InputError: it has none.
    """
    found: list[list[str]] = []
    inside: tuple[str, ...] = ()
    for name, module in model.named_modules():
        equal = isinstance(module, nn.ModuleList | nn.Sequential) and len({type(one) for one in module}) == 1
        if equal and not name.startswith(inside):
            found.append([f"{name}.{number}".lstrip(".") for number, _ in module.named_children()])
            inside = (*inside, f"{name}.")
    if not found:
        raise InputError(f"probes: {type(model).__name__} has no list of equal blocks: {_GIVE}")
    return max(found, key=len)


def read_blocks(
    model: nn.Module,
    names: Sequence[str],
    sequences: Sequence[tuple[Sequence[int], int]],
    device: torch.device,
) -> Layers:
    """Return the hidden states of R sequences, each (R, D): layer 0 before the first block, layer n after the nth.

    Args:
        model: the model, which takes ids of shape (B, T) as its only argument.
        sequences: the ids of each, and the position that is read.
        device: where the ids go.

    Raises:
        InputError: the states have no usual shape.
    """
    blocks = [model.get_submodule(name) for name in names]
    wanted = spread_layers(len(blocks) + 1)
    layers: dict[int, list[Any]] = {number: [None] * len(sequences) for number in wanted}
    # Sequences of one length are read together, so none is padded.
    for length in sorted({len(ids) for ids, _ in sequences}):
        chosen = [number for number, (ids, _) in enumerate(sequences) if len(ids) == length]
        ids = torch.tensor([list(sequences[number][0]) for number in chosen], device=device)
        states = _run(model, blocks, wanted, ids)
        # On the processor, because the layers may be on several devices.
        positions = torch.tensor([sequences[number][1] for number in chosen])
        for layer in wanted:
            read = _rows(states.get(layer), ids)[torch.arange(len(chosen)), positions]
            for number, row in zip(chosen, read.float().cpu().numpy(), strict=True):
                layers[layer][number] = row
    return {f"layer {layer}": np.stack(rows) for layer, rows in layers.items()}


def _run(model: nn.Module, blocks: Sequence[nn.Module], wanted: Sequence[int], ids: Tensor) -> dict[int, Any]:
    found: dict[int, Any] = {}

    def keep_input(_module: nn.Module, args: Any, kwargs: Any) -> None:
        found[0] = next(iter([*tensors_in(args), *tensors_in(kwargs)]), None)

    def keep_output(layer: int, _module: nn.Module, _args: Any, output: Any) -> None:
        found[layer] = next(iter(tensors_in(output)), None)

    # They are on the modules only for this pass.
    handles = [blocks[0].register_forward_pre_hook(keep_input, with_kwargs=True)]
    handles += [
        blocks[layer - 1].register_forward_hook(partial(keep_output, layer)) for layer in wanted if layer > 0
    ]
    try:
        model(ids)
    except TypeError as error:
        raise InputError(
            f"probes: {type(model).__name__} does not take ids alone ({error}): {_GIVE}"
        ) from error
    finally:
        for handle in handles:
            handle.remove()
    return found


def _rows(state: Any, ids: Tensor) -> Tensor:
    """Return a block's hidden states as (B, T, D)."""
    if not isinstance(state, Tensor) or state.ndim != 3:
        shape = tuple(getattr(state, "shape", ()))
        raise InputError(f"probes: a block has the shape {shape}, not (sequences, tokens, width): {_GIVE}")
    if state.shape[:2] == ids.shape:
        return state
    if state.shape[:2] == ids.shape[::-1]:
        return state.transpose(0, 1)
    raise InputError(
        f"probes: a block has the shape {tuple(state.shape)} for ids of {tuple(ids.shape)}: {_GIVE}"
    )
