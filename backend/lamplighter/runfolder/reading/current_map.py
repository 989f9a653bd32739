"""The map of a run as it is now: the layouts and districts that are not superseded, its settings, and its smoothed map."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lamplighter.contract.recipe import MapRecipe
from lamplighter.runfolder.errors import READ_ERRORS, is_outage
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import (
    UNTIL_FACT,
    DistrictsEntry,
    DistrictsReader,
    LayoutEntry,
    LayoutsReader,
)
from lamplighter.runfolder.tables.requests import PROJECTOR_KINDS, Request, RequestsReader
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import decode
from lamplighter.wire.layout_frames import Method


def layouts_on_lineage(
    reader: LayoutsReader, lineage: Lineage, after: int = 0, *, since: int = 0
) -> Iterator[LayoutEntry]:
    """Yield the layouts on the lineage with an id above `after`, from step `since` on, in the order they were written."""
    while batch := reader.layout_entries(after, since=since):
        after = batch[-1].id
        yield from (entry for entry in batch if lineage.counts(entry.attempt, entry.step))


def districts_on_lineage(
    reader: DistrictsReader, lineage: Lineage, after: int = 0, *, since: int = 0
) -> Iterator[DistrictsEntry]:
    """Yield the districts entries on the lineage with an id above `after`, from step `since` on, in the order they were
    written.
    """
    while batch := reader.districts_entries(after, since=since):
        after = batch[-1].id
        yield from (entry for entry in batch if lineage.counts(entry.attempt, entry.step))


def newest_layout_entry(
    entries: Iterable[LayoutEntry], method: Method, step: int | None = None
) -> LayoutEntry | None:
    """Return the last written layout in the view of `method` for the latest step at or before `step`."""
    fitting = (e for e in entries if e.method.view == method.view and (step is None or e.step <= step))
    return max(fitting, key=lambda e: (e.step, e.id), default=None)


_KNOWN_FILES = 1_024


def read_smoothed_step(run: RunFolder) -> int | None:
    """Return the newest step of the run when its smoothed map was made; None if there is no readable one."""
    try:
        facts = run.relayouts_path.stat()
        return _read_until(run.relayouts_path, facts.st_mtime_ns, facts.st_size)
    except READ_ERRORS:
        return None


def covers_run(run: RunFolder, last: int) -> bool:
    until = read_smoothed_step(run)
    return until is not None and until >= last


@lru_cache(_KNOWN_FILES)
def _read_until(path: Path, _changed: int, _size: int) -> int | None:
    with LayoutsReader(path) as reader:
        until = reader.facts().get(UNTIL_FACT)
        if isinstance(until, int):
            return until
        return max((entry.step for entry in reader.layout_entries()), default=None)


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


def count_districts(run: RunFolder) -> int | None:
    """Return the number of a run's districts; None before the first search, or if the map cannot be read.
    Raises OutOfReachError if the map lies elsewhere, where nothing answers now.
    """
    try:
        path = run.layouts_path
        return _count(path, _version(path), _version(path.with_name(path.name + "-wal")))
    except READ_ERRORS as error:
        if is_outage(error):
            raise
        return None


def last_districts(reader: LayoutsReader) -> Districts | None:
    """Return the districts found last, in any attempt; None before the first search. Raises FrameError if the
    record is damaged.
    """
    record = reader.last_written_districts()
    districts = None if record is None else decode(record)
    return districts if isinstance(districts, Districts) else None


@lru_cache(_KNOWN_FILES)
def _count(path: Path, _version: object, _wal: object) -> int | None:
    with LayoutsReader(path) as reader:
        districts = last_districts(reader)
    return None if districts is None else len(districts.ids)


def _version(path: Path) -> tuple[int, int] | None:
    """Return a value that changes with a file; None if there is no file."""
    try:
        facts = path.stat()
    except FileNotFoundError:
        return None
    return facts.st_mtime_ns, facts.st_size
