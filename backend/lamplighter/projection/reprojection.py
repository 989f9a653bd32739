"""The reprojection of a finished run for replay, with both past and future in view.

The result is stored in `relayouts.sqlite`, beside the live layouts.
"""

from __future__ import annotations

import time

import numpy as np

from lamplighter.contract.sentences import say
from lamplighter.corpora.modular import number_ids
from lamplighter.geometry.neighbours import finite_rows
from lamplighter.projection.joint_layouts import (
    JointSlices,
    ReprojectionError,
    ReprojectionProgress,
    ReprojectionSummary,
    choose_spread,
    write_joint_layouts,
)
from lamplighter.runfolder.reading.map_settings import read_map_settings
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.writing.whole_file import whole_file

SLICES = 120
"""Default number of steps laid out."""


def reproject(run: RunFolder, progress: ReprojectionProgress, slices: int = SLICES) -> ReprojectionSummary:
    """Reproject a finished run. Only one process at a time may do this (role `reprojector`).

    `slices`: evenly spaced steps of those stored exactly, including the first and the last; fewer if too few
    are stored or the vocabulary is large. It raises ReprojectionError if the run has not ended, or too few
    are stored.
    """
    start = time.monotonic()
    with whole_file(run.relayouts_path) as part, MatrixHistory(run) as history:
        if not history.steps.phase().has_ended:
            raise ReprojectionError(say("map_not_over"))
        size = len(run.vocabulary.tokens)
        steps = _choose_steps(history, size, slices)
        chosen = JointSlices(
            steps,
            lambda index: history.open_snapshot(steps[index]),
            size,
            run.landmarks,
            number_ids(run.recipe.corpus, size),
        )
        newest = history.steps.newest_step()[1]
        trusts = write_joint_layouts(part, chosen, read_map_settings(run).current, newest, progress)
    return ReprojectionSummary(len(trusts), float(np.nanmedian(trusts)), time.monotonic() - start)


def _choose_steps(history: MatrixHistory, size: int, limit: int) -> list[int]:
    """Choose steps evenly from those stored exactly, up to the last whose matrix is finite; at least two."""
    exact = history.exact_steps()
    while len(exact) and not finite_rows(history.open_snapshot(int(exact[-1])).vectors).all():
        exact = exact[:-1]
    if len(exact) < 2:
        raise ReprojectionError(say("map_few_steps"))
    return [int(exact[number]) for number in choose_spread(len(exact), size, limit)]
