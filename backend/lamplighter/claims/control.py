"""The control of a run (the same recipe with shuffled words), and its counterpart with another seed.

Both are found in the run folder by their recipes.
"""

from __future__ import annotations

import filecmp
import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from lamplighter.claims.evidence import UNREADABLE, Evidence
from lamplighter.claims.gathering import Moment, gather_evidence, read_moment
from lamplighter.claims.matrix_evidence import compare_with_seed
from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.importing.imported_run import is_imported
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.run_folder import RunFolder, list_folders
from lamplighter.runfolder.tables.steps_reader import StepsReader

_RECIPES_KEPT, _FOLDERS_KEPT = 4_096, 8
_SETTLED_NS = 2_000_000_000
"""Coarsest resolution of a file system's timestamps, in ns."""


@dataclass(frozen=True)
class ControlRun:
    """The control of a run, with the moment it is read at."""

    run: RunFolder
    moment: Moment

    @property
    def key(self) -> tuple[object, ...]:
        """Return everything that the control's column of the board depends on, with a stable repr."""
        return self.run.id, self.run.created, self.moment


class _Experiment(NamedTuple):
    """The content of a recipe apart from the number of steps."""

    shuffled: bool
    seed: int
    rest: str
    """The rest of the recipe, as JSON."""


def make_control_recipe(recipe: Recipe, steps: int | None = None) -> Recipe:
    """Return the recipe with the words of each document shuffled; `steps` None: as many steps as the run."""
    corpus = recipe.corpus.model_copy(update={"shuffle_words": True})
    return recipe.model_copy(update={"corpus": corpus, "steps": recipe.steps if steps is None else steps})


def has_control(run: RunFolder) -> bool:
    """Return whether a control can be trained: not of a run that is itself shuffled, recorded, or a fork.
    Sums and random words have none: shuffled, they say nothing.
    """
    recipe = run.recipe
    return (
        recipe.corpus.kind not in ("recorded", "modular", "repeats")
        and not recipe.corpus.shuffle_words
        and recipe.parent is None
    )


def find_control(run: RunFolder) -> RunFolder | None:
    """Return the newest run that differs from `run` only in shuffled words and the number of steps, or None.
    Only the recipes of other runs are read, once each, because a recipe never changes. Candidates must have
    the same vocabulary and counts, which only the same text has.
    """
    own = _read_experiment(str(run.path), _recipe_time(str(run.path)))
    if own is None or own.shuffled:
        return None
    wanted = own._replace(shuffled=True)
    listed = _list_settled(str(run.path.parent))
    for path in (Path(path) for path, experiment in listed if experiment == wanted):
        found = RunFolder(path)
        if _has_same_words(run.path, path) and _may_judge(found, run):
            return found
    return None


def find_other_seed(run: RunFolder, step: int) -> RunFolder | None:
    """Return the newest finished run of at least half of `step` that differs only in seed and steps. None if
    there is none. The seed also determines the text of Lamptown; for any other text, both runs must have the
    same words and counts.
    """
    own = _read_experiment(str(run.path), _recipe_time(str(run.path)))
    if own is None:
        return None
    listed: tuple[tuple[str, _Experiment], ...] = ()
    with suppress(OSError):
        listed = _list_settled(str(run.path.parent))
    for path, experiment in listed:
        if experiment.seed != own.seed and experiment._replace(seed=own.seed) == own:
            found = RunFolder(Path(path))
            # For a user's own text the recipe holds only its name.
            if run.recipe.corpus.kind != "lamptown" and not _has_same_words(run.path, found.path):
                continue
            with suppress(*UNREADABLE), StepsReader(found.steps_path) as steps:
                if steps.phase().has_ended and 2 * steps.newest_step()[1] >= step and _may_judge(found, run):
                    return found
    return None


def _may_judge(found: RunFolder, run: RunFolder) -> bool:
    """Return whether two runs may be compared: an imported one, which is untrusted, only with another."""
    return not is_imported(found) or is_imported(run)


def read_control(run: RunFolder) -> ControlRun | None:
    """Return the control of a run at its own moment; None if no readable control exists."""
    with suppress(*UNREADABLE):
        found = find_control(run)
        return None if found is None else ControlRun(found, read_moment(found))
    return None


def gather_with_control(
    run: RunFolder,
    cache: LruCache,
    moment: Moment,
    control: ControlRun | None,
    other_seed: RunFolder | None = None,
) -> Evidence:
    """Return the evidence about a run, with its control and its run of another seed if readable. It raises
    MissingVocabularyError or FormatError if the run itself cannot be read.
    """
    evidence = gather_evidence(run, cache, moment)
    if control is not None:
        with suppress(*UNREADABLE):
            evidence = replace(evidence, control=gather_evidence(control.run, cache, control.moment))
    if other_seed is not None and evidence.cities is not None:
        with suppress(*UNREADABLE):
            shared = compare_with_seed(run, other_seed, cache, evidence.cities.step)
            evidence = replace(evidence, cities=replace(evidence.cities, other_seed=shared))
    return evidence


def _recipe_time(path: str) -> int:
    """Return when a run's recipe was written, in ns; 0 if there is none."""
    try:
        return os.stat(os.path.join(path, "recipe.json")).st_mtime_ns
    except OSError:
        return 0


def _list_settled(folder: str) -> tuple[tuple[str, _Experiment], ...]:
    changed, now = os.stat(folder).st_mtime_ns, time.time_ns()
    # A second change within the timestamp's resolution would go unnoticed.
    return _list_experiments(folder, changed if changed < now - _SETTLED_NS else now)


@lru_cache(_FOLDERS_KEPT)
def _list_experiments(folder: str, _changed: int) -> tuple[tuple[str, _Experiment], ...]:
    """Return the runs in a folder with their experiments, newest first; `_changed` keys the cache."""
    paths = [str(path) for path in list_folders(Path(folder))]
    times = {path: _recipe_time(path) for path in paths}
    found = ((path, _read_experiment(path, times[path])) for path in sorted(paths, key=times.__getitem__))
    return tuple((path, experiment) for path, experiment in found if experiment)[::-1]


@lru_cache(_RECIPES_KEPT)
def _read_experiment(path: str, written: int) -> _Experiment | None:
    """Return the experiment of a run's folder; None if it cannot be trained here, as a fork."""
    if not written:
        return None
    try:
        recipe = RunFolder(Path(path)).recipe
    except FormatError:
        return None
    if recipe.corpus.kind == "recorded" or recipe.parent is not None:
        return None
    rest = make_control_recipe(recipe, steps=1).model_copy(update={"seed": 0})
    return _Experiment(recipe.corpus.shuffle_words, recipe.seed, rest.model_dump_json())


def _has_same_words(one: Path, other: Path) -> bool:
    with suppress(OSError):
        return filecmp.cmp(one / "vocabulary.json", other / "vocabulary.json", shallow=False)
    return False
