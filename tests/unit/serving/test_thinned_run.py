"""A run whose keyframes are thinned while a server reads it: no answer counts on one that has gone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import lamplighter
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.reading.run_index import RunIndex

V, D = 500, 150


def test_the_index_of_exact_steps_loses_those_that_went(tmp_path: Path) -> None:
    weights = np.zeros((V, D), np.float32)
    run, index = RunFolder(tmp_path / "mine"), RunIndex()
    tokens = [str(number) for number in range(V)]
    with lamplighter.record(
        run.path, tokens, embedding=weights, keyframe_every=2, disk_budget=4_000_000, on_error="raise"
    ) as recorder:
        for step in range(1, 61):
            weights += 1
            recorder.step(weights, [1], 1.0)
            if step in (30, 60):
                with MatrixHistory(run) as history:
                    kept = history.exact_steps()
                    found = index.exact_steps(run, history, 29)
                    assert found.tolist() == kept[kept < 30].tolist()
                    index.exact_steps(run, history, step)
