"""Kinds of shared training whose rows cannot be read, recognised by the names of their classes and attributes.

By name, because importing their libraries would take seconds, and because a library that is not imported cannot be in use.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import nn

from lamplighter.client.errors import InputError


class Kind(NamedTuple):
    """A kind of shared training."""

    name: str
    why: str
    instead: str


_FSDP1 = Kind(
    "FSDP1 (FullyShardedDataParallel)",
    "it joins the weights of a unit to one flat vector and cuts that without regard to rows, so no process has whole rows or"
    " their gradients",
    "Train with FSDP2 (torch.distributed.fsdp.fully_shard), which cuts by rows, or with DistributedDataParallel",
)
_ZERO_3 = Kind(
    "DeepSpeed ZeRO-3",
    "it keeps a flat part of each weight on each process, and gathers a weight only while its layer computes, so a step's"
    " rows are never together",
    "Train with FSDP2 (torch.distributed.fsdp.fully_shard) or with DistributedDataParallel",
)
DEEPSPEED = Kind(
    "DeepSpeed",
    "its optimiser steps flat copies of the weights, so neither the gradient that it uses nor its steps are seen",
    "Train with FSDP2 (torch.distributed.fsdp.fully_shard) or with DistributedDataParallel",
)
_MEGATRON = Kind(
    "Megatron",
    "each process holds a block of the rows, replaces the ids of other blocks before its lookup, and steps flat copies of its"
    " weights, so neither ids nor gradients are seen as they are",
    "Split the table with torch.distributed.tensor.parallel",
)
_TORCHREC = Kind(
    "TorchRec",
    "its fused optimiser steps within the backward pass and hides the gradients",
    "Train the table with torch.distributed.tensor.parallel",
)

_BY_CLASS = {
    # Modules, and strategies of Lightning.
    "FullyShardedDataParallel": _FSDP1,
    "XlaFullyShardedDataParallel": _FSDP1,
    "FSDP": _FSDP1,
    "FlatParameter": _FSDP1,
    "DeepSpeedEngine": DEEPSPEED,
    "DeepSpeedHybridEngine": DEEPSPEED,
    "VocabParallelEmbedding": _MEGATRON,
    "ParallelEmbedding": _MEGATRON,
    "FSDPStrategy": _FSDP1,
    "DeepSpeedStrategy": DEEPSPEED,
    "DistributedModelParallel": _TORCHREC,
    "ShardedEmbeddingBagCollection": _TORCHREC,
    "ShardedEmbeddingCollection": _TORCHREC,
}
_BY_ATTRIBUTE = {
    "_fsdp_flattened": _FSDP1,
    "ds_id": _ZERO_3,
    "tensor_model_parallel": _MEGATRON,
}
"""Attributes of parameters."""


def refuse_kind(thing: object) -> None:
    """Raise InputError if a module, one of its parts, or a strategy hides the rows of its training."""
    for kind in type(thing).__mro__:
        found = _BY_CLASS.get(kind.__name__)
        if found is DEEPSPEED and _zero_stage(thing) == 3:
            found = _ZERO_3
        if found is not None:
            raise refusal(found)


def refuse_model(model: nn.Module) -> None:
    """Raise InputError if a model, or any part of it, is trained in a way that does not show the rows of its table.

    A part counts as well: FSDP1 and Megatron wrap or replace the modules within a model whose own class is unchanged.
    """
    for module in model.modules():
        refuse_kind(module)
    for weight in model.parameters():
        for attribute, found in _BY_ATTRIBUTE.items():
            if hasattr(weight, attribute):
                raise refusal(found)


def _zero_stage(engine: Any) -> int | None:
    try:
        return int(engine.zero_optimization_stage())
    except Exception:  # noqa: BLE001 (an engine of another version; the general reason is as true)
        return None


def refusal(kind: Kind) -> InputError:
    return InputError(
        f"a model that is trained with {kind.name} cannot be watched: {kind.why}. {kind.instead}, or record its checkpoints"
        " (lamplighter series)"
    )
