"""A set of runs, read from its folder: `lamplighter.open_set("runs/...")`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.client.errors import InputError, require_whole_application
from lamplighter.client.run import Run
from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.reading.curves import LOSS, LOSS_HELD_OUT, QUANTILES, read_curves
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_set import RunSet as SetFolder
from lamplighter.runfolder.run_set import SetFacts, Setting, group_by_setting, is_set

if TYPE_CHECKING:
    from lamplighter.claims.board import SetClaim


@dataclass(frozen=True)
class CurveBand:
    """A measure by step, of members that differ in nothing but the seed."""

    steps: NDArray[np.int64]
    """Shape (N,), ascending."""
    lines: NDArray[np.float64]
    """Shape (M, N): the value of each of `runs` at each step; NaN where it has none."""
    quantiles: dict[float, NDArray[np.float64]]
    """The quantiles 0.1, 0.25, 0.5, 0.75 and 0.9 over the members, each of shape (N,); NaN where none has a value."""
    runs: list[str]
    """The ids of the M members."""

    @property
    def median(self) -> NDArray[np.float64]:
        """Return the median over the members at each step, shape (N,)."""
        return self.quantiles[0.5]


class RunSet:
    """A set of runs that differ in a few settings, mostly in the seed. Reading it changes nothing."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the set in a folder.

        Raises:
            InputError: there is no set.
            FormatError: its file was written by a newer version, or is damaged.
        """
        folder = Path(path).absolute()
        if not is_set(folder):
            raise InputError(f"{folder.name} is no set of runs: it has no set.json")
        self._folder = SetFolder(folder)
        self._cache = LruCache()
        self.id = self._folder.id
        """The set's id, which is the folder's name."""
        _ = self._facts

    @property
    def name(self) -> str:
        """Return the display name."""
        return self._facts.name

    @property
    def recipe(self) -> Recipe:
        """Return the recipe, without the settings of a member."""
        return self._facts.recipe

    @property
    def grid(self) -> dict[str, list[bool | int | float | str]]:
        """Return the values that the members have, by field of the recipe."""
        return {axis.field: axis.values for axis in self._facts.grid}

    @property
    def members(self) -> list[Run]:
        """Return the members that are there, in the order of the grid, the last axis varying fastest."""
        return [Run(run.path) for run in self._runs()]

    @property
    def settings(self) -> list[dict[str, bool | int | float | str]]:
        """Return the settings of each of `members`."""
        return [member.settings for member, run in self._folder.members() if run is not None]

    @property
    def combinations(self) -> list[dict[str, Setting]]:
        """Return the settings other than the seed that members share, in the order of the grid: `{}` alone where the seed alone
        varies.
        """
        return [settings for settings, _ in self._groups()]

    def curves(
        self, names: Iterable[str] = (LOSS, LOSS_HELD_OUT), *, of: Mapping[str, Setting] | None = None
    ) -> dict[str, CurveBand]:
        """Return measures by step, by name, of members that differ in nothing but the seed.

        Args:
            names: names of `Run.measures`, and `loss`: the mean of the last 16 batches up to a step.
            of: one of `combinations`, such as `{"model.tied": True}`, where more than the seed varies.

        Raises:
            InputError: `of` does not name one combination.
        """
        runs = self._choose(of)
        wanted = [names] if isinstance(names, str) else list(names)
        return {
            curve.name: CurveBand(
                curve.steps,
                curve.lines,
                dict(zip(QUANTILES, curve.quantiles, strict=True)),
                [run.id for run in runs],
            )
            for curve in read_curves(runs, wanted)
        }

    def claims(self, *, of: Mapping[str, Setting] | None = None) -> list[SetClaim]:
        """Return 28 statements about learning by number, each with the number of finished members in each state, and the interval
        of the share in which it holds (`docs/claims.md`). Asks no question of any model.

        Args:
            of: as of `curves`.

        Raises:
            InputError: `of` does not name one combination.
            ImportError: only `lamplighter-watch` is installed.
        """
        with require_whole_application("RunSet.claims"):
            from lamplighter.claims.board import make_set_board
        members: list[Any] = [(run.id, run) for run in self._choose(of)]
        return make_set_board(members, self._cache).claims

    @cached_property
    def _facts(self) -> SetFacts:
        return self._folder.facts

    def _groups(self) -> list[tuple[dict[str, Setting], list[RunFolder]]]:
        there = [(member.settings, run) for member, run in self._folder.members() if run is not None]
        return [
            (settings, [run for _, run in found])
            for settings, found in group_by_setting(there, lambda one: one[0])
        ]

    def _choose(self, of: Mapping[str, Setting] | None) -> list[RunFolder]:
        """Return the members of a combination: pooled with others they would differ in more than chance."""
        wanted = (of or {}).items()
        found = [runs for settings, runs in self._groups() if wanted <= settings.items()]
        if len(found) == 1 or not self._runs():
            return found[0] if found else []
        told = "; ".join(map(str, self.combinations[:8]))
        raise InputError(f"name one combination of {self.id} by its settings, without the seed: of={told}")

    def _runs(self) -> list[RunFolder]:
        return [run for _, run in self._folder.members() if run is not None]

    def __repr__(self) -> str:
        return f"RunSet({str(self._folder.path)!r})"


def open_set(path: str | os.PathLike[str]) -> RunSet:
    """Open the set of runs in a folder, live or finished.

    Raises:
        InputError: there is no set.
        FormatError: its file was written by a newer version, or is damaged.
    """
    return RunSet(path)
