"""The search for a model's embedding, and for the ways of training in which its rows cannot be read."""

from __future__ import annotations

from typing import Any, cast

from torch import Tensor, nn

from lamplighter.client.errors import InputError

_WRAPPERS = {
    "DataParallel": "module",
    "DistributedDataParallel": "module",
    "OptimizedModule": "_orig_mod",
}
"""Modules that hold the model whole, by class name, and where. By name, so that nothing is imported for them."""
_SHARDED = {
    "FullyShardedDataParallel": "FSDP",
    "FSDP": "FSDP",
    "DeepSpeedEngine": "DeepSpeed",
}


def unwrap_model(model: Any) -> nn.Module:
    """Return the model inside the wrappers that keep it whole: `DataParallel`, DDP, `torch.compile`.

    Raises:
        InputError: it is no model, or one whose weights are cut into parts (FSDP, DeepSpeed).
    """
    while True:
        if not isinstance(model, nn.Module):
            raise InputError(f"model: a torch.nn.Module is needed, this is of type {type(model).__name__}")
        for kind in type(model).__mro__:
            if kind.__name__ in _SHARDED:
                raise _refusal(_SHARDED[kind.__name__])
        inside = _WRAPPERS.get(type(model).__name__)
        if inside is None:
            return model
        if type(model).__name__ == "DataParallel" and len(cast(Any, model).device_ids) > 1:
            raise InputError(
                "a model in DataParallel on several devices cannot be watched: its copies live for one step each;"
                " use DistributedDataParallel"
            )
        model = getattr(model, inside)


def choose_embedding(model: nn.Module, chosen: Any = None) -> tuple[nn.Module, str]:
    """Return the module that looks the tokens up, and its name in the model.

    Args:
        model: the model, unwrapped.
        chosen: the module or its name, where somebody chose one; None: `get_input_embeddings()` if the model has
            it, otherwise the one `nn.Embedding` with most rows.

    Raises:
        InputError: there is none, or several could be it, or its weight cannot be watched; the message names them.
    """
    names = {module: name for name, module in model.named_modules()}
    if isinstance(chosen, str):
        found = {name: module for module, name in names.items()}.get(chosen)
        if found is None:
            raise InputError(f"embedding: the model has no module {chosen[:80]!r}{_candidates(model)}")
    elif chosen is not None:
        found = chosen
    else:
        found = _own_choice(model) or _largest(model)
    if not isinstance(found, nn.Module) or not isinstance(getattr(found, "weight", None), Tensor):
        raise InputError(
            f"embedding: a module with a weight is needed, such as nn.Embedding, or its name; this is of type"
            f" {type(found).__name__}{_candidates(model)}"
        )
    if found not in names:
        raise InputError("embedding: this module is not in the model")
    check_weight(cast(Tensor, found.weight))
    return found, names[found]


def check_weight(weight: Tensor) -> None:
    """Raise InputError if a weight's rows cannot be read, or will not move."""
    if hasattr(weight, "device_mesh"):
        raise _refusal("FSDP or tensor parallelism (DTensor)")
    if hasattr(weight, "ds_id"):
        raise _refusal("DeepSpeed")
    if weight.is_meta:
        raise InputError("the embedding is on the device 'meta' and has no numbers yet: watch it once it has")
    if weight.ndim != 2:
        raise InputError(
            f"the embedding must be a matrix, tokens x width; its weight has shape {tuple(weight.shape)}"
        )
    if not weight.is_leaf:
        raise InputError(
            "the embedding's weight is computed from others (a parametrization), so no optimiser moves its rows: it cannot"
            " be watched"
        )
    if not weight.requires_grad:
        raise InputError(
            "the embedding is frozen (requires_grad is False), so no step will move it: there is nothing to watch"
        )


def _own_choice(model: nn.Module) -> nn.Module | None:
    choose = getattr(model, "get_input_embeddings", None)
    if not callable(choose):
        return None
    try:
        return cast("nn.Module | None", choose())
    except (NotImplementedError, AttributeError):
        # transformers has the method in models without an embedding, too.
        return None


def _largest(model: nn.Module) -> nn.Module:
    found = [module for module in model.modules() if isinstance(module, nn.Embedding | nn.EmbeddingBag)]
    most = max((module.num_embeddings for module in found), default=0)
    largest = [module for module in found if module.num_embeddings == most]
    if not largest:
        raise InputError(
            "the model has no nn.Embedding: say which module looks the tokens up, embedding=model.that_module"
        )
    if len(largest) > 1:
        raise InputError(
            f"{len(largest)} embeddings of the model have {most:,} rows: say which one, such as"
            f" embedding={next(name for name, module in model.named_modules() if module is largest[0])!r}"
            f"{_candidates(model)}"
        )
    return largest[0]


def _candidates(model: nn.Module) -> str:
    found = [
        f"{name} ({module.num_embeddings:,} x {module.embedding_dim})"
        for name, module in model.named_modules()
        if isinstance(module, nn.Embedding | nn.EmbeddingBag)
    ]
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return f"; its embeddings: {', '.join(found[:5])}{more}" if found else ""


def _refusal(what: str) -> InputError:
    return InputError(
        f"the model is trained with {what}: each process holds only a part of the embedding, so a step cannot be"
        " recorded whole. Train it on one device or with DistributedDataParallel, or record its checkpoints"
        " (lamplighter series)"
    )
