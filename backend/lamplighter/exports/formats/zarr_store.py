"""The embedding over time as a Zarr store (version 3) for xarray: steps, tokens and dimensions, in chunks."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.sentences import say
from lamplighter.exports.formats.tensor_files import printable_surrogates
from lamplighter.exports.output import ExportError, ExportProgress, MissingPackageError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.step_numbers import read_step_numbers

MAX_STEPS = 200
"""Steps of a store; of a longer run they lie at equal distances among those stored exactly."""
_CHUNK_BYTES = 4 << 20


def write_zarr(run: RunFolder, out: Path, progress: ExportProgress) -> None:
    """Write `embedding` (step, token, dim), float32 and bit for bit, with the coordinates `step` and `token`.
    `step` has the numbers of the loop where a run was recorded from one. A chunk is at most 4 MB of one step.
    Memory is that of two matrices. It raises ExportError without zarr, or without a step.
    """
    try:
        zarr: Any = import_module("zarr")
    except ImportError as error:
        raise MissingPackageError("zarr needs its package: install it with: pip install zarr") from error
    try:
        with MatrixHistory(run) as history:
            exact, facts = history.exact_steps(), history.steps.facts()
            steps = exact[
                np.unique(np.linspace(0, len(exact) - 1, min(len(exact), MAX_STEPS)).round().astype(int))
            ]
            if not len(steps):
                raise ExportError(f"{run.id} has no step that is stored exactly yet")
            rows, dim = len(run.vocabulary), run.recipe.model.dim
            store = zarr.open_group(
                out, mode="w-", zarr_format=3, attributes={"format": "lamplighter", "run": run.id}
            )
            tokens = [printable_surrogates(token) for token in run.vocabulary.tokens]
            _add(store, "token", np.array(tokens, dtype=object), str, (rows,))
            _add(store, "step", _numbers(steps, facts), "int64", (len(steps),))
            chunk = (1, max(1, min(rows, _CHUNK_BYTES // (4 * dim))), dim)
            embedding = store.create_array(
                "embedding", shape=(len(steps), rows, dim), chunks=chunk, dtype="float32",
                dimension_names=("step", "token", "dim"),
            )  # fmt: skip
            for at, step in enumerate(steps.tolist()):
                progress(at / len(steps), f"step {step:,}")
                embedding[at] = history.snapshot(step).vectors
    except FileNotFoundError as error:
        raise ExportError(say("export_not_begun", run=run.id)) from error


def _numbers(steps: NDArray[np.int64], facts: dict[str, Any]) -> NDArray[np.int64]:
    """Return the numbers of steps in the loop that was recorded; the steps themselves if one is unknown."""
    numbers = [read_step_numbers(facts).number_of(step) for step in steps.tolist()]
    return steps if None in numbers else np.array(numbers, np.int64)


def _add(store: Any, name: str, values: NDArray[Any], kind: Any, shape: tuple[int]) -> None:
    store.create_array(name, shape=shape, chunks=shape, dtype=kind, dimension_names=(name,))[:] = values
