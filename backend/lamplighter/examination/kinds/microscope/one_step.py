"""The answer of the microscope: one step with a linear output, the gradients, and the movement."""

from __future__ import annotations

import copy
import math
from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lamplighter.contract.answers import MicroscopeAnswer
from lamplighter.contract.answers.microscope import (
    ForwardOperation,
    LayerGradient,
    LayerMovement,
    LinearOutput,
    MicroscopeOperations,
    MicroscopeRiver,
    Movement,
    OperationTotals,
    RandomUpdates,
    RecordCheck,
    RightGuesses,
    RiverFlag,
    RiverRule,
    WholeMovement,
)
from lamplighter.contract.questions import MicroscopeQuestion, QuestionError
from lamplighter.contract.reason import give_reason
from lamplighter.contract.sentences import say
from lamplighter.examination.examined_model import ExaminedModel, ReportProgress
from lamplighter.examination.kinds.microscope.predictions import (
    RetakenStep,
    describe_predictions,
    measure_loss,
    retake_step,
    to_exact_number,
    to_number,
    to_numbers,
)
from lamplighter.examination.kinds.microscope.row_update import check_row, describe_row_update
from lamplighter.model.flops import count_step_flops, list_operations
from lamplighter.model.transformer import Block
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.tables.steps_reader import StepsReader

DRAWS = 5
_SHARE = 2
"""One in this many of the batch's sequences is read after each update, because reading takes the time."""


