"""A run that a loop continues: what its record says of the step after which the loop goes on."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path
from typing import Any, NamedTuple

from lamplighter.client.errors import InputError
from lamplighter.client.matrix_diff import find_changed_rows
from lamplighter.client.recording.loop_facts import LoopFacts
from lamplighter.contract.sentences import say
from lamplighter.runfolder.errors import READ_ERRORS, NoSnapshotError
from lamplighter.runfolder.fragments.fragment import RECEIVED_FACT
from lamplighter.runfolder.loop_facts import CONFIG_FACT, KEPT_ROWS_FACT
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.snapshot import Touches, read_touches
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.step_numbers import StepNumbers, read_step_numbers
from lamplighter.wire.binary import Floats
from lamplighter.wire.vocabulary import Vocabulary

_NAMED = 10
"""Names of runs for an error about a run that does not exist."""


class ResumePoint(NamedTuple):
    """The step of a record after which its loop goes on."""

    step: int
    """The record's own number of it."""
    facts: dict[str, Any]
    numbers: StepNumbers
    census: Touches
    is_equal: bool
    """Whether the loop begins with the very matrix of the record."""
    message: str


def find_recorded_run(path: Path) -> RunFolder:
    """Return the run of a loop in a folder. Raises InputError if there is none; the message names those that
    are there."""
    run = RunFolder(path)
    try:
        recorded = run.recipe.corpus.kind == "recorded"
    except READ_ERRORS as error:
        found = [one.id for one in RunStore(path.parent).runs()] if path.parent.is_dir() else []
        there = ", ".join(found[:_NAMED]) + (", ..." if len(found) > _NAMED else "")
        raise InputError(
            f"resume: there is no run {path.name!r} in {path.parent}, which has {there or 'none'}"
        ) from error
    if not recorded:
        raise InputError(f"resume: {run.id} is not the record of a loop: Lamplighter trained it")
    return run


def find_resume_point(run: RunFolder, vocabulary: Vocabulary, loop: LoopFacts, matrix: Floats) -> ResumePoint:
    """Return where a loop continues a run, which has no other writer. `matrix`: the loop's, shape (V, D).

    Raises InputError if the loop does not belong to this run.
    """
    theirs, width = run.vocabulary.tokens, run.recipe.model.dim
    if matrix.shape != (len(theirs), width):
        raise InputError(
            f"resume: the embedding of {run.id} has {len(theirs):,} x {width}, and this one {len(matrix):,} x {matrix.shape[1]}"
        )
    for number, (before, now) in enumerate(zip(theirs, vocabulary.tokens, strict=True)):
        if before != now:
            raise InputError(f"resume: row {number} of {run.id} is {before[:80]!r}, and here {now[:80]!r}")
    try:
        with MatrixHistory(run) as history:
            facts = history.steps.facts()
            if RECEIVED_FACT in facts:
                raise InputError(f"resume: {run.id} arrives from another machine: continue it there")
            if all(event.message != say("recorded_loop") for event in history.steps.events()):
                raise InputError(f"resume: {run.id} is not the record of a loop")
            kept = facts.get(KEPT_ROWS_FACT, [])
            if loop.kept_rows and list(loop.kept_rows) != kept:
                raise InputError(
                    f"resume: {run.id} keeps {len(kept):,} rows of each step, and keep_rows names others: leave it out"
                )
            return _find_point(run, loop, matrix, history, facts)
    except (FileNotFoundError, NoSnapshotError) as error:
        raise InputError(f"resume: no state of {run.id} is kept up to step {loop.first_step}") from error


def _find_point(
    run: RunFolder, loop: LoopFacts, matrix: Floats, history: MatrixHistory, facts: dict[str, Any]
) -> ResumePoint:
    numbers, (_, newest) = read_step_numbers(facts), history.steps.newest_step()
    first, last = numbers.number_of(0), numbers.number_of(newest)
    if first is None or last is None or loop.first_step < first:
        raise InputError(
            f"resume: first_step is {loop.first_step}, and the record of {run.id} has the steps {first} to {last}"
        )
    step = bisect_right(range(newest + 1), loop.first_step, key=lambda one: numbers.number_of(one) or 0) - 1
    values: dict[str, Any] = {
        "attempt": max(history.steps.lineage().newest_attempt, 1) + 1,
        "step": loop.first_step,
    }
    is_equal, code = False, "loop_resumed_unknown"
    try:
        if numbers.number_of(step) == loop.first_step:
            changed = find_changed_rows(history.snapshot(step).vectors, matrix)
            is_equal = not len(changed.token_ids)
            code = "loop_resumed" if is_equal else "loop_resumed_changed"
            if not is_equal:
                values |= {"rows": len(changed.token_ids), "distance": float(changed.distances.max())}
    except NoSnapshotError:
        pass  # only keyframes are exact
    census = read_touches(history.steps, step)
    told = {CONFIG_FACT: loop.config, "steps": loop.planned_steps() and step + loop.planned_steps()}
    facts = facts | {name: value for name, value in told.items() if value}
    return ResumePoint(step, facts, numbers, census, is_equal, say(code, **values))
