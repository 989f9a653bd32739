"""All measures of a snapshot of a run, with those that depend on how the run was recorded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.analysis.measures import measure
from lamplighter.corpora.modular import number_ids
from lamplighter.geometry.separation import separation
from lamplighter.geometry.stayed_rows import measure_stayed
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.loop_facts import MAX_PROBE_ROWS, PROBES_FACT, ProbedRun
from lamplighter.runfolder.matrices.stored_matrix import StoredMatrix
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.training_start import read_training_start
from lamplighter.wire.row_source import RowSource


def count_stayed(run: RunFolder, step: int, vectors: RowSource) -> dict[str, float]:
    """Return `rows_stayed` for the matrix after a step, shape (V, D); nothing if the first matrix is not kept."""
    try:
        # Closed before computing: a trainer can seal its file only without readers.
        with MatrixHistory(run) as history:
            start, steps = read_training_start(history, step)
    except NoSnapshotError:
        return {}
    return {"rows_stayed": float(len(measure_stayed(start.vectors, vectors, steps).ids))}


def measure_snapshot(
    run: RunFolder,
    step: int,
    vectors: NDArray[np.float32] | StoredMatrix,
    touches: NDArray[np.unsignedinteger] | None,
) -> dict[str, float]:
    """Return the measures of a run's matrix after a step, shape (V, D), by name. `touches`: how many batches
    had each row, shape (V,); None if batches are not recorded.
    """
    corpus = run.recipe.corpus
    values = measure(vectors, run.vocabulary, touches, corpus.planted_pairs, number_ids(corpus, len(vectors)))
    if touches is not None:
        return values
    with StepsReader(run.steps_path) as reader:
        probed: ProbedRun | None = reader.facts().get(PROBES_FACT)
    if probed is None:
        return values | count_stayed(run, step, vectors)
    return values | _measure_separation(probed, run.vocabulary.class_of(), vectors)


def _measure_separation(
    probed: ProbedRun, class_of: NDArray[np.int32], vectors: NDArray[np.float32] | StoredMatrix
) -> dict[str, float]:
    if len(vectors) > MAX_PROBE_ROWS:
        return {}
    count = len(vectors) // len(probed["layers"])
    words = np.zeros(count, dtype=np.int64)
    words[: len(probed["words"])] = probed["words"][:count]
    values: dict[str, float] = {}
    for number, layer in enumerate(probed["layers"]):
        rows = slice(number * count, (number + 1) * count)
        found = separation(vectors[rows], class_of[rows].astype(np.int64), words)
        if found is not None:
            values[f"separation {layer}"], values[f"separation_chance {layer}"] = found
    return values
