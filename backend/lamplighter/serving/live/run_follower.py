"""A follower of one run's folder, in a thread of its own, that sends viewers what is new.

While the run is being trained its files stay open and are polled every few milliseconds for commits, which
costs microseconds. Once the run is over they are closed, because the trainer can finalise a file only when
nobody is connected, and read again only when they change on disk.

The messages sent and the cursors of what was sent advance together, whatever fails in between. The map and
the measures fail on their own: a run whose steps can be read is shown.

A viewer joins between two polls, at a position the follower knows, so its first messages and the later ones
for everybody meet without a gap. So do those of a viewer that replayed the past and joins where its playback
ended. The step feed and the map feed find what is new in the steps and in the map.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from lamplighter.runfolder.disk_full_flag import waits_for_room
from lamplighter.runfolder.errors import READ_ERRORS, passes
from lamplighter.runfolder.reading.playback import Place
from lamplighter.runfolder.role_lock import is_held
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.requests import Applied
from lamplighter.runfolder.tables.steps import TERMINAL, StepsReader
from lamplighter.serving.live.map_feed import ToldMap
from lamplighter.serving.live.send_queue import Message, What
from lamplighter.serving.live.step_feed import ToldSteps
from lamplighter.serving.live.watched_file import R, Watched
from lamplighter.serving.reading.run_catalog import Library
from lamplighter.serving.schemas.base import json_text
from lamplighter.serving.schemas.messages import (
    AcknowledgedMessage,
    HelloMessage,
    MeasuresMessage,
    StatusMessage,
)
from lamplighter.serving.schemas.runs import Status

log = logging.getLogger(__name__)

LIVE = 0.004
"""Seconds between polls of a run that is being trained."""
QUIET = 0.1
"""Seconds between polls of any other run."""
SLOW = 1.0
"""Seconds between checks outside the files: whether a trainer is alive, and the size on disk."""
_TRIES = 3
_ASIDE = 1.0
"""Seconds until the map or the measures are read again after they could not be."""

Who = TypeVar("Who")


class GoneError(RuntimeError):
    """The run's folder no longer exists."""


@dataclass(frozen=True)
class _Joining(Generic[Who]):
    who: Who
    channels: frozenset[str]
    greeted: bool = False
    """True if it gets no more than `hello` for now."""
    place: Place | None = None
    """The position up to which it was played."""


