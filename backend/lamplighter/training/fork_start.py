"""The beginning of a fork: compute the parent's step again, change what is to change, and keep the result as step 0.

All that it needs is in the folder `start/` (`forks/start.py`), which is removed at the end.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from lamplighter.contract.sentences import encode_message, say
from lamplighter.corpora.build import CorpusProgress
from lamplighter.forks.changes import reads_other_text
from lamplighter.forks.start import read_steps, start_of
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.checkpoint import CheckpointError, list_checkpoints, load_checkpoint, save_checkpoint
from lamplighter.model.learner import Learner, build_learner, choose_device, transplant
from lamplighter.model.observer import Observer
from lamplighter.model.recomputing import recompute_step
from lamplighter.platform import failpoint
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.training.corpus_setup import SetupStoppedError
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method
from living_map.rows import unit_rows

TOLD = "told"
"""The name, in the state of the first checkpoint, of the sentences that the timeline tells about the beginning."""
_REPORT_SECONDS = 0.2
_TOLD_SHARE = 0.001
"""Share of unknown words from which they are told."""
_PLACING_NEIGHBOURS = 5
"""Nearest tokens in the middle of which a new token is placed on the map."""


def begin_fork(run: RunFolder, report: CorpusProgress, stopped: Callable[[], bool]) -> None:
    """Write the checkpoint of step 0 of a fork and its first layout, unless that is done. `report`: called
    with the share done and what is being done. `stopped`: called a few times a second. Raises
    SetupStoppedError if it was stopped, ValueError if the start is damaged, or cannot be computed on this
    machine, OSError or CheckpointError if the checkpoint cannot be written.
    """
    start = start_of(run)
    if not start.path.exists():
        return
    if not list_checkpoints(run.checkpoints):
        recipe = run.recipe
        torch.set_num_threads(recipe.threads)
        device = choose_device(recipe)
        before, told = _replay(start, device, report, stopped)
        learner = build_learner(recipe, len(run.vocabulary), device, run.vocabulary.counts)
        transplant(before, learner, recipe.seed)
        told += _describe_changes(run, start)
        _place_layout(run, start, learner)
        failpoint.trigger("fork-replayed")
        state = {"learning_rate": recipe.optimiser.learning_rate, TOLD: [encode_message(one) for one in told]}
        observer = Observer(learner, recipe.cadence.verify_every)
        try:
            save_checkpoint(run.checkpoints, 0, 1, learner, observer, state)
        except CheckpointError as error:
            # On a full disk the trainer waits for room.
            raise (error.__cause__ if isinstance(error.__cause__, OSError) else error) from None
        failpoint.trigger("fork-checkpointed")
    shutil.rmtree(start.path)


def _replay(
    start: RunFolder, device: torch.device, report: CorpusProgress, stopped: Callable[[], bool]
) -> tuple[Learner, list[str]]:
    """Return the parent's learner at the step of the fork, and what is to be told about the way there."""
    recipe = start.recipe
    learner = build_learner(recipe, len(start.vocabulary), device, start.vocabulary.counts)
    observer = Observer(learner, recipe.cadence.verify_every)
    for file in list_checkpoints(start.checkpoints):
        load_checkpoint(file, learner, observer)
    batches = BatchReader(recipe, start.token_ids, device)
    steps = read_steps(start)
    told: list[str] = []
    due = 0.0
    for number, one in enumerate(steps):
        if time.monotonic() >= due:
            due = time.monotonic() + _REPORT_SECONDS
            if stopped():
                raise SetupStoppedError
            report(number / len(steps), f"recomputing step {one.step:,}")
        observed = recompute_step(learner, observer, batches, one.step, one.learning_rate)
        if not told and one.digest is not None and observed.digest() != one.digest:
            told.append(say("fork_differs", step=one.step))
    return learner, told


def _describe_changes(run: RunFolder, start: RunFolder) -> list[str]:
    recipe, before, told = run.recipe, start.recipe, list[str]()
    if recipe.optimiser.kind != before.optimiser.kind:
        told.append(say("fork_optimiser", optimiser=recipe.optimiser.kind, before=before.optimiser.kind))
    if recipe.parent is not None and reads_other_text(recipe.parent.changes):
        added = len(run.vocabulary) - len(start.vocabulary)
        unknown = float(np.mean(run.token_ids == 0))
        if unknown >= _TOLD_SHARE:
            told.append(say("fork_unknown_words", percent=100 * unknown))
        if added:
            told.append(say("fork_new_words", words=added))
    return told


def _place_layout(run: RunFolder, start: RunFolder, learner: Learner) -> None:
    """Give the map the parent's layout to begin with; a new token is placed in the middle of its nearest ones."""
    try:
        with LayoutsReader(start.layouts_path) as reader:
            record, facts = reader.last_written(*(set(Method) - {Method.LINEAR})), reader.facts()
    except FileNotFoundError:
        return
    if record is None:
        return
    layout = decode_as(record, Layout)
    writer = LayoutsWriter(run.layouts_path)
    try:
        with LayoutsReader(run.layouts_path) as placed:
            done = placed.has_map()
        if not done:
            with writer.transaction():
                writer.set_facts(facts)
                writer.commit(_extend(layout, learner))
    finally:
        writer.close(sealed=False)


def _extend(layout: Layout, learner: Learner) -> Layout:
    vectors: NDArray[np.float32] = learner.model.embedding.weight.detach().cpu().numpy()
    size = len(layout.coordinates)
    if len(vectors) == size:
        return layout
    similar = unit_rows(vectors[size:]) @ unit_rows(vectors[:size]).T
    nearest = np.argsort(-similar, axis=1)[:, :_PLACING_NEIGHBOURS]
    coordinates = np.concatenate((layout.coordinates, layout.coordinates[nearest].mean(axis=1)))
    return replace(layout, coordinates=coordinates.astype(np.float32), by_token=None)
