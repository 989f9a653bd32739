"""One training step, repeated on a copy of the model, and its predictions: of one sequence token by token, and averaged."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from lamplighter.contract.answers.microscope import MicroscopeLosses, MicroscopeText, RightGuesses
from lamplighter.contract.answers.parts import LossPair
from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.examination.readings import ModuleReading, count_right_guesses
from lamplighter.model.held_out import HeldOutLoss
from lamplighter.model.learner import Learner
from lamplighter.model.observer import Observation, Observer
from lamplighter.model.step import train_step
from lamplighter.model.transformer import Block


def to_number(value: Tensor | float) -> float | None:
    """Return the shortest decimal of a 32-bit number; None if it is not finite."""
    number = float(str(np.float32(float(value))))
    return number if math.isfinite(number) else None


def to_numbers(values: Tensor) -> list[float | None]:
    return [to_number(value) for value in values.detach().float().cpu().tolist()]


def to_exact_number(value: Tensor | float) -> float | None:
    """Return a number with every digit; None if it is not finite."""
    number = float(value)
    return number if math.isfinite(number) else None


@dataclass(frozen=True)
class RetakenStep:
    """A recomputed step: B sequences of T positions, V tokens."""

    before: Learner
    """The model before the step, unchanged."""
    after: Learner
    """The model after it, with the gradients as they were applied, clipped."""
    observation: Observation
    layers: list[str]
    """The observation's layer names."""
    clip_scale: float
    """Factor by which all gradients were scaled, at most 1."""
    token_ids: NDArray[np.int64]
    """Shape (B, T)."""
    targets: Tensor
    """The next tokens, shape (B, T)."""
    logits: Tensor
    """Logits before the update, shape (B T, V), 32 bits."""
    widen_input: Tensor
    """Input of the first block's `widen`, shape (B, T, D)."""
    widen_output: Tensor
    """Its output, shape (B, T, 4 D)."""


def retake_step(model: ExaminedModel) -> RetakenStep:
    """Recompute the step after the model's, exactly as the trainer did; hooks read the tensors meanwhile."""
    learner, step = model.copy(), model.step + 1
    learner.set_learning_rate(model.learning_rate)
    observer = Observer(learner, model.run.recipe.cadence.verify_every)
    host_ids, ids, targets = model.batches.batch(step)
    first_block = learner.model.blocks[0]
    assert isinstance(first_block, Block)
    with (
        ModuleReading(first_block.mlp.widen) as widen,
        ModuleReading(learner.model.unembedding) as unembedding,
    ):
        result = train_step(learner, ids, targets)
    return RetakenStep(
        before=model.learner,
        after=learner,
        observation=observer.observe(step, host_ids, result),
        layers=observer.layers,
        clip_scale=float(result.clip_scale),
        token_ids=host_ids,
        targets=targets,
        logits=unembedding.output.flatten(0, 1).float(),
        widen_input=widen.input,
        widen_output=widen.output,
    )


@torch.no_grad()
def compute_logits(learner: Learner, ids: Tensor) -> Tensor:
    """Return the logits of all positions of a batch (B, T) as training computes them, shape (B T, V), 32 bits."""
    with torch.autocast(learner.device.type, learner.autocast, enabled=learner.autocast is not None):
        logits = learner.model.logits(ids)
    return logits.flatten(0, 1).float()


def measure_loss(learner: Learner, ids: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(compute_logits(learner, ids), targets.flatten())


CANDIDATES = 8
"""Most probable next tokens listed for each position."""
MAX_POSITIONS = 512
"""Maximum positions listed of a sequence, from its beginning: an answer stays below 1 MB."""
_SHARE = 2
"""Other texts are read on one in this many of a batch's sequences: reading takes most of the time, and two
losses on the same words differ only by the models.
"""


@torch.no_grad()
def describe_predictions(
    model: ExaminedModel, retaken: RetakenStep, sequence: int
) -> tuple[MicroscopeText, RightGuesses]:
    """Return the predictions before and after the update, and `right_guesses` of the whole batch. `model`:
    before the step; `sequence`: that of the batch which is listed token by token.
    """
    targets = retaken.targets.flatten()
    probabilities = torch.softmax(retaken.logits, dim=1)
    before = probabilities.gather(1, targets[:, None])[:, 0]
    logits_after = compute_logits(retaken.after, _ids(model, retaken))
    surprise = F.cross_entropy(logits_after, targets, reduction="none")
    after = torch.exp(-surprise)

    context = retaken.targets.shape[1]
    start = sequence * context
    shown = slice(start, start + min(context, MAX_POSITIONS))
    likeliest = probabilities[shown].topk(min(CANDIDATES, probabilities.shape[1]), dim=1)
    text = MicroscopeText(
        sequence=sequence,
        sequences=len(retaken.targets),
        positions=context,
        ids=retaken.token_ids[sequence, :MAX_POSITIONS].tolist(),
        next_ids=targets[shown].tolist(),
        p_before=to_numbers(before[shown]),
        p_after=to_numbers(after[shown]),
        rank_before=_ranks(retaken.logits[shown], targets[shown]),
        rank_after=_ranks(logits_after[shown], targets[shown]),
        candidates=[
            [(token, to_number(p)) for token, p in zip(tokens, ps, strict=True)]
            for tokens, ps in zip(likeliest.indices.tolist(), likeliest.values.tolist(), strict=True)
        ],
        share_risen=float((after > before).double().mean()),
        losses=_describe_losses(model, retaken, surprise.mean()),
    )
    right, share = count_right_guesses(probabilities, targets)
    return text, RightGuesses(
        positions=right, of=len(targets), gradient_share=None if share is None else to_number(share)
    )


def _describe_losses(model: ExaminedModel, retaken: RetakenStep, loss_after: Tensor) -> MicroscopeLosses:
    _, ids, targets = model.batches.batch(retaken.observation.step + 1)
    read = max(1, len(targets) // _SHARE)
    ids, targets = ids[:read], targets[:read]
    held_out, unread = model.run.held_out_ids, None
    if held_out is not None:
        # The same amount as of the other batch, for a fair comparison.
        sample = HeldOutLoss(model.run.recipe, held_out, targets.numel())
        before, after = sample.measure(retaken.before), sample.measure(retaken.after)
        if before is not None and after is not None:
            unread = _pair(before, after, sample.predictions)
    return MicroscopeLosses(
        same=_pair(retaken.observation.loss, loss_after, retaken.targets.numel()),
        other=_pair(
            measure_loss(retaken.before, ids, targets),
            measure_loss(retaken.after, ids, targets),
            targets.numel(),
        ),
        held_out=unread,
    )


def _pair(before: Tensor | float, after: Tensor | float, predictions: int) -> LossPair:
    return LossPair(before=to_number(before), after=to_number(after), predictions=predictions)


def _ids(model: ExaminedModel, retaken: RetakenStep) -> Tensor:
    return torch.from_numpy(retaken.token_ids).to(model.learner.device)


def _ranks(logits: Tensor, targets: Tensor) -> list[int]:
    """Return the rank of each true token among all, from 1; tokens as likely as it do not count as before it."""
    return ((logits > logits.gather(1, targets[:, None])).sum(dim=1) + 1).tolist()
