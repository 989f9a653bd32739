"""The creation of a set of runs: its grid, its folder with `set.json`, and the folders of its members."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

from pydantic import ValidationError

from lamplighter.contract.recipe import Recipe
from lamplighter.contract.recipe_file import RecipeError
from lamplighter.contract.strict_input import explain_validation_error
from lamplighter.platform.folder_sync import rename_durably
from lamplighter.platform.private_modes import make_private_folder
from lamplighter.runfolder.preparation import preparation_folder
from lamplighter.runfolder.run_folder import RunFolder, write_atomically
from lamplighter.runfolder.run_name import (
    MAX_RUN_NAME,
    clean_run_name,
    derive_run_name,
    numbered_name,
    write_run_name,
)
from lamplighter.runfolder.run_set import (
    MAX_MEMBERS,
    SET_FILE,
    GridAxis,
    RunSet,
    SetFacts,
    SetMember,
    Setting,
    describe_settings,
)
from lamplighter.runfolder.run_store import RunStore, make_run_folder, new_id, require_trainable

_FIXED = ("format", "parent", "prompts", "corpus.name", "corpus.planted")
"""Fields that no grid varies."""


def expand_grid(recipe: Recipe, grid: Sequence[GridAxis]) -> list[tuple[dict[str, Setting], Recipe]]:
    """Return the settings and the recipe of each member, the last axis varying fastest. Raises RecipeError if
    the recipe is that of a fork, whose first weights a new run does not have, if an axis names no field
    that can be varied, names it again or has no or equal values, if there are more than `MAX_MEMBERS`
    members, or if a recipe is invalid.
    """
    if recipe.parent is not None:
        raise RecipeError("a fork cannot be swept: sweep the run that it comes from")
    require_trainable(recipe)
    for index, axis in enumerate(grid):
        if any(axis.field == earlier.field for earlier in grid[:index]):
            raise RecipeError(f"{axis.field} is given twice: name its values once, separated by commas")
        if not axis.values or len(set(axis.values)) < len(axis.values):
            raise RecipeError(f"{axis.field}: give at least one value, and each once")
    if (count := math.prod(len(axis.values) for axis in grid)) > MAX_MEMBERS:
        raise RecipeError(f"a set may have at most {MAX_MEMBERS:,} members, this one would have {count:,}")
    combinations = product(*(axis.values for axis in grid))
    members = [dict(zip((axis.field for axis in grid), values, strict=True)) for values in combinations]
    return [(settings, _with_settings(recipe, settings)) for settings in members]


def create_set(
    store: RunStore,
    recipe: Recipe,
    grid: Sequence[GridAxis],
    text: str | None = None,
    name: str | None = None,
) -> RunSet:
    """Create a set with the folders of all its members, none of them begun. It appears whole, or not at all.
    An axis of the `grid` with a single value is set, and is no axis. `text`: the user's. `name`: the
    display name; None for one made of the recipe. Raises RecipeError if the grid does not fit the recipe,
    ValueError if the name is not valid.
    """
    members = expand_grid(recipe, grid)
    base = _with_settings(recipe, {axis.field: axis.values[0] for axis in grid if len(axis.values) == 1})
    axes = [axis for axis in grid if len(axis.values) > 1]
    fields = [axis.field for axis in axes]
    taken = [one.facts.name for one in store.sets() if one.is_readable]
    with preparation_folder(store.path, "making") as folder:
        making = folder / "set"
        make_private_folder(making)
        set_id = new_id(base)
        found: list[SetMember] = []
        names: list[str] = []
        digits = len(str(len(members) - 1))
        # The list of runs has the newest first: the first member is written last.
        for number, (settings, own) in reversed(list(enumerate(members))):
            varied = {field: settings[field] for field in fields}
            member = SetMember(run=f"{set_id}-{number:0{digits}}", settings=varied)
            run = RunFolder(make_run_folder(making / member.run, own, text))
            names = names or _set_names(run, base, len(members), name, taken)
            told = describe_settings(varied) or str(number)
            write_run_name(run.path, *(_member_name(one, told) for one in names))
            found.insert(0, member)
        facts = SetFacts(name=names[0], plain_name=names[1], recipe=base, grid=axes, members=found)
        write_atomically(making / SET_FILE, facts.model_dump_json(indent=2))
        return RunSet(rename_durably(making, store.path / set_id))


def _set_names(run: RunFolder, base: Recipe, count: int, name: str | None, taken: list[str]) -> list[str]:
    """Return the name and the plain name of a set; `run` is a member without a name."""
    if name is not None:
        return [numbered_name(clean_run_name(name), taken)] * 2
    # With the seed of the default, the derived name does not speak of it.
    like = RunFolder(run.path)
    vars(like)["recipe"] = base.model_copy(update={"seed": Recipe.model_fields["seed"].default})
    return [
        numbered_name(_member_name(derive_run_name(like, plain=plain), f"{count} runs"), taken)
        for plain in (False, True)
    ]


def _member_name(name: str, told: str) -> str:
    """Return the name of a set with what tells a member apart, shortened to the length of a name."""
    told = told[: MAX_RUN_NAME // 2]
    room = MAX_RUN_NAME - len(told) - 3
    return f"{name if len(name) <= room else name[: room - 1].rstrip() + '…'} · {told}"


def _with_settings(recipe: Recipe, settings: dict[str, Setting]) -> Recipe:
    """Return a recipe with some fields replaced. Raises RecipeError if there is no such field, or its value
    is not allowed.
    """
    fields: dict[str, Any] = recipe.model_dump()
    for name, value in settings.items():
        *path, last = name.split(".")
        part: Any = fields
        for step in path:
            part = part.get(step) if isinstance(part, dict) else None  # pyright: ignore[reportUnknownMemberType]
        known = isinstance(part, dict) and last in part and not isinstance(part[last], dict)
        if not known or name in _FIXED:
            raise RecipeError(
                f"{name[:80]!r} is no field that can be set: name one of a recipe with its part, such as"
                " optimiser.learning_rate, model.dim or seed"
            )
        part[last] = value
    try:
        varied = Recipe.model_validate(fields)
    except ValidationError as error:
        raise RecipeError(explain_validation_error(error)) from error
    if (varied.corpus.kind == "text") != (recipe.corpus.kind == "text"):
        raise RecipeError("corpus.kind: a text of your own is named with --corpus, for all members")
    require_trainable(varied)
    return varied