class Tail(Generic[Who]):
    """A follower of one run. `Who` is the hub's type of a viewer."""

    def __init__(
        self,
        run: RunFolder,
        library: Library,
        *,
        told: Callable[[list[Message]], None],
        begun: Callable[[Who, list[Message] | None], None],
        failed: Callable[[int, str], None],
    ) -> None:
        """Follow `run` once started. The callbacks are called from the follower's thread.

        Args:
            run: the run to follow.
            library: describes the run.
            told: receives messages for every viewer that has joined.
            begun: receives the first messages of one viewer, which from then on gets the messages for
                everybody too; None
                if it cannot join from its position.
            failed: receives a close code and a reason; no call follows.
        """
        self._run = run
        self._library = library
        self._told, self._begun, self._failed = told, begun, failed
        self._joining: deque[_Joining[Who]] = deque()
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._steps = Watched(run.steps_path, StepsReader)
        self._layouts = Watched(run.layouts_path, LayoutsReader)
        self._measures = Watched(run.measures_path, MeasuresReader)
        self._told_steps = ToldSteps(run, self._begin_again)
        self._applied = 0
        self._map = ToldMap()
        self._applied_to_map = 0
        self._measured = -1
        self._status: Status | None = None
        self._facts: object = None
        self._slow_at = 0.0
        self._aside: dict[object, tuple[float, str]] = {}
        self._more = False
        self._thread = threading.Thread(target=self._follow, name=f"tail of {run.id}", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def join(self, who: Who, channels: frozenset[str], *, place: Place | None = None) -> None:
        """Let a viewer join at the next poll, from `place` if it replayed the run."""
        self._joining.append(_Joining(who, channels, place=place))
        self._wake.set()

    def greet(self, who: Who, channels: frozenset[str]) -> None:
        """Send `hello` at the next poll to a viewer that replays the past."""
        self._joining.append(_Joining(who, channels, greeted=True))
        self._wake.set()

    def stop(self) -> None:
        """Stop soon, without waiting."""
        self._stop.set()
        self._wake.set()

    def ended(self, timeout: float | None = None) -> bool:
        """Wait until the thread has ended and the files are closed. Returns whether they are."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _follow(self) -> None:
        failures = 0
        try:
            while not self._stop.is_set():
                try:
                    pause = self._look()
                    self._let_in()
                    failures = 0
                except GoneError:
                    self._failed(4404, "this run was moved to the trash")
                    return
                except (*READ_ERRORS, ValueError) as error:
                    # A file may be in the middle of finalisation or replacement: try again before reporting
                    # it unreadable.
                    failures += 1
                    self._forget()
                    if failures >= _TRIES:
                        self._give_up(error)
                        return
                    pause = 0.2
                self._wake.wait(pause)
                self._wake.clear()
        except Exception:
            log.exception("following %s", self._run.id)
            self._failed(1011, "an error in the server")
        finally:
            self._forget()

    def _give_up(self, error: Exception) -> None:
        if passes(error):
            log.warning("%s cannot be read now: %s", self._run.id, error)
            self._failed(1011, f"this run cannot be read at the moment: {error}"[:120])
        else:
            self._failed(4409, f"this run cannot be read: {error}"[:120])

    def _forget(self) -> None:
        for file in (self._steps, self._layouts, self._measures):
            file.forget()

    # New messages

    def _look(self) -> float:
        """Send what is new. Returns the seconds until the next poll."""
        now = time.monotonic()
        slow = now >= self._slow_at
        if slow:
            self._slow_at = now + SLOW
            if not self._run.path.is_dir():
                raise GoneError
        messages: list[Message] = []
        try:
            reader = self._steps.news()
            if reader is None and self._more:
                reader = self._steps.reader
            if reader is not None:
                self._more = self._look_at_steps(reader, messages)
            self._look_aside(self._layouts, self._look_at_layouts, messages)
            self._look_aside(self._measures, self._look_at_measures, messages)
            if slow:
                self._look_at_status(messages)
        finally:
            # The cursors are past the collected messages already, so send them whatever else failed.
            if messages:
                self._told(messages)
        if self._more:
            return 0.0
        if self._status is not None and self._status.phase in TERMINAL:
            for file in (self._steps, self._layouts, self._measures):
                file.rest()
            return QUIET
        return LIVE if self._steps.reader is not None else QUIET

    def _look_aside(
        self, file: Watched[R], look: Callable[[R, list[Message]], None], messages: list[Message]
    ) -> None:
        """Read a file that the run can be shown without; if it cannot be read, try again after a while."""
        again, said = self._aside.get(file, (0.0, ""))
        if time.monotonic() < again:
            return
        try:
            if reader := file.news():
                look(reader, messages)
                self._aside.pop(file, None)
        except READ_ERRORS as error:
            file.forget()
            self._aside[file] = (time.monotonic() + _ASIDE, str(error))
            if str(error) != said:
                log.warning("%s is shown without: %s", self._run.id, error)

    def _look_at_steps(self, reader: StepsReader, messages: list[Message]) -> bool:
        """Read the new steps. Returns whether more are available at once."""
        more = self._told_steps.look(reader, messages)
        for applied in reader.applied(after=self._applied):
            self._applied = applied.id
            messages.append(_acknowledged(applied))
        facts = reader.facts()
        if facts != self._facts:
            self._look_at_status(messages)
            self._facts = facts
        return more

    def _begin_again(self, step: int) -> None:
        """Reset the map and the measures once viewers were given a new start: everything that counts is sent
        again."""
        self._measured = min(self._measured, step)
        self._map.begin()
        self._layouts.forget()
        self._measures.forget()

    def _look_at_layouts(self, reader: LayoutsReader, messages: list[Message]) -> None:
        line = self._told_steps.line
        if not line:
            self._layouts.forget()
            return
        for applied in reader.applied(after=self._applied_to_map):
            self._applied_to_map = applied.id
            messages.append(_acknowledged(applied))
        messages.extend(self._map.look(reader, line))

    def _look_at_measures(self, reader: MeasuresReader, messages: list[Message]) -> None:
        line = self._told_steps.line
        if not line:
            self._measures.forget()
            return
        if self._measured < 0:
            # Measures from before the first poll are fetched by REST.
            self._measured = max(0, reader.last_step(line))
            return
        for step, values in reader.by_step(self._measured + 1, line=line).items():
            self._measured = step
            messages.append(_measures(step, values))

    def _look_at_status(self, messages: list[Message]) -> None:
        if self._steps.reader is not None or self._status is None:
            status = self._library.status(self._run, self._steps.reader)
        else:
            alive = is_held(self._run.path, "trainer")
            crowded = alive and waits_for_room(self._run.path)
            seen = {"alive": alive, "crowded": crowded, "bytes": self._run.bytes_on_disk()}
            status = self._status.model_copy(update=seen)
        if status != self._status:
            self._status = status
            messages.append(Message(What.STATUS, json_text(StatusMessage(status=status))))

    # Viewers

    def _let_in(self) -> None:
        at_hand: dict[bool, list[Message]] = {}
        while self._joining:
            # Remove it from the queue only once it has joined: after a failure the next poll tries again.
            joining = self._joining[0]
            channels = joining.channels
            if joining.greeted:
                self._begun(joining.who, [self._hello(channels)])
                self._joining.popleft()
                continue
            place = joining.place
            messages = self._first(channels, at_hand) if place is None else self._since(place, channels)
            if "rows" in channels and messages is not None:
                self._told_steps.want_rows(messages)
            self._begun(joining.who, messages)
            self._joining.popleft()

    def _hello(self, channels: frozenset[str]) -> Message:
        hello = HelloMessage(run=self._library.read_fully(self._run), channels=sorted(channels))
        return Message(What.TEXT, json_text(hello))

    def _first(self, channels: frozenset[str], at_hand: dict[bool, list[Message]]) -> list[Message]:
        messages = [self._hello(channels)]
        if self._told_steps.step >= 0 and channels & {"pulse", "rows"}:
            rows = "rows" in channels
            if rows not in at_hand:
                with self._steps.opened() as reader:
                    at_hand[rows] = self._told_steps.first(reader, rows=rows)
            messages += at_hand[rows]
        if self._map.begun and "layout" in channels:
            messages += self._drawn()
        return messages

    def _since(self, place: Place, channels: frozenset[str]) -> list[Message] | None:
        """Return what a viewer lacks that was played up to `place`; None if more must be played first."""
        with self._steps.opened() as reader:
            messages = self._told_steps.since(reader, place, rows="rows" in channels)
        if messages is None:
            return None
        with suppress(*READ_ERRORS, IndexError), self._layouts.opened() as drawn:
            messages += self._map.since(drawn, place)
        with suppress(*READ_ERRORS), self._measures.opened() as measured:
            found = measured.by_step(place.measured + 1, self._measured, line=self._told_steps.line)
            messages += [_measures(step, values) for step, values in found.items()]
        return messages

    def _drawn(self) -> list[Message]:
        """Return the newest layouts; if they cannot be read, none, and all are sent anew once they can be."""
        try:
            with self._layouts.opened() as drawn:
                return self._map.newest(drawn)
        except READ_ERRORS:
            self._layouts.forget()
            self._map.begin()
            return []


def _measures(step: int, values: dict[str, float]) -> Message:
    return Message(What.MEASURES, json_text(MeasuresMessage(step=step, values=dict(values))))


def _acknowledged(applied: Applied) -> Message:
    request = f"{applied.server}:{applied.request}"
    return Message(
        What.TEXT, json_text(AcknowledgedMessage(request=request, kind=applied.kind, step=applied.step))
    )
