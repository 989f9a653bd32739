"""The sending of a run: the record on this disk is the spool, and the server knows how far the run has arrived.

So no state of a delivery is kept here but the run's identity, and its name there. A pusher that was killed, or that starts hours
later on another machine with the same folder, asks the server where to go on.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from lamplighter.client.pushing.push_client import (
    Arrived,
    LaterError,
    NameTakenError,
    PushClient,
    PushConflictError,
    PushRefusedError,
)
from lamplighter.platform import failpoint
from lamplighter.runfolder.errors import READ_ERRORS, is_transient
from lamplighter.runfolder.fragments.fragment import Position, keep_identity, keep_name, make_opening, name_at
from lamplighter.runfolder.fragments.fragment_folder import SIGN_OF_LIFE_SECONDS
from lamplighter.runfolder.fragments.fragment_source import FragmentSource, has_ended
from lamplighter.runfolder.role_lock import RoleState, role_state
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import numbered_id

_POLL_SECONDS = 0.3
"""Seconds between two looks at a growing record."""
_MIN_WAIT, _MAX_WAIT = 0.5, 60.0
_MAX_NAMES = 1_000


class RunPusher:
    """A pusher of one run, finished or growing, to one server.

    Args:
        say: called once with each thing that is wrong.
        patience: seconds without the network after which a run that is over is given up; None: never.
        loop_ended: returns whether the loop that this pusher belongs to has ended.
    """

    def __init__(
        self,
        run: RunFolder,
        client: PushClient,
        *,
        say: Callable[[str], object],
        patience: float | None = None,
        loop_ended: Callable[[], bool] = lambda: True,
    ) -> None:
        self._run, self._client, self._say, self._patience = run, client, say, patience
        self._loop_ended = loop_ended
        self._said: set[str] = set()
        self._source: FragmentSource | None = None
        self._key: str | None = None
        self._wait = _MIN_WAIT
        self._conflicts = 0
        self._others: set[str] = set()
        """Names that other runs have at the server."""
        self.name = name_at(run, client.server)
        """The run's name at the server."""
        self.position = Position()
        """How far the run has arrived."""

    def push(self) -> bool:
        """Send all there is, until the run is over. Return whether all of it has arrived.

        Raises PushRefusedError if the server refuses the run for good, and FormatError if it cannot be read,
        or cannot travel so.
        """
        given_up_at, quiet_since = float("inf"), time.monotonic()
        while True:
            if self._loop_ended() and not self._run.steps_path.exists():
                return False  # It never began, or was removed.
            try:
                over = self._is_over()
                if self._send_next(sign_of_life=time.monotonic() - quiet_since > SIGN_OF_LIFE_SECONDS):
                    quiet_since, self._wait, self._conflicts = time.monotonic(), _MIN_WAIT, 0
                    given_up_at = float("inf")
                elif over:
                    return True
                else:
                    time.sleep(_POLL_SECONDS)
                continue
            except FileNotFoundError:
                time.sleep(_POLL_SECONDS)
                continue
            except PushConflictError as error:
                self._source, self._conflicts = None, self._conflicts + 1
                if self._conflicts > 3:
                    raise PushRefusedError(f"the server has another {self.name}: {error}") from error
                wait: float | None = None
            except NameTakenError:
                self._source = None
                self._others.add(self.name)
                continue
            except LaterError as error:
                self._say_once(f"{self._run.id} is not sent now: {error}. It is kept here, and sent later")
                wait = error.seconds
            except READ_ERRORS as error:
                if not is_transient(error):
                    raise
                wait = None
            if self._patience is not None and self._is_over():
                given_up_at = min(given_up_at, time.monotonic() + self._patience)
                if time.monotonic() >= given_up_at:
                    return False
            # Many pushers of one server must not come back at the same moment.
            time.sleep(max(wait or 0.0, self._wait * random.uniform(0.5, 1.0)))
            self._wait = min(_MAX_WAIT, 2 * self._wait)

    def _send_next(self, *, sign_of_life: bool) -> bool:
        if self._source is None:
            self._source = self._find_place()
        fragment = self._source.make_next(sign_of_life=sign_of_life)
        if fragment is None:
            return False
        with failpoint.trigger_within("push"):
            self.position = self._client.send_fragment(fragment, self._key)
        self._source.advance()
        return True

    def _find_place(self) -> FragmentSource:
        """Return a source that goes on where the run ends at the server, under the first name that no other run has there."""
        kept, server, own = keep_identity(self._run), self._client.server, self._run.id
        self._key = None if kept is None else kept.key
        last = name_at(self._run, server)
        for name in dict.fromkeys((last, *(numbered_id(own, number) for number in range(1, _MAX_NAMES)))):
            if kept is None and name != own:
                raise PushRefusedError(
                    "another run has its name there, and its folder cannot be written to keep another"
                )
            self.name = name
            if (
                name in self._others
                or (source := self._continue(None if kept is None else kept.identity)) is None
            ):
                self._others.add(name)
                continue
            if kept is not None and name != last:
                keep_name(self._run, kept, server, name)
                self._say_once(f"another run has the name {own} there: see this one at {server}/?run={name}")
            return source
        raise PushRefusedError(
            f"other runs have the name {own} at the server, and {_MAX_NAMES:,} with a number"
        )

    def _continue(self, identity: str | None) -> FragmentSource | None:
        """Return a source that goes on under the present name; None if another run has it."""
        try:
            found = self._client.position(self.name)
            if found is None:
                self._client.send_fragment(make_opening(self._run, self.name))
                found = Arrived(Position(), identity)
        except NameTakenError:
            return None
        self.position = position = found.position
        if found.identity not in (None, identity):
            return None
        if not FragmentSource(self._run).has(position):
            if found.identity is None:
                return None
            raise PushRefusedError(f"the server has {position.step:,} steps, and this folder has fewer")
        if found.identity is None:
            # Its last step again: the server says whether it is this run's.
            position = position.model_copy(update={"step": max(0, position.step - 1)})
        return FragmentSource(self._run, position, self.name)

    def _is_over(self) -> bool:
        """Return whether nothing is added to the record any more: the run has ended, or its loop was killed."""
        return (
            self._loop_ended()
            and self._run.steps_path.exists()
            and role_state(self._run.path, "trainer") is RoleState.FREE
        )

    def _say_once(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            self._say(message)


def describe_pushed(pusher: RunPusher, run: RunFolder, *, whole: bool) -> str:
    step = pusher.position.step
    if not whole:
        return f"{pusher.name} has arrived up to step {step:,}; the rest is kept here"
    end = "" if has_ended(run) else ", which has no end: its loop was killed"
    return f"{pusher.name} has arrived: {step:,} steps{end}"
