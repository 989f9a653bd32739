"""Sets for the routes: their members, and what is read from each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.sentences import say
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.reading.curves import Keep, SetCurve, read_curves
from lamplighter.runfolder.run_folder import RunFolder, list_folders
from lamplighter.runfolder.run_set import SEED, RunSet, SetMember, Setting, group_by_setting
from lamplighter.runfolder.run_store import NoSuchRunError
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.reading.run_list import FolderState, read_folder_state
from lamplighter.serving.schemas.runs import UNREADABLE
from lamplighter.serving.schemas.sets import (
    Axis,
    CurveBand,
    CurveGroup,
    Member,
    MemberSpread,
    MemberValue,
    SetSummary,
)

PLAIN_NAME = "A set of runs"
"""The name of an unreadable set."""


@dataclass(frozen=True)
class ReadMember:
    """A member of a set with its run; None for a run that was moved away."""

    id: str
    settings: dict[str, Setting]
    run: RunFolder | None
    recipe: str = ""
    """The recipe without its seed, where the file of the set does not tell what the members differ in."""


def list_members(catalog: RunCatalog, run_set: RunSet) -> list[ReadMember]:
    """Return the members; those in the folder, by id, if the file of the set cannot be read."""
    known = True
    try:
        found = run_set.members()
    except FormatError:
        known = False
        folders = sorted(list_folders(run_set.path))
        found = [(SetMember(run=path.name, settings={}), RunFolder(path)) for path in folders]
    members: list[ReadMember] = []
    for member, run in found:
        shared = None
        if run is not None:
            with suppress(NoSuchRunError):
                shared = catalog.share(run)
        recipe = "" if known or shared is None else _without_seed(shared)
        members.append(ReadMember(member.run, member.settings, shared, recipe))
    return members


def _without_seed(run: RunFolder) -> str:
    """Return a recipe as text, without its seed; that of an unreadable one is the run's own id."""
    with suppress(FormatError):
        return run.recipe.model_copy(update={SEED: 0}).model_dump_json()
    return run.id


def read_set_state(run_set: RunSet) -> list[tuple[str, FolderState | None]]:
    """Return a value that changes with everything that is recorded in the set's folder, with a stable repr. It includes
    runs that are no members, such as controls."""
    return [(path.name, read_folder_state(RunFolder(path))) for path in sorted(list_folders(run_set.path))]


def describe_set(catalog: RunCatalog, run_set: RunSet, sees_text: Callable[[RunFolder], bool]) -> SetSummary:
    """Return a set as the list shows it. Never raises because of the folder's contents."""
    members = list_members(catalog, run_set)
    described = [_describe_member(catalog, one) for one in members]
    problem, name, axes = None, PLAIN_NAME, list[Axis]()
    runs = [one.run for one in members if one.run is not None]
    # All members have the same text. Without one it is not known whose it is.
    sees = bool(runs) and all(sees_text(run) for run in runs)
    try:
        facts = run_set.facts
        name = facts.name if sees else facts.plain_name
        axes = [Axis(field=axis.field, values=axis.values) for axis in facts.grid]
    except FormatError as error:
        problem = say("set_unreadable", error=str(error)) if sees else UNREADABLE
    created = None
    with suppress(OSError):
        created = run_set.created
    return SetSummary(
        id=run_set.id,
        name=name,
        readable=problem is None,
        problem=problem,
        created=created,
        grid=axes,
        sweeping=run_set.is_swept,
        members=described,
        counts=Counter(one.state for one in described),
    )


def _describe_member(catalog: RunCatalog, member: ReadMember) -> Member:
    status = None
    if member.run is not None:
        # A shared object would keep a recipe that was damaged since.
        status = catalog.summarise(RunFolder(member.run.path)).status
    if status is None:
        state = "missing" if member.run is None else "unreadable"
        return Member(
            run=member.id, settings=member.settings, state=state, alive=False, step=0, steps=0, loss=None
        )
    return Member(
        run=member.id,
        settings=member.settings,
        state=status.state,
        alive=status.alive,
        step=status.step,
        steps=status.steps,
        loss=status.loss,
    )


@dataclass(frozen=True)
class MemberGroup:
    """Members that differ only in their seed."""

    settings: dict[str, Setting]
    """Their settings without the seed."""
    members: list[ReadMember]

    @property
    def runs(self) -> list[RunFolder]:
        return [one.run for one in self.members if one.run is not None]


def group_members(members: list[ReadMember]) -> list[MemberGroup]:
    """Return the members of each combination of settings other than the seed, in the order of the grid; at least one group."""
    groups = group_by_setting(members, lambda one: one.settings) or [({}, [])]
    return [
        MemberGroup(settings, found)
        for settings, alike in groups
        for _, found in group_by_setting(alike, lambda one: {"recipe": one.recipe}) or [({}, [])]
    ]


def describe_curves(group: MemberGroup, names: list[str], keep: Keep) -> CurveGroup:
    return CurveGroup(
        settings=group.settings,
        runs=[run.id for run in group.runs],
        curves=[_describe_curve(one) for one in read_curves(group.runs, names, keep)],
    )


def _describe_curve(curve: SetCurve) -> CurveBand:
    q10, q25, median, q75, q90 = (_or_null(row) for row in curve.quantiles)
    return CurveBand(
        name=curve.name,
        steps=curve.steps.tolist(),
        count=curve.count.tolist(),
        median=median,
        q10=q10,
        q25=q25,
        q75=q75,
        q90=q90,
        lines=[_or_null(row) for row in curve.lines],
    )


def _or_null(values: NDArray[np.float64]) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in values.tolist()]


def spread_of(values: dict[str, float | None]) -> MemberSpread:
    known = [value for value in values.values() if value is not None]
    return MemberSpread(
        median=float(np.median(known)) if known else None,
        low=min(known, default=None),
        high=max(known, default=None),
        members=[MemberValue(run=run, value=value) for run, value in values.items()],
    )
