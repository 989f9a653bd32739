"""The map settings of a run, and the requested changes that the projector has not applied yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from lamplighter.contract.recipe import MapRecipe
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.requests import PROJECTOR_KINDS, Request, RequestsReader


@dataclass(frozen=True)
class MapSettingsState:
    """The current map settings and the pending changes."""

    current: MapRecipe
    """The settings of the newest layouts or, before the first layout, of the run's recipe."""
    requested: MapRecipe
    """The settings once all pending requests are applied."""
    pending: tuple[Request, ...] = ()
    """Requests that are not applied yet, oldest first."""
    settled: bool = True
    """True once the map of a finished run has come to rest after the last requested change."""
    linear: tuple[int, int] | None = None
    """Attempt and step of the matrix that defines the directions of the linear view."""


def read_map_settings(run: RunFolder) -> MapSettingsState:
    """Read the map settings of a run. Raises FormatError if this version cannot read the folder."""
    requests = RequestsReader(run.path)
    facts: dict[str, Any] = {}
    try:
        with LayoutsReader(run.layouts_path) as reader:
            facts = reader.facts()
            requests.skip_applied(reader.last_applied())
    except FileNotFoundError:
        pass
    chosen = requested = settings_from_facts(facts) or run.recipe.map
    pending = tuple(request for request in requests.read_new() if request.kind in PROJECTOR_KINDS)
    for request in pending:
        requested = merge_settings_if_valid(requested, request.body) or requested
    linear = facts.get("linear")
    linear_source = (int(linear["attempt"]), int(linear["step"])) if isinstance(linear, dict) else None
    return MapSettingsState(chosen, requested, pending, bool(facts.get("settled", True)), linear_source)


def settings_from_facts(facts: dict[str, Any]) -> MapRecipe | None:
    """Return the map settings in the facts of `layouts.sqlite`; None if they are missing or invalid."""
    try:
        return MapRecipe.model_validate(facts["map"])
    except (KeyError, ValidationError):
        return None


def merge_settings_if_valid(chosen: MapRecipe, body: dict[str, Any]) -> MapRecipe | None:
    """Return the settings after a request of kind `map`, whose body names only the changes; None if invalid."""
    try:
        return merge_settings(chosen, body)
    except ValidationError:
        return None


def merge_settings(chosen: MapRecipe, body: dict[str, Any]) -> MapRecipe:
    """Return the settings after a request of kind `map`. Raises ValidationError if a value is not allowed."""
    changes = {name: value for name, value in body.items() if value is not None}
    return MapRecipe.model_validate(chosen.model_dump() | changes)
