"""The table of a model with a row for each token: how it is found, and checks that its rows can be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from torch import Tensor, nn

from lamplighter.client.errors import InputError
from lamplighter.client.sharding.owned_part import find_fsdp_parameter
from lamplighter.client.sharding.refusals import refuse_kind, refuse_model


class WatchedTable:
    """The parameter `owner.attribute`, looked up by name each time because loops replace parameters. Calls of
    its owner look up tokens in it; `name` is its name in the model."""

    def __init__(self, owner: nn.Module, attribute: str, name: str) -> None:
        self.owner, self.attribute, self.name = owner, attribute, name or type(owner).__name__
        self.guessed = False
        """True if the model has other candidates."""

    @property
    def weight(self) -> Tensor:
        return cast(Tensor, getattr(self.owner, self.attribute))

    @property
    def is_looked_up(self) -> bool:
        """Return whether calls of the module take the ids of rows; those of an output layer do not."""
        return not isinstance(self.owner, nn.Linear)

    def readers(self, model: nn.Module) -> list[nn.Module]:
        """Return the modules of a model whose calls look up rows of this matrix: an encoder and a decoder may share it,
        and an output layer shares it without lookups."""
        if not self.is_looked_up:
            return []
        embeddings = (one for one in model.modules() if isinstance(one, nn.Embedding | nn.EmbeddingBag))
        sharing = [one for one in embeddings if one.weight is self.weight and one is not self.owner]
        return [self.owner, *sharing]


_WRAPPERS = {
    "DataParallel": "module",
    "DistributedDataParallel": "module",
    "OptimizedModule": "_orig_mod",
}
"""Attributes of wrappers that hold the whole model, by class name. By name, to avoid importing them."""
_PADDING, _PADDING_SHARE = 128, 0.01
"""Maximum rows of a table without a token, as a number or as a share of its tokens: tables are padded to multiples of
64 or 128."""


def unwrap_model(model: Any) -> nn.Module:
    """Return the model inside the wrappers that keep it whole: `DataParallel`, DDP, `torch.compile`.

    Raises InputError if it is not a model, or it is trained in a way that hides the rows (FSDP1, DeepSpeed,
    Megatron, TorchRec).
    """
    while True:
        if not isinstance(model, nn.Module):
            raise InputError(f"model: a torch.nn.Module is needed, this is of type {type(model).__name__}")
        refuse_kind(model)
        inside = _WRAPPERS.get(type(model).__name__)
        if inside is None:
            refuse_model(model)
            return model
        if type(model).__name__ == "DataParallel" and len(cast(Any, model).device_ids) > 1:
            raise InputError(
                "a model in DataParallel on several devices cannot be watched, because its copies exist for one step each;"
                " use DistributedDataParallel"
            )
        model = getattr(model, inside)


def choose_table(model: nn.Module, chosen: Any = None, tokens: int | None = None) -> WatchedTable:
    """Return the table to watch.

    Args:
        model: the model, unwrapped.
        chosen: a module with a matrix, a matrix of the model, or the name of either; None: what
            `get_input_embeddings()` returns if the model has it; otherwise the one `nn.Embedding` whose rows fit the
            tokens; without tokens the one that is also the output layer's, or has most rows.
        tokens: the number of tokens that name the rows, if known.

    Raises InputError if there is no candidate or several, or its weight cannot be watched; the message names
    them.
    """
    table = _named_table(model, chosen) if chosen is not None else None
    table = table or _own_choice(model) or _fitting_table(model, tokens)
    managed = find_fsdp_parameter(model, table.owner, table.attribute)
    if managed is not None and managed.weight is not table.weight:
        raise InputError(
            "the embedding is gathered at the moment (FSDP2): call model.reshard() before you watch it"
        )
    check_weight(table.weight)
    columns = table.weight.shape[1]
    if tokens is not None and len(table.weight) < tokens <= columns < tokens + _PADDING:
        raise InputError(
            f"{table.name} has shape {tuple(table.weight.shape)}: its columns are the {tokens:,} tokens, and rows are"
            " watched. Record its transpose call by call: lamplighter.record"
        )
    return table


def check_weight(weight: Tensor) -> None:
    """Raise InputError if a weight's rows cannot be read, or will not move."""
    if weight.is_meta:
        raise InputError("the embedding is on the device 'meta' and has no values yet: watch it once it has")
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


