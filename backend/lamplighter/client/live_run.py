"""A run's frames from a server, as they are recorded: `for frame in lamplighter.follow(url)`.

The server keeps nothing of a follower. Each request names the place that the last answer gave, and waits until
there is more; so a follower gets every step however slowly it reads, and goes on where it was after a server was
lost.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterable
from contextlib import closing
from http.client import HTTPException
from typing import SupportsIndex
from urllib.parse import urlencode, urlsplit

from lamplighter.client.errors import InputError, LiveError, whole_number
from lamplighter.client.record_reading import check_channels
from lamplighter.client.server_requests import KeptConnection, read_problem, run_address, warn_of_open_token
from lamplighter.wire.binary import FrameError
from lamplighter.wire.envelope import decode_envelope
from lamplighter.wire.frames import Frame, decode
from lamplighter.wire.pulse_frames import Pulse

LINGER = 3.0
"""Seconds without a frame after which a finished run counts as fully shown."""
_BACKOFF = (0.2, 5.0)
_LINGER_POLL = 0.2
_PAUSE = 0.04
"""Seconds between two requests, so that steps that follow fast come several at a time."""
_WAIT = 20
"""Seconds that a request waits at the server for a frame."""
_TIMEOUT = 60.0
"""Seconds without a byte after which a request is given up."""
_LATER = (408, 425, 429)
"""Statuses below 500 that another try may change."""


def follow(
    url: str,
    *,
    token: str | None = None,
    channels: Iterable[str] = ("pulse", "layout"),
    from_step: SupportsIndex | None = None,
    newest_only: bool = False,
    speed: float | None = None,
    patience: float = 60.0,
    linger: float = LINGER,
) -> Generator[Frame]:
    """Yield a run's decoded frames as they are recorded (`docs/wire.md`).

    The state comes first (a census, the newest layouts, the full matrix), then the frames of every later step. Nothing
    is left out for a slow reader, and after a lost connection the next frame comes where the last one was. The
    generator ends when the run is over and fully shown.

    Args:
        url: the run's page (`http://host:port/?run=ID`) or its REST address (`http://host:port/api/runs/ID`).
        token: the presenter's token, for servers that require it for reading. Over http to another machine anyone on
            the way can read it, which a `UserWarning` says.
        channels: any of `pulse` (which also gives the census), `layout`, `rows`.
        from_step: the step whose state comes first; None: the newest.
        newest_only: whether a reader slower than the run gets only the newest step and layouts of those that it missed.
        speed: pace of the recorded steps in steps a second; None: as fast as you read.
        patience: seconds to keep trying when a server is lost or busy; a first request that no server answers is not
            repeated.
        linger: seconds to wait for a last layout of a run that has finished.

    Raises:
        InputError: the address, a channel, the step or the speed is not valid.
        LiveError: no server answers, or it refuses permanently: no such run or step, not allowed, unreadable.
    """
    wanted = check_channels(channels)
    address = run_address(url)
    query = {"channels": ",".join(wanted)} | ({"newest": "true"} if newest_only else {})
    if from_step is not None:
        query["from"] = str(whole_number(from_step, "from_step"))
    elif speed is not None:
        raise InputError("speed: needs from_step, because only recorded steps have a speed")
    if speed is not None and not 0.001 <= speed <= 1e6:
        raise InputError(f"speed: {speed} is invalid; use steps a second, from 0.001 to 1,000,000, or None")
    warn_of_open_token(token, address)
    return _LiveRun(address, token, query, patience, linger, speed).frames()


class _BusyError(Exception):
    """An error for an answer that another try may change."""


class _LiveRun:
    def __init__(
        self,
        address: str,
        token: str | None,
        query: dict[str, str],
        patience: float,
        linger: float,
        speed: float | None,
    ) -> None:
        self._address, self._query = address, query
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._connection = KeptConnection(address, _TIMEOUT)
        self._path = f"{urlsplit(address).path}/frames"
        self._patience, self._speed = patience, speed
        # Only a map is still being made when a run has ended.
        self._linger = linger if "layout" in query["channels"] else 0.0
        self._answered = self._over = False
        self._next_at = 0.0
        """The earliest time of the next request."""
        self._due: float | None = None
        """The time at which the next step is due, at a given speed."""

    def frames(self) -> Generator[Frame]:
        with closing(self._connection):
            yield from self._follow()

    def _follow(self) -> Generator[Frame]:
        last_news = time.monotonic()
        frames = self._pull()
        # A run that had ended before it was played has its last map.
        linger = 0.0 if "from" in self._query and self._over else self._linger
        while True:
            for frame in frames:
                self._wait_until_due(frame)
                yield frame
            if frames:
                last_news = time.monotonic()
            elif self._over:
                if time.monotonic() - last_news >= linger:
                    return
                time.sleep(_LINGER_POLL)
            frames = self._pull()

    def _wait_until_due(self, frame: Frame) -> None:
        if self._speed is None or not isinstance(frame, Pulse):
            return
        now = time.monotonic()
        # A step that comes late, because the run or the server is slower, delays those after it.
        self._due = max(now, (now if self._due is None else self._due) + 1 / self._speed)
        time.sleep(self._due - now)

    def _pull(self) -> list[Frame]:
        """Return the next frames, once there are any; none if the run is over or the server had none for a while."""
        lost_since: float | None = None
        wait = _BACKOFF[0]
        while True:
            try:
                return self._request()
            except _BusyError as busy:
                reason = str(busy)
            except (FrameError, ValueError, KeyError) as error:
                raise LiveError(f"{self._address}: unexpected response: {error}") from error
            except LiveError:
                raise
            except (OSError, HTTPException) as error:
                reason = str(error)
                if not self._answered:
                    raise LiveError(f"{self._address}: no Lamplighter server answers: {reason}") from error
            now = time.monotonic()
            lost_since = now if lost_since is None else lost_since
            if now + wait - lost_since > self._patience:
                raise LiveError(f"{self._address}: gave up after {self._patience:g} s: {reason}")
            time.sleep(wait)
            wait = min(2 * wait, _BACKOFF[1])

    def _request(self) -> list[Frame]:
        # An answer to a request that does not wait says at once whether the run is over.
        wait = 0 if self._over else _WAIT
        target = f"{self._path}?{urlencode(self._query | {'wait': str(wait)})}"
        time.sleep(max(0.0, self._next_at - time.monotonic()))
        self._next_at = time.monotonic() + _PAUSE
        answer = self._connection.get(target, self._headers)
        if answer.status != 200:
            with answer:
                reason = read_problem(answer)[1] or f"refused with status {answer.status}"
            raise (
                _BusyError(reason)
                if answer.status >= 500 or answer.status in _LATER
                else LiveError(f"{self._address}: {reason}")
            )
        state, *parts = decode_envelope(answer.read())
        found = json.loads(state)
        self._answered = True
        if found["more"]:
            self._next_at = 0.0
        self._over = bool(found["over"])
        if found["place"]:
            self._query["after"] = str(found["place"])
        return [decode(part) for part in parts if isinstance(part, bytes)]
