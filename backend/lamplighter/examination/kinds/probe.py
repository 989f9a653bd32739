"""The kind *probe*: the attention of a sentence by layer and head, and its words in another sentence.

Attention shows which positions a position reads from; it does not explain the output, since a head may read
from a word that hardly affects it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from lamplighter.contract.answers import ProbeAnswer
from lamplighter.contract.answers.reading import AttentionReading, SharedWord
from lamplighter.contract.questions import ProbeQuestion, QuestionError
from lamplighter.contract.reason import Reason
from lamplighter.contract.sentences import say
from lamplighter.examination.examined_model import ExaminedModel, ReportProgress
from lamplighter.examination.readings import rounded
from lamplighter.model.learner import Learner
from lamplighter.processes.asked_question import read_sentence

MAX_NUMBERS = 50_000
"""Maximum attention weights in an answer, including those of the other step: about 0.4 MB of JSON."""
_SHARE_DIGITS = 4


@dataclass(frozen=True)
class _Reading:
    """The readings of a sentence at one step."""

    attention: list[NDArray[np.float64]]
    """Attention by layer, (H, T, T) each: the positions (last axis) that each position reads from."""
    stream: list[NDArray[np.float64]]
    """The residual stream before the first block and after each, (T, D) each."""


def examine(model: ExaminedModel, question: ProbeQuestion, report: ReportProgress) -> ProbeAnswer:
    ids = read_sentence(model.run, question.sentence, "sentence")
    other = (
        None
        if question.other_sentence is None
        else read_sentence(model.run, question.other_sentence, "other_sentence")
    )
    steps = [model.step] if question.other_step in (None, model.step) else [model.step, question.other_step]
    shape = model.learner.model.shape
    numbers = len(steps) * shape.layers * shape.heads * len(ids) * (len(ids) + 1) // 2
    if numbers > MAX_NUMBERS:
        raise QuestionError(
            f"the attention of {len(ids):,} words in {shape.layers} layers of {shape.heads} heads is {numbers:,} numbers,"
            f" at most {MAX_NUMBERS:,} are told: use a shorter sentence",
            Reason("sentence_too_long"),
        )
    readings: list[_Reading] = []
    told: list[AttentionReading] = []
    for step in steps:
        assert step is not None
        learner = model.learner if step == model.step else model.learner_at(step)
        report(len(told) / len(steps), say("reading_attention", step=step))
        found = _read(learner, ids)
        readings.append(found)
        words = [] if other is None else list(_compare(ids, found, other, _read(learner, other)))
        attention = [[_triangle(head) for head in layer] for layer in found.attention]
        told.append(AttentionReading(step=step, attention=attention, words=words))
    change = _change(*readings) if len(readings) == 2 else None
    return ProbeAnswer(
        kind="probe",
        **model.facts(question),
        sentence=ids,
        other_sentence=other,
        readings=told,
        change=change,
    )


def _read(learner: Learner, ids: list[int]) -> _Reading:
    tokens = torch.tensor([ids], device=learner.device)
    with torch.no_grad():
        attention = learner.model.attention_weights(tokens)
        stream = learner.model.residual_stream(tokens)
    return _Reading([_on_host(layer) for layer in attention], [_on_host(layer) for layer in stream])


def _on_host(tensor: torch.Tensor) -> NDArray[np.float64]:
    return tensor[0].float().cpu().numpy().astype(np.float64)


def _triangle(shares: NDArray[np.float64]) -> list[list[float]]:
    """Return each position's weights over the positions it can see; a weight that is not finite is 0."""
    finite = np.round(np.nan_to_num(shares, posinf=0, neginf=0), _SHARE_DIGITS)
    return [row[: position + 1].tolist() for position, row in enumerate(finite)]


def _compare(
    ids: list[int], reading: _Reading, other_ids: list[int], other: _Reading
) -> Iterator[SharedWord]:
    """Yield the words that two sentences share, pairing the nth occurrences."""
    for token_id in dict.fromkeys(ids):
        places = [at for at, read in enumerate(ids) if read == token_id]
        others = [at for at, read in enumerate(other_ids) if read == token_id]
        for here, there in zip(places, others, strict=False):
            pairs = zip(reading.stream, other.stream, strict=True)
            cosines = [rounded(_cosine(one[here], another[there])) for one, another in pairs]
            yield SharedWord(id=token_id, positions=(here, there), cosines=cosines)


def _cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.clip(a @ b / length, -1, 1)) if length > 0 else float("nan")


def _change(one: _Reading, other: _Reading) -> list[list[float | None]]:
    """Return each head's total variation distance, averaged over positions that see more than themselves."""
    return [
        [rounded(float(head)) for head in 0.5 * np.abs(a - b).sum(axis=2)[:, 1:].mean(axis=1)]
        if a.shape[1] > 1
        else [0.0] * a.shape[0]
        for a, b in zip(one.attention, other.attention, strict=True)
    ]
