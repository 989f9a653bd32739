"""The status of a run, read from its folder alone."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from typing import Any, Literal

from pydantic import ConfigDict, SkipValidation, ValidationError, computed_field

from lamplighter.contract.documented_model import DocumentedModel
from lamplighter.contract.sentences import read_message
from lamplighter.runfolder.errors import READ_ERRORS, FormatError
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.current_map import read_smoothed_step
from lamplighter.runfolder.role_lock import RoleState, is_waiting_for_space, role_state
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_set import is_member
from lamplighter.runfolder.sqlite.unreadable_file import copy_hint
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.requests import RequestsReader
from lamplighter.runfolder.tables.steps import phase_in
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode
from lamplighter.wire.pulse_frames import Pulse


class HoldFacts(DocumentedModel):
    """The wait of a new run, before its first step, until its map can show the first matrix."""

    model_config = ConfigDict(frozen=True)

    until: float
    """The latest time at which the wait ends, Unix seconds."""
    share: float = 0.0
    """Progress towards the first layout of the map, from 0 to 1: completed parts, not elapsed time."""


class RunStatus(DocumentedModel):
    """The status of a run."""

    model_config = ConfigDict(frozen=True)

    phase: Phase
    """`waiting`: not yet started; `preparing`: reading its corpus; `interrupted`: stopped by a person, can be
    continued; `failed`: `message` says why."""
    message: SkipValidation[str]
    alive: bool
    """True while a trainer holds the run."""
    attempt: int
    step: int
    steps: int
    """The step at which the run will end."""
    loss: float | None
    pace: Literal["full", "limited", "single"]
    """`limited`: to `pace_steps_per_second`; `single`: one step at a time, on request."""
    pace_steps_per_second: float | None
    snapshots: Literal["all", "keyframes", "none", "paused"]
    """`all`: every moved row is kept; `keyframes`, `none`: the disk budget is exhausted; `paused`: the disk is nearly
    full, and snapshots resume with a whole matrix when there is space."""
    bytes: int
    """The size on disk."""
    crowded: bool
    """True while the trainer waits for disk space and cannot write anything."""
    changed: float
    smoothed: int | None = None
    """The newest step of the run when its smoothed map was made; null if there is no smoothed map."""
    hold: HoldFacts | None = None
    """The wait for the map before the first step; null if the run does not wait."""

    @computed_field
    @property
    def state(self) -> Phase:
        """The phase; `interrupted` where a trainer should be at work and none is, as after it was killed."""
        killed = not self.alive and self.phase in (Phase.PREPARING, Phase.RUNNING)
        return Phase.INTERRUPTED if killed else self.phase

    @property
    def has_ended(self) -> bool:
        return self.phase.has_ended

    def as_dict(self) -> dict[str, Any]:
        return self.model_dump()


def read_status(run: RunFolder, reader: StepsReader | None = None) -> RunStatus:
    """Read the status of a run, through the open `reader` if given. Raises FormatError if this version cannot
    read the folder.
    """
    if reader is not None:
        return _read(run, reader)
    try:
        with StepsReader(run.steps_path) as own:
            return _read(run, own)
    except FileNotFoundError:
        return _read(run, None)


def _read(run: RunFolder, reader: StepsReader | None) -> RunStatus:
    # Read before the facts, so that a trainer that ends in between does not seem to have been killed. An unknown state
    # counts as held.
    alive = role_state(run.path, "trainer") is not RoleState.FREE
    facts: dict[str, Any] = {}
    attempt, step, pulse = 0, 0, None
    if reader is not None:
        facts = reader.facts()
        attempt, step = reader.newest_step()
        pulses = reader.pulses_at([step])
        pulse = decode(pulses[0][1]) if pulses else None
    try:
        phase = phase_in(facts)
        return RunStatus(
            phase=phase,
            message=read_message(facts.get("message", "")),
            alive=alive,
            attempt=attempt,
            step=step,
            steps=facts.get("steps", run.recipe.steps),
            loss=pulse.loss if isinstance(pulse, Pulse) and not math.isnan(pulse.loss) else None,
            pace=facts.get("pace", "full"),
            pace_steps_per_second=facts.get("pace_steps_per_second"),
            snapshots=facts.get("snapshots", "all"),
            bytes=run.bytes_on_disk(),
            crowded=alive and is_waiting_for_space(run.path),
            changed=facts.get("changed", run.created),
            smoothed=read_smoothed_step(run),
            hold=None if phase.has_ended or step > 0 else _read_hold(run, facts.get("hold_until")),
        )
    except ValidationError as error:
        raise FormatError(f"steps.sqlite: {error}") from error


def _read_hold(run: RunFolder, until: float | None) -> HoldFacts | None:
    if until is None:
        return None
    share = 0.0
    # There is no file before the projector starts.
    with suppress(*READ_ERRORS), LayoutsReader(run.layouts_path) as reader:
        share = reader.facts().get("warm_up", 0.0)
    return HoldFacts(until=until, share=share)


def waits_for_map(run: RunFolder) -> bool:
    """Return whether a run that is not paused is held before its first step, or will be once its trainer
    reads the request. Raises FormatError if this version cannot read the folder.
    """
    requests = RequestsReader(run.path)
    try:
        with StepsReader(run.steps_path) as reader:
            facts = reader.facts()
            if reader.newest_step()[1] > 0 or phase_in(facts) not in (Phase.PREPARING, Phase.RUNNING):
                return False
            if (until := facts.get("hold_until")) is not None:
                return time.time() < until
            requests.skip_applied(reader.last_applied())
    except FileNotFoundError:
        pass
    return any(request.kind == "hold" for request in requests.read_new())


def wants_training(run: RunFolder, *, sweeping: bool = False) -> bool:
    """Return whether a trainer should be running: the run has not ended, or a request asks to continue it. A
    member of a set that has not ended waits for its sweep (`sweeping`: the sweep asks), and wants no other
    trainer. Raises FormatError if this version cannot read the folder.
    """
    if run.recipe.corpus.kind == "recorded":
        # A client's own loop trains it; the folder has no corpus to train on.
        return False
    requests = RequestsReader(run.path)
    try:
        with StepsReader(run.steps_path) as reader:
            if not reader.phase().has_ended:
                return sweeping or not is_member(run)
            requests.skip_applied(reader.last_applied())
    except FileNotFoundError:
        return sweeping or not is_member(run)
    return any(request.kind == "continue" for request in requests.read_new())


def describe_damage(run: RunFolder, error: Exception) -> FormatError:
    """Return a readable error, given the one raised by reading the record of `run`."""
    hint = copy_hint(run.steps_path)
    return FormatError(f"{error}" if hint in str(error) else f"{error}{hint}")
