"""One training step of a model whose matrices are split by rows.

Each process owns a run of rows of the embedding and of the output matrix, with their moments, and a copy of the blocks.
It reads a run of the batch's sequences. What crosses between them, in this order:

1. `ids`: each asks the owners for the distinct rows that its sequences read; `rows`: the owners hand them over.
2. `states`: every state after the last block goes to all, because each owner scores every token by its own rows.
3. `softmax`: the largest logit of each token, then the sum of the exponentials and the target's logit.
4. `state gradients`: each owner's part of a state's gradient goes to the process that reads the token, which adds the
   parts in the order of the processes.
5. `row gradients`: the gradients of the rows go to their owners; `blocks`: those of the blocks are added up, in one piece.
6. `norms`: of both matrices, for clipping. Then each process updates what it has: the blocks' copies stay the same bits.

DistributedDataParallel would do the sum of 5 alone, with the matrices kept from it. It divides each part by the number of
processes first, which rounds where that is not a power of two, and adds in an order of its own.

Sums over the batch (gradients of the blocks, rows that several processes read) and over the vocabulary (softmax, gradients
of states) are made of parts here, so their last bits differ from those of one process. Nothing else does: rows are copied,
and every update is of a single number.

Source: the split of the vocabulary follows Shoeybi et al. 2019 (Megatron-LM), section 3.
"""

from __future__ import annotations

import json
from functools import reduce
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lamplighter.contract.recipe import Recipe
from lamplighter.model.learner import (
    EMBEDDING_KEY,
    Learner,
    LearnerState,
    keys_of_rows,
    make_learner,
    read_state,
    write_state,
)
from lamplighter.model.split.process_group import CountedGroup
from lamplighter.model.split.row_split import RowSplit, add_rows
from lamplighter.model.step import StepResult, clip_gradients
from lamplighter.model.transformer import Transformer


class SplitLearner:
    """What one process has of a model."""

    def __init__(self, recipe: Recipe, vocabulary: int, group: CountedGroup) -> None:
        """Make room for the part; its numbers are undefined until a state is put into it. Raises ValueError
        if there are fewer rows or sequences than processes.
        """
        self.group = group
        self.rows = RowSplit.evenly(vocabulary, group.size)
        self._sequences = RowSplit.evenly(recipe.sequences, group.size)
        own = self.rows.sizes[group.rank]
        self.learner: Learner = make_learner(Transformer(recipe.model, own, sparse=True), recipe.optimiser)
        """The learner of the own rows and of the blocks."""
        model = self.learner.model
        self._tables = [
            number
            for number, one in enumerate(model.parameters())
            if one is model.embedding.weight or one is model.unembedding.weight
        ]
        self._blocks = [one for number, one in enumerate(model.parameters()) if number not in self._tables]
        self.read = 0
        """The distinct rows that the own sequences read in the last step."""
        self.asked = 0
        """The rows that other processes asked this one for in the last step."""

    @property
    def block_parameters(self) -> int:
        return sum(one.numel() for one in self._blocks)

    def take_step(self, ids: Tensor, targets: Tensor) -> StepResult:
        """Train on one batch of token ids and next token ids, shape (B, T), together with the other
        processes.
        """
        learner, rank = self.learner, self.group.rank
        for optimiser in learner.optimisers:
            optimiser.zero_grad(set_to_none=True)
        own = ids[self._sequences.of(rank)]
        distinct, places = own.unique(return_inverse=True)
        asked, rows = self._fetch_rows(distinct)
        model = learner.model
        stream = F.embedding(places, rows) + model.positions.weight[: ids.shape[1]]
        for block in model.blocks:
            stream = block(stream)
        states = model.norm(stream).flatten(0, 1)
        losses, gradients = self._score(states.detach(), targets)
        states.backward(gradients)
        assert rows.grad is not None
        self._return_gradients(asked, distinct, rows.grad)
        self._add_up_blocks()
        scale, norms = clip_gradients(model, learner.clip_norm, self._join_norms)
        learner.update()
        return StepResult(losses.mean(dtype=torch.float64).float(), losses, scale, norms)

    def _fetch_rows(self, distinct: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return the own rows that each process asks for, numbered from the first own row, and the rows `distinct`, which
        takes their gradient."""
        group = self.group
        wanted = self._by_owner(distinct)
        counts = group.exchange("ids", torch.tensor([len(one) for one in wanted]).split(1), [1] * group.size)
        asked = group.exchange("ids", wanted, [int(count) for count in counts])
        local = [one - self.rows.starts[group.rank] for one in asked]
        table = self.learner.model.embedding.weight.detach()
        found = group.exchange("rows", [table[one] for one in local], [len(one) for one in wanted])
        self.read = len(distinct)
        self.asked = sum(len(one) for rank, one in enumerate(local) if rank != group.rank)
        return local, torch.cat(found).requires_grad_()

    @torch.no_grad()
    def _score(self, states: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the losses of all tokens, shape (B T,), and the gradient of the own states.

        Sets the gradient of the own rows of the output matrix.
        """
        group, weight = self.group, self.learner.model.unembedding.weight
        tokens = [size * targets.shape[1] for size in self._sequences.sizes]
        states = torch.cat(group.exchange("states", [states] * group.size, tokens))
        targets = targets.flatten()
        logits = states @ weight.T
        largest = group.take_largest("softmax", logits.amax(dim=1))
        logits -= largest[:, None]
        local = targets - self.rows.starts[group.rank]
        here = ((local >= 0) & (local < len(weight))).nonzero().flatten()
        sums = logits.new_zeros(2, len(targets))
        sums[1, here] = logits[here, local[here]]
        shares = logits.exp_()
        sums[0] = shares.sum(dim=1)
        group.add_up("softmax", sums)
        losses = sums[0].log() - sums[1]
        shares /= sums[0][:, None]
        shares[here, local[here]] -= 1
        shares /= len(targets)
        weight.grad = shares.T @ states
        parts = group.exchange(
            "state gradients", (shares @ weight).split(tokens), [tokens[group.rank]] * group.size
        )
        return losses, reduce(torch.add, parts)

    @torch.no_grad()
    def _return_gradients(self, asked: list[Tensor], distinct: Tensor, gradient: Tensor) -> None:
        """Hand the gradients of rows to their owners; set that of the own rows."""
        sizes = [len(one) for one in self._by_owner(distinct)]
        parts = self.group.exchange("row gradients", gradient.split(sizes), [len(one) for one in asked])
        weight = self.learner.model.embedding.weight
        weight.grad = add_rows(asked, parts, len(weight))

    @torch.no_grad()
    def _add_up_blocks(self) -> None:
        gradients: list[Tensor] = []
        for parameter in self._blocks:
            assert parameter.grad is not None
            gradients.append(parameter.grad)
        summed = self.group.add_up("blocks", torch.cat([one.flatten() for one in gradients]))
        for one, total in zip(gradients, summed.split([one.numel() for one in gradients]), strict=True):
            one.copy_(total.view_as(one))

    def _join_norms(self, norms: Tensor) -> Tensor:
        squares = self.group.add_up("norms", norms[self._tables].double() ** 2)
        norms[self._tables] = squares.sqrt().to(norms.dtype)
        return norms

    def _by_owner(self, distinct: Tensor) -> tuple[Tensor, ...]:
        ends = torch.searchsorted(distinct, torch.tensor(self.rows.starts[1:-1]))
        return distinct.tensor_split(ends)


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
