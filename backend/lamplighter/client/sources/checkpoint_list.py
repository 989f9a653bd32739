"""The checkpoints of one training with their steps, from a folder or a list."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple, cast

from lamplighter.client.errors import InputError, whole_number
from lamplighter.client.sources.source_names import CHECKPOINT_NAME, step_in_name
from lamplighter.runfolder.step_numbers import MAX_NUMBER

MAX_CHECKPOINTS = 10_000
_FILE = re.compile(r".*\d+(\.safetensors|\.npy|\.npz|\.vec|\.txt|\.bin)", re.I)
_MAX_ENTRIES = 100_000


class Checkpoint(NamedTuple):
    """One state of an embedding in training."""

    step: int
    source: Any
    """A source for `find_embedding`."""


def collect_checkpoints(sources: Any, steps: Iterable[Any] | None = None) -> list[Checkpoint]:
    """Return the 2 to 10,000 checkpoints of a series, by step. `sources` and `steps` are those of
    `lamplighter.series`."""
    if isinstance(sources, Mapping):
        if steps is not None:
            raise InputError("steps: a mapping of step to source already has the steps")
        pairs: list[tuple[Any, Any]] = list(cast("Mapping[Any, Any]", sources).items())
    else:
        listed = _list_folder(Path(sources)) if isinstance(sources, str | os.PathLike) else _bounded(sources)
        pairs = list(zip(_steps_of(listed, steps), listed, strict=True))
    if not 2 <= len(pairs) <= MAX_CHECKPOINTS:
        raise InputError(
            f"a series has 2 to {MAX_CHECKPOINTS:,} checkpoints, but this one has {len(pairs)}; use still for a single one"
        )
    found = sorted((Checkpoint(_checked(step), source) for step, source in pairs), key=lambda one: one.step)
    for before, after in pairwise(found):
        if before.step == after.step:
            raise InputError(f"two checkpoints have the step {after.step}: give the steps (steps)")
    return found


def has_checkpoints(folder: Path) -> bool:
    return any(CHECKPOINT_NAME.fullmatch(entry.name) for entry in islice(folder.iterdir(), _MAX_ENTRIES))


def _checked(step: Any) -> int:
    number = whole_number(step, "the step of a checkpoint")
    if number > MAX_NUMBER:
        raise InputError(f"step {number} is too large: at most {MAX_NUMBER}")
    return number


def _steps_of(sources: list[Any], steps: Iterable[Any] | None) -> list[Any]:
    if steps is not None:
        given = _bounded(steps)
        if len(given) != len(sources):
            raise InputError(f"steps: {len(given)} steps for {len(sources)} checkpoints")
        return given
    if not any(isinstance(source, str | os.PathLike) for source in sources):
        return list(range(len(sources)))
    found = [step_in_name(Path(s)) if isinstance(s, str | os.PathLike) else None for s in sources]
    for source, step in zip(sources, found, strict=True):
        if step is None:
            name = Path(source).name if isinstance(source, str | os.PathLike) else "a matrix in memory"
            raise InputError(f"{name}: its name has no step: give the steps (steps)")
    return found


def _list_folder(folder: Path) -> list[Any]:
    """Return the checkpoints in a folder: the folders with such names, or else the files that end with a number."""
    try:
        entries = sorted(islice(folder.iterdir(), _MAX_ENTRIES))
    except OSError as error:
        raise InputError(f"{folder.name}: {error.strerror or error}") from error
    plain = [entry for entry in entries if not entry.is_symlink()]
    found = [entry for entry in plain if entry.is_dir() and CHECKPOINT_NAME.fullmatch(entry.name)]
    found = found or [entry for entry in plain if entry.is_file() and _FILE.fullmatch(entry.name)]
    if not found:
        raise InputError(
            f"{folder.name}: a folder without checkpoints such as checkpoint-10, checkpoint-20, ... or files such as step-10.npy"
        )
    return list(found)


def _bounded(values: Any) -> list[Any]:
    if not isinstance(values, Iterable) or isinstance(values, str | bytes):
        raise InputError(f"several checkpoints are needed, not {type(values).__name__}")
    return list(islice(cast("Iterable[Any]", values), MAX_CHECKPOINTS + 1))
