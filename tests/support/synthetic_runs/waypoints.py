"""Waypoints like a trainer's, made from an output matrix alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from lamplighter.model.checkpoint import checkpoint_name
from lamplighter.runfolder.run_folder import RunFolder

OUTPUT, INPUT = "model.unembedding.weight", "model.embedding.weight"


def write_waypoint(
    run: RunFolder, step: int, matrix: np.ndarray[Any, Any], *, attempt: int = 1, name: str = OUTPUT
) -> Path:
    """Write a waypoint with this matrix under a name, beside another tensor. Return its path."""
    run.waypoints.mkdir(exist_ok=True)
    path = run.waypoints / checkpoint_name(step, attempt)
    save_file({"model.norm.weight": np.ones(3, np.float32), name: np.ascontiguousarray(matrix)}, path)
    return path


def random_matrix(run: RunFolder, seed: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return a random matrix of the size of a run's, shape (V, D)."""
    shape = (len(run.vocabulary), run.recipe.model.dim)
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
