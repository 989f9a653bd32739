"""The measured answer to a question, from the run's record once training has reached the step."""

from __future__ import annotations

import numpy as np

from lamplighter.contract.reason import Reason, give_reason
from lamplighter.geometry.motion import displacements
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.snapshot import Snapshot
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.classroom.questions.asking import SMOOTHED
from lamplighter.serving.classroom.questions.question import Measured, Question
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.web.http.problems import RefusedError
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse
from living_map.rows import unit_rows

_AT_A_TIME = 100


def measure_answer(question: Question, run: RunFolder, catalog: RunCatalog) -> Measured:
    """Return the answer to a question. A vector is compared at the newest exactly kept step at or before the one
    asked about, which is `Measured.step`.

    Raises RefusedError (409) if training has not reached the step, or no matrix was kept since the question;
    READ_ERRORS.
    """
    with catalog.open_steps(run) as steps:
        newest = steps.newest_step()[1]
        if newest < question.at_step:
            raise RefusedError(
                409,
                f"training is at step {newest}, and the answer comes at step {question.at_step}: train until then",
                reason=give_reason("step_not_reached", step=question.at_step, newest=newest),
            )
        match question.about:
            case "lit_next":
                pulse = _pulses(steps, question.at_step, question.at_step)[0]
                return Measured(float(len(pulse.batch_ids)), question.at_step)
            case "lit_word":
                pulse = _pulses(steps, question.at_step, question.at_step)[0]
                lit = question.tokens[0] in pulse.batch_ids
                return Measured(0.0 if lit else 1.0, question.at_step)
            case "read_later":
                return Measured(float(_times_read(steps, question)), question.at_step)
            case "loss_later":
                return Measured(_mean_loss(steps, question.at_step), question.at_step)
            case "falls_later":
                before, after = (_mean_loss(steps, step) for step in (question.from_step, question.at_step))
                return Measured(0.0 if after < before else 1.0, question.at_step)
            case _:
                pass
    if question.about == "moved_later":
        return _moved(question, run, catalog)
    return _nearest(question, run, catalog)


def _pulses(steps: StepsReader, first: int, last: int) -> list[Pulse]:
    found = [decode_as(data, Pulse) for _, data in steps.pulses(max(1, first), last, limit=_AT_A_TIME)]
    if not found:
        raise RefusedError(409, f"the record has no step {last}")
    return found


def _times_read(steps: StepsReader, question: Question) -> int:
    times, token = 0, question.tokens[0]
    for first in range(question.from_step + 1, question.at_step + 1, _AT_A_TIME):
        for pulse in _pulses(steps, first, min(first + _AT_A_TIME - 1, question.at_step)):
            times += int(pulse.batch_counts[pulse.batch_ids == token].sum())
    return times


def _mean_loss(steps: StepsReader, step: int) -> float:
    """Return the mean loss over the steps up to `step`. Step 0 has no loss and takes that of step 1."""
    last = max(1, step)
    return float(np.mean([pulse.loss for pulse in _pulses(steps, last - SMOOTHED + 1, last)]))


def _moved(question: Question, run: RunFolder, catalog: RunCatalog) -> Measured:
    token = question.tokens[0]
    before, after = (_matrix(run, catalog, step) for step in (question.from_step, question.at_step))
    if after.step <= before.step:
        raise RefusedError(
            409,
            "no snapshot was saved since the question: train a little longer",
            reason=Reason("no_snapshot_since"),
        )
    way = float(displacements(before.vectors[token : token + 1], after.vectors[token : token + 1])[0])
    length = float(np.linalg.norm(before.vectors[token].astype(np.float64)))
    return Measured(100.0 * way / length if length else 0.0, after.step)


def _nearest(question: Question, run: RunFolder, catalog: RunCatalog) -> Measured:
    matrix = _matrix(run, catalog, question.at_step)
    units = unit_rows(matrix.vectors[list(question.tokens)])
    return Measured(float(np.argmax(units[1:] @ units[0])), matrix.step)


def _matrix(run: RunFolder, catalog: RunCatalog, step: int) -> Snapshot:
    try:
        with catalog.open_history(run) as history:
            return catalog.matrix_at(run, history, step, nearest=True)
    except NoSnapshotError as error:
        raise RefusedError(409, f"no full matrix of this run was kept: {error}") from error
