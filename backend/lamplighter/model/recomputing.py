"""A recorded step, computed again as the trainer computed it.

With it a step of a run of several processes can be computed again anywhere, and compared with the record to the last
bit.
"""

from __future__ import annotations

from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor

from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import Learner
from lamplighter.model.observer import Observation, Observer
from lamplighter.model.split.row_split import RowSplit, add_rows
from lamplighter.model.step import StepResult, clip_gradients, train_step


def train_step_in_parts(learner: Learner, ids: Tensor, targets: Tensor, parts: int) -> StepResult:
    """Train a learner with sparse gradients on one batch of token ids and next token ids, shape (B, T), as
    `parts` processes do (`split_step.py`).
    """
    model = learner.model
    for optimiser in learner.optimisers:
        optimiser.zero_grad(set_to_none=True)
    table = model.embedding.weight.detach()
    sequences, rows = RowSplit.evenly(len(ids), parts), RowSplit.evenly(len(table), parts)
    read: list[tuple[Tensor, Tensor, Tensor]] = []
    for part in range(parts):
        distinct, places = ids[sequences.of(part)].unique(return_inverse=True)
        leaf = table[distinct].requires_grad_()
        stream = F.embedding(places, leaf) + model.positions.weight[: ids.shape[1]]
        for block in model.blocks:
            stream = block(stream)
        read.append((distinct, leaf, model.norm(stream).flatten(0, 1)))
    states = torch.cat([one.detach() for _, _, one in read])
    losses, gradients = _score(learner, rows, states, targets.flatten())
    for (_, _, own), gradient in zip(read, gradients.split([len(one) for _, _, one in read]), strict=True):
        own.backward(gradient)
    found = [leaf.grad for _, leaf, _ in read if leaf.grad is not None]
    model.embedding.weight.grad = add_rows([distinct for distinct, _, _ in read], found, len(table))

    def join(norms: Tensor) -> Tensor:
        for number, parameter in enumerate(model.parameters()):
            gradient = parameter.grad
            if parameter is model.embedding.weight and gradient is not None:
                places, values = gradient.indices()[0], gradient.values()
                ends = torch.searchsorted(places, torch.tensor(rows.starts[1:-1]))
                norms[number] = _norm_of_parts(values.tensor_split(ends))
            elif parameter is model.unembedding.weight and gradient is not None:
                norms[number] = _norm_of_parts(gradient.split(rows.sizes))
        return norms

    scale, norms = clip_gradients(model, learner.clip_norm, join)
    learner.update()
    return StepResult(losses.mean(dtype=torch.float64).float(), losses, scale, norms)


@torch.no_grad()
def _score(learner: Learner, rows: RowSplit, states: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the losses of all tokens, shape (B T,), and the gradients of all states; set that of the output matrix."""
    weight = learner.model.unembedding.weight
    # Copies, because each process has its rows at the beginning of its memory.
    tables = [weight[rows.of(part)].clone() for part in range(len(rows.sizes))]
    logits = [states @ table.T for table in tables]
    largest = reduce(torch.maximum, [one.amax(dim=1) for one in logits])
    target = states.new_zeros(len(targets))
    shares: list[Tensor] = []
    here: list[tuple[Tensor, Tensor]] = []
    for start, one in zip(rows.starts, logits, strict=False):
        one -= largest[:, None]
        local = targets - start
        found = ((local >= 0) & (local < one.shape[1])).nonzero().flatten()
        here.append((found, local[found]))
        target[found] += one[found, local[found]]
        shares.append(one.exp_())
    sums = reduce(torch.add, [one.sum(dim=1) for one in shares])
    for one, places in zip(shares, here, strict=True):
        one /= sums[:, None]
        one[places] -= 1
        one /= len(targets)
    weight.grad = torch.cat([one.T @ states for one in shares])
    return sums.log() - target, reduce(
        torch.add, [one @ own for one, own in zip(shares, tables, strict=True)]
    )


def _norm_of_parts(parts: tuple[Tensor, ...]) -> Tensor:
    norms = torch.stack(torch._foreach_norm([part.clone() for part in parts]))  # pyright: ignore[reportPrivateUsage, reportPrivateImportUsage]
    return reduce(torch.add, (norms.double() ** 2).unbind()).sqrt().to(norms.dtype)


class NotFiniteError(ValueError):
    """Raised for a recomputed step whose numbers are no longer finite."""


def recompute_step(
    learner: Learner,
    observer: Observer,
    batches: BatchReader,
    step: int,
    learning_rate: float,
    processes: int = 1,
) -> Observation:
    """Train on the batch of a step and return what it did; its digest tells whether it equals the recorded
    one. With the number of `processes` that computed it, sums are made in their order. Raises
    NotFiniteError if the model is no longer finite; the step was applied.
    """
    learner.set_learning_rate(learning_rate)
    host_ids, ids, targets = batches.batch(step)
    if processes == 1:
        result = train_step(learner, ids, targets)
    else:
        result = train_step_in_parts(learner, ids, targets, processes)
    observed = observer.observe(step, host_ids, result)
    if not observed.is_finite:
        raise NotFiniteError(f"computed again here, step {step:,} gives numbers that are no longer finite")
    return observed
