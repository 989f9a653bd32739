"""Bounds on an imported run: the files that it may have, and their contents over all files.

A server allocates memory for a run in proportion to these numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lamplighter.contract.recipe_file import MAX_RECIPE_BYTES
from lamplighter.contract.sentences import say
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.importing.untrusted_values import require_count
from lamplighter.runfolder.matrices.stored_matrix import MatrixReference
from lamplighter.runfolder.run_folder import MATRICES
from lamplighter.runfolder.run_name import NAME_FILE

MEGABYTE = 1_000_000
MAX_TOTAL_BYTES = 16_000 * MEGABYTE
"""Maximum bytes of a stranger's run."""
MAX_MATRICES = 10_000
MAX_MEMBERS = 32
"""Maximum files of a run, not counting waypoints and matrices."""
_NEEDED = ("recipe.json", "corpus.json", "vocabulary.json", "steps.sqlite")
_LIMITS = {
    "recipe.json": MAX_RECIPE_BYTES,
    NAME_FILE: 4 << 10,
    "source.txt": 64 << 20,
    "corpus.json": MEGABYTE,
    "corpus.npy": 2_000 * MEGABYTE,
    "held-out.npy": 250 * MEGABYTE,
    "landmarks.npy": MEGABYTE,
    "tokeniser.json": 64 * MEGABYTE,
    "vocabulary.json": 64 * MEGABYTE,
    "examinations.sqlite": 200 * MEGABYTE,
    "layouts.sqlite": 4_000 * MEGABYTE,
    "relayouts.sqlite": 4_000 * MEGABYTE,
    "output-layouts.sqlite": 4_000 * MEGABYTE,
    "measures.sqlite": 1_000 * MEGABYTE,
    "steps.sqlite": 8_000 * MEGABYTE,
    "tiles.sqlite": 8_000 * MEGABYTE,
}
_CHECKPOINT = re.compile(r"(?:checkpoints|waypoints)/\d{10}-\d{4}\.safetensors", re.ASCII)
_MATRIX = re.compile(MATRICES + r"/\d{10}-\d{4}\.safetensors", re.ASCII)
_CHECKPOINT_LIMIT = 4_000 * MEGABYTE


def byte_limit(name: str) -> int | None:
    """Return the maximum bytes of a file by its path in the run's folder; None if a run has no such file."""
    if _MATRIX.fullmatch(name):
        return MAX_TOTAL_BYTES
    return _CHECKPOINT_LIMIT if _CHECKPOINT.fullmatch(name) else _LIMITS.get(name)


def find_fault(
    files: Iterable[tuple[str, int]], besides: Mapping[str, int], total: int = MAX_TOTAL_BYTES
) -> str | None:
    """Return why files, by path and size, are not those of a run, as a sentence; None if they may be.
    `besides`: the maximum bytes of files beside those of a run, by path. `total`: the maximum bytes of all.
    """
    sizes: dict[str, int] = {}
    for path, size in files:
        limit = besides.get(path) or byte_limit(path)
        if limit is None:
            return say("run_file_unknown", name=ascii(path[:80]))
        if path in sizes:
            return say("run_file_twice", name=path)
        if size > limit:
            return say("run_file_too_large", name=path, size=size, most=limit)
        sizes[path] = size
    if missing := [path for path in _NEEDED if path not in sizes]:
        return say("run_file_missing", name=missing[0])
    size = sum(sizes.values())
    return say("run_file_too_large", name="", size=size, most=total) if size > total else None


MAX_ATTEMPTS = 10_000
MAX_EVENTS = 10_000
"""Maximum events of training."""
MAX_DISTRICT_EVENTS = 100_000
MAX_MESSAGE = 500
"""Maximum characters of an event's message; a longer one is cut."""
MAX_APPLIED = 100_000
"""Maximum applied requests."""
MAX_MEASURES = 1_000_000
"""Maximum values of all measures at all steps."""
MAX_MEASURE_NAMES = 5_000
MAX_STRETCHES = 200_000
MAX_STRETCH_STEPS = 1_000
"""Maximum steps of a stretch of tiles; ours have at most 200."""
MAX_LAYERS = 200
"""Maximum layers with a gradient norm; the deepest model of a recipe has 132."""
MAX_LAYERS_BYTES = 40_000
"""Maximum bytes of the names of all layers as JSON: every viewer gets them with its first message."""
MAX_LAYOUTS = 200_000
"""Maximum layouts of a file, and maximum districts."""
MAX_ROWS = 20_000_000
"""Maximum rows of all files of a run."""
MAX_BYTES = 16_000_000_000
"""Maximum bytes of the values in all rows."""
_LOST_STEPS = 10_000
"""Maximum steps that the record may lack at its end while another file has them, as after a power cut."""

ProgressTick = Callable[[], None]
"""A callback invoked repeatedly while rows are read; an exception it raises aborts the import."""


@dataclass
class RunChecks:
    """The checks and running totals shared by all files of one imported run."""

    vocabulary: int
    dim: int
    batch_tokens: int | None
    """Tokens per batch; None for a run recorded by a client's own loop, whose batches may differ."""
    tick: ProgressTick
    folder: Path | None = None
    """The folder with the files of matrices that keyframes may name; None if this run has none."""
    matrix_files: set[str] = field(default_factory=set[str])
    """Those that keyframes named."""
    last_step: int = 0
    """The largest step that a row may refer to; set once the steps have been read."""
    rows_left: int = MAX_ROWS
    bytes_left: int = MAX_BYTES

    def set_last_step(self, pulses: int) -> None:
        """Set the largest step from the number of pulses: steps are consecutive."""
        self.last_step = pulses + _LOST_STEPS

    def require_matrix_file(self, reference: MatrixReference) -> MatrixReference:
        """Return a reference if its file is there, and its header is that of this run's matrix. The file then
        counts as one of the run's. Raises FormatError if the run has no such files, or this one is
        another.
        """
        if self.folder is None or (reference.rows, reference.width) != (self.vocabulary, self.dim):
            raise FormatError(
                "the place of a matrix that does not match this run's vocabulary, width and format"
            )
        reference.open_file(self.folder)
        self.matrix_files.add(reference.file_name)
        return reference

    def require_step(self, value: Any) -> int:
        """Return `value` if it is a step that the run can have reached. Raises FormatError if it is not."""
        step = require_count(value)
        if step > self.last_step:
            raise FormatError(
                f"step {step:,} is far beyond the {self.last_step - _LOST_STEPS:,} steps in the record"
            )
        return step

    def spend(self, values: tuple[Any, ...]) -> None:
        """Count a row. Raises FormatError if the run has too many rows, or too many bytes in them."""
        self.rows_left -= 1
        self.bytes_left -= sum(len(value) for value in values if isinstance(value, bytes | str))
        if self.rows_left < 0 or self.bytes_left < 0:
            raise FormatError(f"a run of more than {MAX_ROWS:,} rows, or {MAX_BYTES / 1e9:,.0f} GB in them")
