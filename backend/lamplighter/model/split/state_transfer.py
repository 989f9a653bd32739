"""The state of a model on its way between one process that has it whole, and several that have parts of it."""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor

from lamplighter.model.learner_state import EMBEDDING_KEY, LearnerState, keys_of_rows, read_state, write_state
from lamplighter.model.split.process_group import CountedGroup
from lamplighter.model.split.split_step import SplitLearner

_KIND = "transfer"
_TYPES = {str(kind): kind for kind in (torch.float32, torch.int64)}

EMBEDDING, WEIGHTS, ALL = 0, 1, 2
"""How much of a state is collected: one matrix, all weights, or the moments too."""


def deal_state(part: SplitLearner, state: LearnerState | None, keys: set[str]) -> None:
    """Give each process its rows of a state, and a copy of what it has of the blocks: `part` is overwritten.
    Process 0 alone knows the whole state, and `keys`, the names of the tensors that are split.
    """
    group, rows = part.group, part.rows
    told = None
    if state is not None:
        tensors = [
            (name, list(one.shape), str(one.dtype), name in keys) for name, one in state.tensors.items()
        ]
        told = {"tensors": tensors, "numbers": state.numbers}
    told = spread_json(group, told)
    own: dict[str, Tensor] = {}
    for name, shape, kind, is_split in told["tensors"]:
        if not is_split:
            whole = torch.empty(shape, dtype=_TYPES[kind]) if state is None else state.tensors[name].clone()
            own[name] = group.spread(_KIND, whole.reshape(-1)).reshape(shape)
        elif state is None:
            own[name] = group.fetch(torch.empty([rows.sizes[group.rank], *shape[1:]], dtype=_TYPES[kind]), 0)
        else:
            for rank in range(1, group.size):
                group.give(_KIND, state.tensors[name][rows.of(rank)], rank)
            own[name] = state.tensors[name][rows.of(0)].clone()
    write_state(part.learner, LearnerState(own, told["numbers"]))


def collect_state(part: SplitLearner, much: int) -> LearnerState | None:
    """Return the whole state in process 0, and None in the others, which give their rows. `much`:
    `EMBEDDING`, `WEIGHTS` or `ALL`.
    """
    group, rows = part.group, part.rows
    own = read_state(part.learner)
    keys = keys_of_rows(part.learner)
    tensors: dict[str, Tensor] = {}
    for name in (name for name in sorted(own.tensors) if _is_in(name, much)):
        tensor = own.tensors[name].detach()
        if name not in keys:
            tensors[name] = tensor.clone()
        elif group.rank:
            group.give(_KIND, tensor, 0)
        else:
            whole = tensor.new_empty((rows.starts[-1], *tensor.shape[1:]))
            whole[rows.of(0)] = tensor
            for rank in range(1, group.size):
                group.fetch(whole[rows.of(rank)], rank)
            tensors[name] = whole
    return None if group.rank else LearnerState(tensors, own.numbers if much == ALL else {})


def spread_json(group: CountedGroup, told: Any) -> Any:
    """Return what process 0 tells, as JSON."""
    text = json.dumps(told).encode() if group.rank == 0 else b""
    size = group.spread(_KIND, torch.tensor([len(text)]), patient=True)
    data = (
        torch.frombuffer(bytearray(text), dtype=torch.uint8)
        if text
        else torch.empty(int(size), dtype=torch.uint8)
    )
    return json.loads(group.spread(_KIND, data).numpy().tobytes())


def _is_in(name: str, much: int) -> bool:
    return much == ALL or (name == EMBEDDING_KEY if much == EMBEDDING else name.startswith("model."))