def name_candidates(model: nn.Module) -> str:
    """Return the model's embeddings with their shapes, for the end of a message; empty if it has none."""
    found = [f"{table.name} ({len(table.weight):,} x {table.weight.shape[1]})" for table in _tables(model)]
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return f"; its embeddings: {', '.join(found[:5])}{more}" if found else ""


def _named_table(model: nn.Module, chosen: Any) -> WatchedTable:
    modules = {name: module for name, module in model.named_modules() if name or chosen is model}
    if isinstance(chosen, str):
        if chosen in modules:
            return _table_of(model, modules[chosen], chosen)
        owner, _, attribute = chosen.rpartition(".")
        weight = getattr(modules.get(owner, model if not owner else None), attribute, None)
        if not isinstance(weight, Tensor):
            raise InputError(
                f"embedding: the model has no module and no matrix {chosen[:80]!r}{name_candidates(model)}"
            )
        return WatchedTable(modules[owner] if owner else model, attribute, chosen)
    if isinstance(chosen, Tensor):
        for name, module in model.named_modules():
            for attribute, weight in module.named_parameters(recurse=False):
                if weight is chosen:
                    return WatchedTable(module, attribute, f"{name}.{attribute}" if name else attribute)
        raise InputError("embedding: this matrix is not a parameter of the model")
    for name, module in modules.items():
        if module is chosen:
            return _table_of(model, module, name)
    if isinstance(chosen, nn.Module):
        raise InputError("embedding: this module is not in the model")
    raise _no_matrix(model, chosen)


def _table_of(model: nn.Module, module: nn.Module, name: str) -> WatchedTable:
    """Return the table of a module: its `weight`, or its only matrix."""
    if isinstance(getattr(module, "weight", None), Tensor):
        return WatchedTable(module, "weight", name)
    matrices = [one for one, weight in module.named_parameters(recurse=False) if weight.ndim == 2]
    if len(matrices) != 1:
        raise _no_matrix(model, module)
    return WatchedTable(module, matrices[0], f"{name}.{matrices[0]}" if name else matrices[0])


def _no_matrix(model: nn.Module, chosen: Any) -> InputError:
    return InputError(
        "embedding: a module with its own matrix is needed, such as nn.Embedding, or that matrix, or the name of"
        f" either; this is of type {type(chosen).__name__}{name_candidates(model)}"
    )


def _own_choice(model: nn.Module) -> WatchedTable | None:
    try:
        module = cast(Any, model).get_input_embeddings()
    except Exception:  # noqa: BLE001 (transformers has the method in models without an embedding, too)
        return None
    if not isinstance(module, nn.Module) or not isinstance(getattr(module, "weight", None), Tensor):
        return None
    name = next((name for name, one in model.named_modules() if one is module), None)
    return None if name is None else WatchedTable(module, "weight", name)


def _tables(model: nn.Module) -> Iterator[WatchedTable]:
    """Yield the embeddings of a model, each weight once."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Embedding | nn.EmbeddingBag):
            yield WatchedTable(module, "weight", name)


def _fitting_table(model: nn.Module, tokens: int | None) -> WatchedTable:
    tables = list(_tables(model))
    if not tables:
        raise InputError(
            "the model has no nn.Embedding: name the module or matrix with a row for each token, embedding=model.that"
        )
    found = tables
    if tokens is not None:
        found = [table for table in tables if len(table.weight) == tokens]
        most = tokens + max(_PADDING, _PADDING_SHARE * tokens)
        found = found or [table for table in tables if tokens < len(table.weight) < most]
        if not found and len(tables) == 1 and len(tables[0].weight) < tokens:
            # There are too few rows for these tokens; the caller reports it when naming the rows.
            return tables[0]
        if not found:
            raise InputError(
                f"no embedding of the model has a row for each of the {tokens:,} tokens, padded or not: name the right one"
                f" anyway, such as embedding={tables[0].name!r}{name_candidates(model)}"
            )
    if len(found) > 1:
        outputs = {id(module.weight) for module in model.modules() if isinstance(module, nn.Linear)}
        found = [table for table in found if id(table.weight) in outputs] or found
    if tokens is None:
        most = max(len(table.weight) for table in found)
        found = [table for table in found if len(table.weight) == most]
    if len({id(table.weight) for table in found}) > 1:
        raise InputError(
            f"{len(found)} embeddings of the model are candidates: name one, such as"
            f" embedding={found[0].name!r}{name_candidates(model)}"
        )
    found[0].guessed = len(tables) > 1 and len(found[0].weight) != tokens
    return found[0]
