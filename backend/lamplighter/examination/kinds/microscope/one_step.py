"""The answer of the microscope, put together from its parts."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from lamplighter.examination.examined_model import Answer, ExaminedModel, ReportProgress
from lamplighter.examination.kinds.microscope.finite_numbers import to_exact_number
from lamplighter.examination.kinds.microscope.linear_output import describe_linear_output
from lamplighter.examination.kinds.microscope.movement import describe_movement
from lamplighter.examination.kinds.microscope.predictions import describe_predictions
from lamplighter.examination.kinds.microscope.random_updates import describe_random_updates
from lamplighter.examination.kinds.microscope.retaken_step import RetakenStep, retake_step
from lamplighter.examination.kinds.microscope.river import describe_river
from lamplighter.examination.kinds.microscope.row_update import check_row, describe_row_update
from lamplighter.model.flops import count_step_flops, list_operations
from lamplighter.questions import MicroscopeQuestion, QuestionError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.snapshot import NoSnapshotError
from lamplighter.runfolder.tables.steps_reader import StepsReader


def examine(model: ExaminedModel, question: MicroscopeQuestion, report: ReportProgress) -> Answer:
    """Compute a step again on a copy of the model, and return all that happened in it.

    Args:
        model: the model after the step before.
        question: the step, and what of it is shown.
        report: hears how far it is.

    Raises:
        QuestionError: the run has no such sequence, row or coordinate, or the step does not come out in finite numbers.
    """
    if model.step != question.model_step:
        raise ValueError(f"the model is at step {model.step}, the question is about step {question.step}")
    check_row(model, question.token, question.coordinate)
    sequences = model.run.recipe.sequences
    if question.sequence >= sequences:
        raise QuestionError(
            f"sequence {question.sequence}: a batch of this run has sequences 0 to {sequences - 1}"
        )
    report(0.0, "taking the step again")
    retaken = retake_step(model)
    if not retaken.observation.is_finite:
        raise QuestionError(
            f"step {question.step} does not come out in finite numbers: look at one before it"
        )
    report(0.4, "reading before and after")
    text, right_guesses = describe_predictions(model, retaken, question.sequence)
    report(0.8, "recomputing one number")
    return {
        "step": question.step,
        "text": text,
        "operations": _describe_operations(model, retaken),
        "linear": describe_linear_output(retaken, question.sequence),
        "river": describe_river(retaken),
        "row": describe_row_update(model, retaken, question.token, question.coordinate),
        "whole": {
            **describe_movement(retaken),
            "right_guesses": right_guesses,
            "random": describe_random_updates(model, retaken),
        },
        "check": {**_check_digest(model, retaken), **_compare_matrix(model, retaken)},
    }


def _describe_operations(model: ExaminedModel, retaken: RetakenStep) -> Answer:
    """Return the operations of the forward pass in order, and the FLOPs of the whole step."""
    recipe, vocabulary = model.run.recipe, model.learner.model.embedding.num_embeddings
    rows = len(retaken.observation.gradient_ids)
    return {
        "forward": [asdict(o) for o in list_operations(recipe.model, vocabulary, recipe.sequences)],
        "totals": asdict(count_step_flops(recipe, vocabulary, rows)),
    }


def _check_digest(model: ExaminedModel, retaken: RetakenStep) -> Answer:
    """Return the digest of the step computed here and the recorded one; `equal` is None where there is no record."""
    step, reader = retaken.observation.step, StepsReader(model.run.steps_path)
    try:
        recorded = reader.digests(step, step).get(step)
    finally:
        reader.close()
    computed = retaken.observation.digest()
    return {
        "digest": computed.hex(),
        "recorded": None if recorded is None else recorded.hex(),
        "equal": None if recorded is None else computed == recorded,
    }


def _compare_matrix(model: ExaminedModel, retaken: RetakenStep) -> Answer:
    """Return by how much the embedding computed here differs from the recorded one at most, and how far its numbers went at most,
    so that rounding can be told from an error. `largest_difference` is None where the step's matrix was not kept."""
    before, after = (
        learner.model.embedding.weight.detach().float().cpu().numpy()
        for learner in (retaken.before, retaken.after)
    )
    difference = None
    try:
        with MatrixHistory(model.run) as history:
            recorded = history.snapshot(retaken.observation.step).vectors
        difference = to_exact_number(np.abs(after.astype(np.float64) - recorded).max(initial=0))
    except NoSnapshotError:
        pass
    return {
        "largest_difference": difference,
        "largest_update": to_exact_number(np.abs(after.astype(np.float64) - before).max(initial=0)),
        "rows_compared": 0 if difference is None else len(after),
    }