@torch.no_grad()
def describe_random_updates(model: ExaminedModel, retaken: RetakenStep) -> RandomUpdates:
    """Return the loss of part of the batch after seeded random updates, each as long as the real one."""
    read = max(1, len(retaken.targets) // _SHARE)
    ids, targets = torch.from_numpy(retaken.token_ids[:read]).to(model.learner.device), retaken.targets[:read]
    old = list(retaken.before.model.parameters())
    length = _length([new - one for one, new in zip(old, retaken.after.model.parameters(), strict=True)])
    moved = copy.copy(retaken.before)
    moved.model = copy.deepcopy(retaken.before.model)
    # On the CPU, because a seed gives other numbers on another device.
    random = torch.Generator().manual_seed(retaken.observation.step)
    losses: list[float | None] = []
    for _ in range(DRAWS):
        directions = [torch.randn(one.shape, generator=random) for one in old]
        scale = length / _length(directions)
        for parameter, start, direction in zip(moved.model.parameters(), old, directions, strict=True):
            torch.add(start, direction.to(start), alpha=scale, out=parameter.data)
        losses.append(to_number(measure_loss(moved, ids, targets)))
    return RandomUpdates(
        before=to_number(F.cross_entropy(retaken.logits[: targets.numel()], targets.flatten())),
        after=to_number(measure_loss(retaken.after, ids, targets)),
        losses=losses,
        predictions=targets.numel(),
        cosine_spread=1 / math.sqrt(sum(one.numel() for one in old)),
    )


def _length(parts: list[Tensor]) -> float:
    return math.sqrt(sum(float(torch.linalg.vector_norm(part)) ** 2 for part in parts))


def examine(model: ExaminedModel, question: MicroscopeQuestion, report: ReportProgress) -> MicroscopeAnswer:
    """Recompute a step on a copy of the model before it, and return everything that happened in it."""
    if model.step != question.model_step:
        raise ValueError(f"the model is at step {model.step}, the question is about step {question.step}")
    check_row(model, question.token, question.coordinate)
    sequences = model.run.recipe.sequences
    if question.sequence >= sequences:
        raise QuestionError(
            f"sequence {question.sequence}: a batch of this run has sequences 0 to {sequences - 1}",
            give_reason("out_of_range", most=sequences - 1),
        )
    report(0.0, say("taking_step"))
    retaken = retake_step(model)
    if not retaken.observation.is_finite:
        raise QuestionError(
            f"step {question.step} does not come out in finite numbers: look at one before it",
            give_reason("step_not_finite", step=question.step),
        )
    report(0.4, say("reading_before_after"))
    text, right_guesses = describe_predictions(model, retaken, question.sequence)
    report(0.8, say("recomputing_number"))
    return MicroscopeAnswer(
        kind="microscope",
        **model.facts(question),
        text=text,
        operations=_describe_operations(model, retaken),
        linear=describe_linear_output(retaken, question.sequence),
        river=describe_river(retaken),
        row=describe_row_update(model, retaken, question.token, question.coordinate, question.sequence),
        whole=describe_movement(retaken, right_guesses, describe_random_updates(model, retaken)),
        check=_check_record(model, retaken),
    )


def _describe_operations(model: ExaminedModel, retaken: RetakenStep) -> MicroscopeOperations:
    recipe, vocabulary = model.run.recipe, model.learner.model.embedding.num_embeddings
    rows = len(retaken.observation.gradient_ids)
    operations = list_operations(recipe.model, vocabulary, recipe.sequences)
    return MicroscopeOperations(
        forward=[ForwardOperation.model_validate(asdict(one)) for one in operations],
        totals=OperationTotals.model_validate(asdict(count_step_flops(recipe, vocabulary, rows))),
    )


def _check_record(model: ExaminedModel, retaken: RetakenStep) -> RecordCheck:
    """Compare the recomputed step with the record. The largest movement tells rounding from errors."""
    step, reader = retaken.observation.step, StepsReader(model.run.steps_path)
    try:
        recorded = reader.digests(step, step).get(step)
    finally:
        reader.close()
    computed = retaken.observation.digest()
    before, after = (
        learner.model.embedding.weight.detach().float().cpu().numpy()
        for learner in (retaken.before, retaken.after)
    )
    difference = None
    try:
        with MatrixHistory(model.run) as history:
            kept = history.snapshot(step).vectors
        difference = to_exact_number(np.abs(after.astype(np.float64) - kept).max(initial=0))
    except NoSnapshotError:
        pass
    return RecordCheck(
        digest=computed.hex(),
        recorded=None if recorded is None else recorded.hex(),
        equal=None if recorded is None else computed == recorded,
        largest_difference=difference,
        largest_update=to_exact_number(np.abs(after.astype(np.float64) - before).max(initial=0)),
        rows_compared=0 if difference is None else len(after),
    )


VANISHING_SHARE = 1e-3
"""A layer's gradient vanishes below this share of the strongest layer's."""
EXPLODING_FACTOR = 10.0
"""A layer's gradient explodes above this multiple of the norm at which the gradient of the whole model is clipped."""


def describe_river(retaken: RetakenStep) -> MicroscopeRiver:
    """Return the norm of each layer's gradient before clipping, from the loss back to the embedding. A tied
    matrix is one layer, the embedding.
    """
    norms = retaken.observation.layer_norms.astype(np.float64)
    clip_norm, strongest = retaken.after.clip_norm, float(norms.max())
    layers = [
        LayerGradient(layer=layer, norm=to_number(norm), flag=_flag(norm, strongest, clip_norm))
        for layer, norm in reversed(list(zip(retaken.layers, norms.tolist(), strict=True)))
    ]
    return MicroscopeRiver(
        layers=layers,
        norm=to_number(float(np.sqrt((norms**2).sum()))),
        clip_norm=clip_norm,
        clip_scale=to_number(retaken.clip_scale),
        rule=RiverRule(vanishing_below_share=VANISHING_SHARE, exploding_above_clip_norms=EXPLODING_FACTOR),
    )


def _flag(norm: float, strongest: float, clip_norm: float) -> RiverFlag | None:
    if norm > EXPLODING_FACTOR * clip_norm:
        return "exploding"
    return "vanishing" if norm < VANISHING_SHARE * strongest else None


@torch.no_grad()
def describe_linear_output(retaken: RetakenStep, sequence: int) -> LinearOutput:
    """Return the strongest output of the first block's `widen` at a sequence's last position.

    `w` and `x` are 32-bit numbers, in their shortest decimals. `sum` adds the products and the bias in 64
    bits; `y` is what the model computed, in its own precision and order, and `difference` is y minus `sum`:
    rounding, nearly 0.
    """
    x, outputs = retaken.widen_input[sequence, -1].float(), retaken.widen_output[sequence, -1].float()
    # Use the model before the step, which computed the output; the copy has moved since.
    block = retaken.before.model.blocks[0]
    assert isinstance(block, Block)
    index = int(outputs.argmax())
    w, b = block.mlp.widen.weight[index], block.mlp.widen.bias[index]
    products = [wi * xi for wi, xi in zip(w.tolist(), x.tolist(), strict=True)]
    total, y = sum(products) + float(b), float(outputs[index])
    return LinearOutput(
        layer="block 1 mlp",
        name="widen",
        sequence=sequence,
        position=retaken.widen_input.shape[1] - 1,
        output=index,
        outputs=len(outputs),
        w=to_numbers(w),
        x=to_numbers(x),
        b=to_exact_number(b),
        sum=to_exact_number(total),
        y=to_exact_number(y),
        difference=to_exact_number(y - total),
    )


@dataclass
class _MovementSums:
    """Sums over the numbers of some parameters."""

    parameters: int = 0
    moved: int = 0
    update_square: float = 0.0
    gradient_square: float = 0.0
    dot: float = 0.0
    """Product of the update and the negative gradient."""

    def absorb(self, other: _MovementSums) -> None:
        self.parameters += other.parameters
        self.moved += other.moved
        self.update_square += other.update_square
        self.gradient_square += other.gradient_square
        self.dot += other.dot

    def describe(self) -> Movement:
        lengths = math.sqrt(self.update_square) * math.sqrt(self.gradient_square)
        cosine = max(-1.0, min(1.0, self.dot / lengths)) if lengths else None
        return Movement(
            parameters=self.parameters,
            moved=self.moved,
            share=self.moved / self.parameters,
            length=to_number(math.sqrt(self.update_square)),
            cosine=None if cosine is None else to_number(cosine),
            degrees=None if cosine is None else to_number(math.degrees(math.acos(cosine))),
        )


@torch.no_grad()
def describe_movement(
    retaken: RetakenStep, right_guesses: RightGuesses, random: RandomUpdates
) -> WholeMovement:
    """Return how much the update moved, and its angle to the negative gradient, in total and by layer."""
    total = _MovementSums()
    layers: list[LayerMovement] = []
    before = retaken.before.model.layers()
    for layer, parameters in retaken.after.model.layers().items():
        of_layer = _MovementSums()
        for old, new in zip(before[layer], parameters, strict=True):
            of_layer.absorb(_compare(old, new))
        total.absorb(of_layer)
        layers.append(LayerMovement(layer=layer, **vars(of_layer.describe())))
    rows = len(retaken.observation.moved_ids)
    vocabulary = retaken.after.model.embedding.num_embeddings
    return WholeMovement(
        **vars(total.describe()),
        rows_moved=rows,
        rows=vocabulary,
        layers=layers,
        right_guesses=right_guesses,
        random=random,
    )


def _compare(old: Tensor, new: Tensor) -> _MovementSums:
    gradient = new.grad
    assert gradient is not None
    update = new - old
    found = _MovementSums(update.numel(), int(torch.count_nonzero(update)))
    found.update_square = _dot(update, update)
    if gradient.is_sparse:
        # Only its rows have a gradient: avoid a dense matrix.
        update, gradient = update[gradient.indices()[0]], gradient.values()
    found.gradient_square = _dot(gradient, gradient)
    found.dot = -_dot(update, gradient)
    return found


def _dot(left: Tensor, right: Tensor) -> float:
    """Return the sum of products, accumulated in 64 bits where the device has them."""
    wide = torch.float32 if left.device.type == "mps" else torch.float64
    return float(torch.dot(left.flatten().to(wide), right.flatten().to(wide)))
