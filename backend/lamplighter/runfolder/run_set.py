"""A set of runs: a folder of runs that differ in a few settings, and the file `set.json` that names them.

The folder lies in a folder of runs, and is one itself. `set.json` is written once, before the first step; the state of
each member is in its own folder. `docs/sets.md` describes both.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, ValidationError

from lamplighter.contract.recipe import Recipe
from lamplighter.contract.strict_input import StrictInput, explain_validation_error
from lamplighter.platform.printable import quote_foreign
from lamplighter.platform.private_modes import open_regular
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.role_lock import RoleState, role_state
from lamplighter.runfolder.run_folder import RUN_ID_PATTERN, RunFolder, is_folder

T = TypeVar("T")

SET_FILE = "set.json"
SWEEP_ROLE = "sweep"
"""The role, in the set's folder, of the process that trains its members."""
MAX_MEMBERS = 500
MAX_SET_BYTES = 1 << 20
"""Maximum bytes of a `set.json`."""
SEED = "seed"
"""The field of a recipe that gives equal runs another chance."""

Setting = bool | int | float | Annotated[str, Field(max_length=200)]
"""A value of a field of the recipe."""
_FieldName = Annotated[str, Field(max_length=100)]


class GridAxis(StrictInput):
    """A field of the recipe, with the values that the members have there."""

    field: _FieldName
    """The field, with dots: `optimiser.learning_rate`."""
    values: list[Setting]


class SetMember(StrictInput):
    """A member of a set."""

    run: Annotated[str, Field(pattern=f"^{RUN_ID_PATTERN}$")]
    """The id of the run, which is a folder in that of the set."""
    settings: dict[_FieldName, Setting]
    """Its value on each axis of the grid."""


class SetFacts(StrictInput):
    """The contents of `set.json`."""

    format: Literal[1] = 1
    name: Annotated[str, Field(min_length=1, max_length=80)]
    """The display name."""
    plain_name: Annotated[str, Field(min_length=1, max_length=80)]
    """The name for viewers who may not see the text."""
    recipe: Recipe
    """The recipe, without the settings of a member."""
    grid: Annotated[list[GridAxis], Field(max_length=20)]
    members: Annotated[list[SetMember], Field(max_length=MAX_MEMBERS)]
    """The members, the last axis of the grid varying fastest."""


class RunSet:
    """A set of runs. Construction touches no file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def created(self) -> float:
        """Return the creation time of the set, Unix seconds."""
        return (self.path / SET_FILE).stat().st_mtime

    @property
    def is_swept(self) -> bool:
        return role_state(self.path, SWEEP_ROLE) is RoleState.HELD

    @cached_property
    def facts(self) -> SetFacts:
        """Return the contents of `set.json`. Raises FormatError if it is missing or damaged, or this version
        cannot read it.
        """
        try:
            with open(self.path / SET_FILE, "rb", opener=open_regular) as file:
                text = file.read(MAX_SET_BYTES + 1)
            if len(text) > MAX_SET_BYTES:
                raise FormatError(f"{SET_FILE} is larger than the {MAX_SET_BYTES >> 20} MB that it may have")
            return SetFacts.model_validate_json(text)
        except OSError as error:
            raise FormatError(f"{SET_FILE}: {error.strerror or error}") from error
        except ValidationError as error:
            raise FormatError(f"{SET_FILE}: {explain_validation_error(error)}") from error
        except (ValueError, RecursionError) as error:
            raise FormatError(f"{SET_FILE}: {quote_foreign(error)}") from error

    @property
    def is_readable(self) -> bool:
        try:
            return bool(self.facts)
        except FormatError:
            return False

    def members(self) -> list[tuple[SetMember, RunFolder | None]]:
        """Return the members in the order of the grid, each with its run; None for one that was moved away.
        Raises FormatError if `set.json` cannot be read.
        """
        return [(one, self.find_member(one.run)) for one in self.facts.members]

    def find_member(self, run_id: str) -> RunFolder | None:
        """Return the run with a valid id in the set's folder; None if there is none."""
        path = self.path / run_id
        return RunFolder(path) if is_folder(path) else None


def group_by_setting(
    members: Iterable[T], settings_of: Callable[[T], Mapping[str, Setting]]
) -> list[tuple[dict[str, Setting], list[T]]]:
    """Return the members that differ in nothing but the seed, beside their other settings, in the order of the grid."""
    groups: dict[tuple[tuple[str, Setting], ...], list[T]] = {}
    for member in members:
        others = tuple((field, value) for field, value in settings_of(member).items() if field != SEED)
        groups.setdefault(others, []).append(member)
    return [(dict(others), found) for others, found in groups.items()]


def is_set(folder: Path) -> bool:
    try:
        return stat.S_ISREG((folder / SET_FILE).lstat().st_mode) and not (folder / "recipe.json").exists()
    except OSError:
        return False


def is_member(run: RunFolder) -> bool:
    return is_set(run.path.parent)


def folder_beside(run: RunFolder) -> Path:
    """Return the folder for the runs that are made from a run: its own, or, of a member, that of its set, because a server
    trains no run inside a set.
    """
    return run.path.parent.parent if is_member(run) else run.path.parent


def describe_settings(settings: Mapping[str, Setting]) -> str:
    """Return the settings of a member in words: `seed 3, learning_rate 0.01`."""
    return ", ".join(f"{field.rpartition('.')[2]} {_describe(value)}" for field, value in settings.items())


def _describe(value: Setting) -> str:
    return (
        f"{value:g}"
        if isinstance(value, float)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )
