"""The predictions of a step: for one sequence token by token, and averaged over its batch and other text."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from lamplighter.contract.answers.microscope import MicroscopeLosses, MicroscopeText, RightGuesses
from lamplighter.contract.answers.parts import LossPair
from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.examination.kinds.microscope.retaken_step import (
    RetakenStep,
    compute_logits,
    measure_loss,
    to_number,
    to_numbers,
)
from lamplighter.examination.readings import count_right_guesses
from lamplighter.model.held_out import HeldOutLoss

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
    """Return the predictions before and after the update, and `right_guesses` of the whole batch.

    `model`: before the step; `sequence`: that of the batch which is listed token by token.
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
