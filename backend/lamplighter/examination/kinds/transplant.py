"""The kind *transplant*: a row, or a whole embedding, replaced by another, and the model's words afterwards.

A model knows a word only by its coordinates, and these have meaning only for layers trained with them:
another word's row makes the word that other word, while an older matrix does not fit newer layers.
"""

from __future__ import annotations

import numpy as np
import torch

from lamplighter.contract.answers import TransplantAnswer
from lamplighter.contract.answers.parts import LossChange
from lamplighter.contract.answers.reading import FirstWord, PreviousMatrix
from lamplighter.contract.questions import QuestionError, TransplantQuestion
from lamplighter.contract.reason import give_reason
from lamplighter.contract.sentences import say
from lamplighter.examination.examined_model import ExaminedModel, ReportProgress
from lamplighter.examination.readings import (
    CANDIDATES,
    TextSample,
    describe_words,
    mean_error,
    mean_loss,
    next_probabilities,
    reading,
    round_known,
    rounded,
    standard_error,
)
from lamplighter.model.generation import SpokenWord, continue_prompts
from lamplighter.model.transformer import Transformer
from lamplighter.processes.asked_question import find_swapped_rows, read_sentence
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory


def examine(model: ExaminedModel, question: TransplantQuestion, report: ReportProgress) -> TransplantAnswer:
    """Return the model's words and its loss, before and after rows of its embedding are replaced."""
    rows = find_swapped_rows(model.run, question)
    prompt = read_sentence(model.run, question.prompt, "prompt")
    step = model.step if question.source_step is None else question.source_step
    report(0.1, say("replacing_matrix" if rows is None else "replacing_row"))
    learner = model.learner
    old = learner.model.embedding.weight.detach()
    new = old if step == model.step else _matrix_at(model, step).to(old)
    prompts = [prompt]
    if rows is not None:
        into, source = rows
        row = new[source]
        new = old.clone()
        new[into] = row
        if step == model.step and into in prompt:
            # With the source word in the prompt, the unchanged model reads the very same rows.
            prompts.append([source if token_id == into else token_id for token_id in prompt])
    changed = learner.model.with_embedding(new)

    report(0.3, say("speaking"))
    text = TextSample(model)
    with reading(learner):
        # One at a time: in a batch, the same rows would be summed in another order.
        before, *instead = (_continue(learner.model, each, question.words) for each in prompts)
        after = _continue(changed, prompt, question.words)
        context = torch.tensor([prompt], device=learner.device)
        p_before, p_after = (next_probabilities(either, context)[0] for either in (learner.model, changed))
    report(0.7, say("measuring_loss"))
    own, losses = text.own_window_losses(), text.window_losses(changed)
    distances = torch.linalg.vector_norm(new - old, dim=1)
    moved = distances[distances > 0]
    return TransplantAnswer(
        kind="transplant",
        **model.facts(question),
        prompt=prompt,
        into=None if rows is None else rows[0],
        source=None if rows is None else rows[1],
        source_step=step,
        before=describe_words(before),
        after=describe_words(after),
        instead=describe_words(instead[0]) if instead else None,
        first=[
            FirstWord(id=word, before=rounded(p_before[word]), after=rounded(p_after[word]))
            for word in (before[0].token_id, after[0].token_id)
        ],
        loss=LossChange(before=mean_loss(own), after=mean_loss(losses)),
        loss_errors=LossChange(before=standard_error(own), after=standard_error(losses)),
        rise=mean_error(losses - own),
        previous=None if rows is not None else _describe_previous(model, text),
        chance=round_known(float(np.log(len(old)))),
        text=text.name,
        rows=len(moved),
        distance=round_known(float(moved.mean())) if len(moved) else 0.0,
    )


def _continue(model: Transformer, prompt: list[int], words: int) -> list[SpokenWord]:
    [spoken] = continue_prompts(model, [prompt], words, [None], CANDIDATES)
    return spoken


def _describe_previous(model: ExaminedModel, text: TextSample) -> PreviousMatrix | None:
    """Return the loss with the matrix of the previous step, a transplant that changes almost nothing."""
    learner, step = model.learner, model.step - 1
    try:
        matrix = _matrix_at(model, step).to(learner.model.embedding.weight)
    except QuestionError:
        return None
    own, losses = text.own_window_losses(), text.window_losses(learner.model.with_embedding(matrix))
    return PreviousMatrix(
        step=step, loss=mean_loss(losses), error=standard_error(losses), rise=mean_error(losses - own)
    )


def _matrix_at(model: ExaminedModel, step: int) -> torch.Tensor:
    try:
        with MatrixHistory(model.run) as history:
            return torch.from_numpy(history.snapshot(step).vectors)
    except NoSnapshotError as error:
        raise QuestionError(f"source_step: {error}", give_reason("matrix_not_kept", step=step)) from error
