"""How the map of a run is drawn, and what people asked of it that the projector has not taken up yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from lamplighter.recipe import MapRecipe
from lamplighter.runfolder.folder import RunFolder
from lamplighter.runfolder.layouts import LayoutsReader
from lamplighter.runfolder.requests import OF_THE_PROJECTOR, Request, RequestsReader


@dataclass(frozen=True)
class Drawing:
    """How the map is drawn."""

    chosen: MapRecipe
    """The newest layouts, or the first one, where there are none yet."""
    asked: MapRecipe
    """How it will be once everything is taken up."""
    pending: tuple[Request, ...] = ()
    """Requests that are not taken up yet, oldest first."""
    settled: bool = True
    """Whether the map of a run that is over has come to rest since it was last asked to change."""
    linear: tuple[int, int] | None = None
    """Attempt and step of the matrix that gave the directions of the linear view."""


def read_drawing(run: RunFolder) -> Drawing:
    """How the map of a run is drawn now.

    Raises:
        FormatError: the folder cannot be read by this version.
    """
    requests = RequestsReader(run.path)
    facts: dict[str, Any] = {}
    try:
        with LayoutsReader(run.layouts_path) as reader:
            facts = reader.facts()
            for server, request in reader.last_applied().items():
                requests.seen(server, request)
    except FileNotFoundError:
        pass
    chosen = asked = chosen_of(facts) or run.recipe.map
    pending = tuple(request for request in requests.new() if request.kind in OF_THE_PROJECTOR)
    for request in pending:
        asked = changed(asked, request.body) or asked
    linear = facts.get("linear")
    at = (int(linear["attempt"]), int(linear["step"])) if isinstance(linear, dict) else None
    return Drawing(chosen, asked, pending, bool(facts.get("settled", True)), at)


def chosen_of(facts: dict[str, Any]) -> MapRecipe | None:
    """How the facts of `layouts.sqlite` say that the map is drawn; None where they do not."""
    try:
        return MapRecipe.model_validate(facts["map"])
    except (KeyError, ValidationError):
        return None


def changed(chosen: MapRecipe, body: dict[str, Any]) -> MapRecipe | None:
    """What is chosen after a request of the kind `map`, which names only what it changes; None where that is
    not allowed.
    """
    try:
        return merged(chosen, body)
    except ValidationError:
        return None


def merged(chosen: MapRecipe, body: dict[str, Any]) -> MapRecipe:
    """The same.

    Raises:
        ValidationError: what is not allowed, and what is.
    """
    asked = {name: value for name, value in body.items() if value is not None}
    return MapRecipe.model_validate(chosen.model_dump() | asked)
