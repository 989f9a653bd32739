"""Which workers a run wants, from its folder alone.

Asking costs a look at a few files' times; the files are opened only when those changed, so that a shelf of
finished runs costs next to nothing twice a second.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from lamplighter.runfolder.database import FormatError
from lamplighter.runfolder.drawing import read_drawing
from lamplighter.runfolder.folder import RunFolder
from lamplighter.runfolder.layouts import LayoutsReader
from lamplighter.runfolder.line import Line, counts
from lamplighter.runfolder.lock import is_held
from lamplighter.runfolder.measures import MeasuresReader
from lamplighter.runfolder.sealing import left_open
from lamplighter.runfolder.status import wants_training
from lamplighter.runfolder.steps import TERMINAL, StepsReader

Mark = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class _Known:
    mark: Mark
    training: bool
    """A trainer of ours is wanted: the run is not over, or somebody asked for it to go on."""
    last: int = 0
    """Of a run that we do not train, the last step."""
    asked: tuple[tuple[str, int], ...] = ()
    """Of a run that we do not train, what was asked of its map and not taken up yet: server and number."""
    behind: tuple[bool, bool] = (False, False)
    """Of a run that we do not train: whether its map, and its measures or tiles, end before the last step."""
    over: bool = False
    """Nobody trains the run, no loop of its own either."""
    left_open: tuple[str, ...] = ()
    """Of a run that is over, the roles whose file is not sealed."""


class Wanted:
    """What is known of the runs looked at."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._alive: dict[str, bool] = {}
        self._spells: dict[str, int] = {}

    def look(self, runs: list[RunFolder]) -> None:
        """Look at all runs anew; others are forgotten."""
        there = {run.id for run in runs}
        self._known = {name: known for name, known in self._known.items() if name in there}
        self._spells = {name: spell for name, spell in self._spells.items() if name in there}
        before, self._alive = self._alive, {}
        for run in runs:
            known = self._read(run)
            # Nobody trains a run that is over; not asking its lock keeps a long shelf cheap.
            alive = (known is None or not known.over) and is_held(run.path, "trainer")
            self._alive[run.id] = alive
            if alive and not before.get(run.id):
                self._spells[run.id] = self._spells.get(run.id, 0) + 1

    def trained(self, run: RunFolder) -> bool:
        """Whether a trainer was at work at the last look."""
        return self._alive.get(run.id, False)

    def state(self, run: RunFolder, role: str) -> object | None:
        """Whether a role is wanted in a run: None, or the state in which it is. A worker that ended well is
        not wanted again for the same state.
        """
        if role != "trainer" and self.trained(run):
            return ("live", self._spells[run.id])
        known = self._known.get(run.id)
        if known is None:
            return None
        if role == "trainer":
            return ("train", known.mark) if known.training else None
        behind = known.behind[0 if role == "projector" else 1]
        if not behind:
            return None
        return ("finish", known.last, known.asked) if role == "projector" else ("finish", known.last)

    def to_seal(self, run: RunFolder) -> tuple[str, ...]:
        """Roles that nothing is wanted of any more, and whose file is not sealed."""
        known = self._known.get(run.id)
        if known is None or self.trained(run):
            return ()
        return tuple(role for role in known.left_open if self.state(run, role) is None)

    def _read(self, run: RunFolder) -> _Known | None:
        mark = _mark(run, (".sqlite", ".sqlite-wal"))
        known = self._known.get(run.id)
        if known is None or known.mark != mark:
            try:
                known = _read(run, mark)
            except (FormatError, OSError, ValueError):
                self._known.pop(run.id, None)
                return None
            self._known[run.id] = known
        return known


def asked_mark(run: RunFolder) -> Mark:
    """Changes when somebody asks something of the run."""
    return tuple(entry for entry in _mark(run, (".sqlite",)) if entry[0].startswith("requests-"))


def _mark(run: RunFolder, endings: tuple[str, ...]) -> Mark:
    found: list[tuple[str, int, int]] = []
    try:
        with os.scandir(run.path) as entries:
            for entry in entries:
                if entry.name.endswith(endings):
                    facts = entry.stat()
                    found.append((entry.name, facts.st_mtime_ns, facts.st_size))
    except OSError:
        return ()
    return tuple(sorted(found))


def _read(run: RunFolder, mark: Mark) -> _Known:
    _ = run.recipe  # One that cannot be read cannot be trained.
    if wants_training(run):
        return _Known(mark, training=True)
    with StepsReader(run.steps_path) as reader:
        line, (_, last) = reader.line(), reader.last()
        over, untiled = reader.facts().get("phase") in TERMINAL, reader.has_rows()
    drawing = read_drawing(run)
    asked = tuple((request.server, request.id) for request in drawing.pending)
    undrawn = _last_layout(run, line) < last or not drawing.settled or bool(asked)
    return _Known(
        mark,
        False,
        last,
        asked,
        (undrawn, _last_measure(run, line) < last or untiled),
        over,
        left_open(run) if over else (),
    )


def _last_layout(run: RunFolder, line: Line) -> int:
    try:
        with LayoutsReader(run.layouts_path) as reader:
            return max((e.step for e in reader.entries() if counts(line, e.attempt, e.step)), default=-1)
    except FileNotFoundError:
        return -1


def _last_measure(run: RunFolder, line: Line) -> int:
    try:
        with MeasuresReader(run.measures_path) as reader:
            return reader.last_step(line)
    except FileNotFoundError:
        return -1
