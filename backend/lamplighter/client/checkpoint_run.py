"""A checkpoint's embedding as a finished run of one keyframe, whose map can be explored."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import SupportsIndex

import numpy as np

from lamplighter.client.errors import InputError
from lamplighter.client.matrix_files import read_matrix
from lamplighter.client.recording.loop_facts import make_recorded_recipe
from lamplighter.client.run import Run
from lamplighter.client.vocabulary_files import make_vocabulary, read_vocabulary
from lamplighter.recipe import DEFAULT_DISK_BUDGET
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_store import create_recorded_run, require_free_path
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.wire.frames import encode
from lamplighter.wire.row_frames import NEVER, Census, Rows


def still(
    folder: str | os.PathLike[str],
    embedding_path: str | os.PathLike[str],
    vocabulary_path: str | os.PathLike[str] | Iterable[str] | Mapping[str, SupportsIndex],
    *,
    tensor: str | None = None,
) -> Run:
    """Create a finished run from one matrix; a server over the folder's parent draws its map.

    Args:
        folder: the run's folder, which must not exist yet or be empty. Its name becomes the run's id.
        embedding_path: `.npy` or `.safetensors`; shape (V, D), stored as float16, bfloat16, float32 or float64.
        vocabulary_path: a file of the tokens by id, V of them, as `read_vocabulary` takes it; or the tokens
            themselves, or a mapping of token to id, as `record` takes them.
        tensor: which tensor of a safetensors file, where several could be meant.

    Raises:
        InputError: a file cannot be used; the message tells which and why.
        FileExistsError: `folder` is not empty.
    """
    path = Path(folder).absolute()
    try:
        require_free_path(path)
    except ValueError as error:
        raise InputError(str(error)) from error
    if isinstance(vocabulary_path, str | os.PathLike):
        vocabulary = read_vocabulary(vocabulary_path)
    else:
        vocabulary = make_vocabulary(vocabulary_path)
    matrix = read_matrix(embedding_path, len(vocabulary), tensor)
    name = Path(embedding_path).name
    plan = {
        "corpus": {"kind": "recorded", "name": name[:200]},
        "steps": 1,
        # Enough for the matrix, and as much again for its maps.
        "disk_budget": DEFAULT_DISK_BUDGET + 2 * matrix.nbytes,
    }
    run = create_recorded_run(path, make_recorded_recipe(plan, matrix.shape[1]), vocabulary)
    now = time.time()
    census = Census(
        1, 0, now, np.zeros(len(matrix), dtype=np.uint32), np.full(len(matrix), NEVER, dtype=np.uint32)
    )
    with RoleLock(run.path, "trainer"):
        writer = StepsWriter(run.steps_path)
        writer.start_attempt(0)
        writer.add_keyframe(0, encode(Rows.of_matrix(1, 0, now, matrix)), encode(census))
        message = f"the embedding in {name[:200]}, as it is"
        facts = {
            "phase": Phase.FINISHED,
            "message": message,
            "changed": now,
            "steps": 0,
            "layers": [],
        }
        writer.add_event(0, Phase.FINISHED, message, facts)
        writer.close(sealed=True)
    return Run(run.path)
