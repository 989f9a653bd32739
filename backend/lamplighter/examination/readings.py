"""Measurements that do not change a model: its loss on a text, and the probability it gives the next word."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from lamplighter.contract.answers.parts import MeanError, SaidWord, TextName
from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.model.generation import SpokenWord
from lamplighter.model.held_out import HeldOutLoss
from lamplighter.model.learner import Learner
from lamplighter.model.transformer import Transformer
from lamplighter.runfolder.reading.output_matrix import list_output_points
from lamplighter.runfolder.tables.steps_reader import StepsReader

CANDIDATES = 8
"""Words listed as the most probable ones."""
_DIGITS = 6


def rounded(value: float, digits: int = _DIGITS) -> float | None:
    """Return a number rounded to `digits` significant digits; None if it is not finite (not JSON)."""
    return round_known(value, digits) if math.isfinite(value) else None


def round_known(value: float, digits: int = _DIGITS) -> float:
    """Return a number rounded to `digits` significant digits, or unchanged if it is not finite."""
    return float(f"{float(value):.{digits}g}")


def standard_error(values: NDArray[np.float64]) -> float | None:
    """Return the standard error of the mean of independent values, shape (N,); None for fewer than two, or if it is not finite."""
    return rounded(float(values.std(ddof=1)) / math.sqrt(len(values))) if len(values) > 1 else None


def mean_error(values: NDArray[np.float64]) -> MeanError:
    return MeanError(mean=mean_loss(values), error=standard_error(values))


@contextmanager
def reading(learner: Learner) -> Generator[None]:
    """Compute without gradients, in the precision of the learner's training."""
    with (
        torch.no_grad(),
        torch.autocast(learner.device.type, learner.autocast, enabled=learner.autocast is not None),
    ):
        yield


def choose_kept_steps(examined: ExaminedModel, most: int) -> list[int]:
    """Return the examined step and at most `most` - 1 kept states before it, ascending. They are spread along
    the logarithm of the step, because a model changes fastest at first.
    """
    with StepsReader(examined.run.steps_path) as reader:
        kept = [
            point.step for point in list_output_points(examined.run, reader) if point.step < examined.step
        ]
    steps = [*kept, examined.step]
    if most < 2:
        return steps[-1:]
    while len(steps) > most:
        # Without this one the gap is the smallest. Step 0 has no logarithm, and stays.
        gaps = [(after + 1) / (before + 1) for before, after in zip(steps, steps[2:], strict=False)]
        del steps[1 + gaps.index(min(gaps))]
    return steps


class TextSample:
    """A sample of a run's text on which models are compared: held-out text if the run has any.

    It is the sample of the run's own curve, so a model has a single loss on unread text. Only the microscope
    reads a shorter sample, as long as the batch it is compared with.
    """

    def __init__(self, examined: ExaminedModel, jobs: NDArray[np.int64] | None = None) -> None:
        """Choose the sample, spread over the whole text. `jobs`: the token that replaces each token, shape
        (V,); None: the text as it is.
        """
        run, self._learner = examined.run, examined.learner
        self._examined, self._as_it_is = examined, jobs is None
        held_out = run.held_out_ids
        self.name: TextName = "training" if held_out is None else "held_out"
        """The name of the text in an answer."""
        ids = run.token_ids if held_out is None else held_out
        self._windows = HeldOutLoss(run.recipe, ids if jobs is None else jobs[ids].astype(np.uint32)).windows
        self._at_once = run.recipe.sequences

    def loss(self, model: Transformer) -> float | None:
        """Return a model's mean loss in nats; None if it is not finite, or the text is too short."""
        return mean_loss(self.window_losses(model))

    def own_loss(self) -> float | None:
        """Return the loss of the examined model, measured once for all questions about its step."""
        return mean_loss(self.own_window_losses())

    def window_losses(self, model: Transformer) -> NDArray[np.float64]:
        """Return a model's mean loss for each window of the sample, in nats, shape (N,)."""
        if not len(self._windows):
            return np.empty(0)
        learner = replace(self._learner, model=model)
        return prediction_losses(learner, self._windows, self._at_once).mean(axis=1)

    def own_window_losses(self) -> NDArray[np.float64]:
        model, kept, step = self._learner.model, self._examined.text_losses, self._examined.step
        if not self._as_it_is:
            return self.window_losses(model)
        if step not in kept:
            kept[step] = self.window_losses(model)
        return kept[step]


def mean_loss(losses: NDArray[np.float64]) -> float | None:
    """Return the mean of losses, shape (N,); None for none, or if it is not finite."""
    return rounded(float(losses.mean())) if len(losses) else None


def prediction_losses(
    learner: Learner,
    windows: torch.Tensor,
    at_once: int,
    report: Callable[[float], None] | None = None,
) -> NDArray[np.float64]:
    """Return the loss in nats of each prediction, token ids (N, T + 1) -> (N, T). `at_once`: windows in a
    batch; `report` receives the share done.
    """
    found = [np.empty((0, windows.shape[1] - 1))]
    with reading(learner):
        for number, part in enumerate(windows.split(at_once)):
            if report is not None:
                report(number * at_once / len(windows))
            ids = part.to(learner.device)
            logits = learner.model.logits(ids[:, :-1]).flatten(0, 1).float()
            losses = F.cross_entropy(logits, ids[:, 1:].flatten(), reduction="none")
            found.append(losses.view(len(part), -1).cpu().numpy().astype(np.float64))
    return np.concatenate(found)


class ModuleReading:
    """The last input and output of a module while the `with` block runs."""

    input: torch.Tensor
    output: torch.Tensor

    def __init__(self, module: nn.Module) -> None:
        self._module = module

    def __enter__(self) -> ModuleReading:
        self._hook = self._module.register_forward_hook(self._read)
        return self

    def __exit__(self, *_: object) -> None:
        self._hook.remove()

    def _read(self, _module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        self.input, self.output = inputs[0].detach(), output.detach()


def count_right_guesses(probabilities: torch.Tensor, targets: torch.Tensor) -> tuple[int, float | None]:
    """Return how many positions were predicted correctly, and their share of the logits' gradient (of the
    summed lengths by position; None if there is none). At a position that gradient is the probabilities, (N,
    V), minus 1 for the correct token, divided by N.
    """
    right = probabilities.argmax(dim=1) == targets
    true = probabilities.gather(1, targets[:, None])[:, 0]
    # |p - e|^2 = |p|^2 - 2 p(true) + 1.
    squares = torch.linalg.vector_norm(probabilities, dim=1).square() - 2 * true + 1
    lengths = squares.clamp(min=0).sqrt().double()
    total = float(lengths.sum())
    return int(right.sum()), float(lengths[right].sum()) / total if total else None


def next_probabilities(model: Transformer, contexts: torch.Tensor) -> NDArray[np.float64]:
    """Return the probability of every token after each context, ids (N, T) -> (N, V)."""
    # Unembed only the last position: with a large vocabulary that is most of the work.
    ends = model.residual_stream(contexts)[-1][:, -1]
    # Not every device supports 64 bits.
    logits = model.unembedding(model.norm(ends)).float().cpu().double()
    return torch.softmax(logits, 1).numpy()


def describe_words(words: Sequence[SpokenWord]) -> list[SaidWord]:
    return [
        SaidWord(
            id=word.token_id,
            p=round_known(word.probability),
            candidates=[(token_id, round_known(p)) for token_id, p in word.candidates],
        )
        for word in words
    ]
