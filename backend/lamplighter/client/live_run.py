"""A live run's frames over a server's websocket: `for frame in lamplighter.follow(url)`."""

from __future__ import annotations

import contextlib
import json
import time
import warnings
from collections.abc import Generator, Iterable
from typing import Any, SupportsIndex
from urllib.parse import parse_qs, quote, urlsplit

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.sync.client import ClientConnection, connect

from lamplighter.client.errors import InputError, LiveError, whole_number
from lamplighter.platform.own_addresses import is_loopback
from lamplighter.runfolder.phase import ENDED_PHASES, Phase
from lamplighter.wire.binary import FrameError
from lamplighter.wire.frames import Frame, decode
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census

CHANNELS = ("pulse", "layout", "rows")
LINGER = 3.0
"""Seconds without a frame after which a finished run counts as fully shown."""
_FATAL_CODES = {
    4400: "that cannot be played",
    4404: "there is no such run",
    4403: "not allowed",
    4409: "this run cannot be read",
}
_BACKOFF = (0.2, 5.0)
_MAX_MESSAGE = 1 << 30


def follow(
    url: str,
    *,
    token: str | None = None,
    channels: Iterable[str] = ("pulse", "layout"),
    from_step: SupportsIndex | None = None,
    speed: float | None = None,
    patience: float = 60.0,
    linger: float = LINGER,
) -> Generator[Frame]:
    """Yield a run's decoded frames as they arrive, as a viewer of these channels gets them (`docs/wire.md`).

    The current state comes first (a census, the newest layouts, the full matrix), then every new frame. After a lost
    connection it reconnects, and the current state comes again. A slow reader gets several steps merged into one pulse
    (`frame.merged`). The generator ends when the run is over and fully shown.

    With `from_step` the run is played back: the state at that step, then every later step, then live. After a lost
    connection playback resumes from the last step received.

    Args:
        url: the run's page (`http://host:port/?run=ID`), its REST address (`http://host:port/api/runs/ID`), or its
            socket.
        token: the presenter's token, for servers that require it for reading. Over http (or ws) to another machine
            anyone on the way can read it, which a `UserWarning` says.
        channels: any of `pulse` (which also gives the census), `layout`, `rows`.
        from_step: the step to play from; None: live.
        speed: playback speed in steps a second; None: as fast as you read, without merging.
        patience: seconds to wait for an answer, and to keep reconnecting; a first connection that fails is not retried.
        linger: seconds to wait for a last layout or matrix of a finished run.

    Raises:
        InputError: the address, a channel, the step or the speed is not valid.
        LiveError: no server answers, or it refuses permanently: no such run or step, not allowed, unreadable.
    """
    wanted = [channels] if isinstance(channels, str) else list(channels)
    if not wanted or any(name not in CHANNELS for name in wanted):
        raise InputError(
            f"channels: any of {', '.join(CHANNELS)}, not {', '.join(map(repr, wanted)) or 'none'}"
        )
    socket_url = build_live_url(url, wanted)
    speed_query = None if from_step is None else f"&speed={_format_speed(speed)}"
    if from_step is None and speed is not None:
        raise InputError("speed: needs from_step, because only playback has a speed")
    start = None if from_step is None else whole_number(from_step, "from_step")
    warn_of_open_token(token, socket_url)
    return _LiveStream(socket_url, token, set(wanted), patience, linger, start, speed_query).frames()


def warn_of_open_token(token: str | None, address: str) -> None:
    """Issue a `UserWarning` to the caller's caller if a token would be sent to another machine unencrypted."""
    host = urlsplit(address).hostname or ""
    if token and address.startswith(("ws:", "http:")) and not stays_here(host):
        warnings.warn(
            f"the presenter's token is sent to {host} unencrypted, and anyone who reads it on the way can change and delete "
            "runs there: use an https address, or a tunnel to this machine",
            stacklevel=3,
        )


def stays_here(host: str) -> bool:
    """Return whether data sent to a host stays on this machine."""
    # Names below `localhost` are this machine's (RFC 6761).
    return is_loopback(host) or host.endswith(".localhost")


def _format_speed(speed: float | None) -> str:
    if speed is None:
        return "full"
    if not 0.001 <= speed <= 1e6:
        raise InputError(f"speed: {speed} is invalid; use steps a second, from 0.001 to 1,000,000, or None")
    return f"{speed:.9f}".rstrip("0").rstrip(".")


def build_live_url(url: str, channels: list[str]) -> str:
    """Return the websocket URL of a run, from any form of its address."""
    address = run_address(url)
    return f"ws{address.removeprefix('http')}/live?channels={','.join(channels)}"


def run_address(url: str) -> str:
    """Return the REST address of a run, from any form of its address. Raises InputError if it names no run,
    or no server."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise InputError(f"{url[:200]!r} is not an address: {error}") from error
    scheme = {"http": "http", "https": "https", "ws": "http", "wss": "https"}.get(parts.scheme)
    names = [part for part in parts.path.split("/") if part]
    run = (
        names[2]
        if names[:2] == ["api", "runs"] and len(names) >= 3
        else parse_qs(parts.query).get("run", [""])[0]
    )
    if scheme is None or not host or not run:
        raise InputError(
            f"{url[:200]!r} is not the address of a run such as http://127.0.0.1:8600/?run=ID, or"
            " http://127.0.0.1:8600/api/runs/ID"
        )
    authority = parts.netloc.rpartition("@")[2]
    return f"{scheme}://{authority}/api/runs/{quote(run, safe='')}"


class _LiveStream:
    def __init__(
        self,
        address: str,
        token: str | None,
        channels: set[str],
        patience: float,
        linger: float,
        from_step: int | None,
        speed_query: str | None,
    ) -> None:
        self._address, self._channels = address, channels
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._patience, self._linger = patience, linger
        self._over = self._recorded = False
        self._end = 0
        """The last step of a finished run."""
        self._newest_step = -1
        self._resume_step, self._speed_query = from_step or 0, speed_query
        self._playing = self._ended_by_server = False

    def frames(self) -> Generator[Frame]:
        lost_since: float | None = None
        wait = _BACKOFF[0]
        first = True
        while True:
            try:
                with self._connect() as socket:
                    first = False
                    for frame in self._receive(socket):
                        lost_since, wait = None, _BACKOFF[0]
                        yield frame
                return
            except ConnectionClosed as closed:
                code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
                if code in _FATAL_CODES:
                    raise LiveError(f"{self._address}: {reason or _FATAL_CODES[code]}") from closed
                reason_text = reason or f"the connection was lost ({code})"
            except InvalidStatus as refused:
                status = refused.response.status_code
                if status < 500 or first:
                    raise LiveError(f"{self._address}: refused with status {status}") from refused
                reason_text = f"status {status}"
            except (OSError, InvalidHandshake, TimeoutError) as error:
                if first:
                    raise LiveError(f"{self._address}: no Lamplighter server answers: {error}") from error
                reason_text = str(error)
            except InvalidURI as error:
                raise InputError(str(error)) from error
            except FrameError as error:
                raise LiveError(f"{self._address}: unexpected response: {error}") from error
            now = time.monotonic()
            lost_since = now if lost_since is None else lost_since
            if now + wait - lost_since > self._patience:
                raise LiveError(f"{self._address}: gave up after {self._patience:g} s: {reason_text}")
            time.sleep(wait)
            wait = min(2 * wait, _BACKOFF[1])

    def _connect(self) -> contextlib.AbstractContextManager[ClientConnection]:
        address = self._address
        if self._speed_query is not None:
            address += f"&from={self._resume_step}{self._speed_query}"
        return connect(
            address,
            additional_headers=self._headers,
            max_size=_MAX_MESSAGE,
            compression=None,
            open_timeout=self._patience,
            # A proxy cannot reach this machine's loopback interface.
            proxy=None if stays_here(urlsplit(self._address).hostname or "") else True,
        )

    def _receive(self, socket: ClientConnection) -> Generator[Frame]:
        # Every connection starts with the current state.
        self._over, self._newest_step = False, -1
        self._playing = self._speed_query is not None
        while not self._is_done():
            try:
                data = socket.recv(timeout=self._linger if self._over and not self._playing else None)
            except TimeoutError:
                # The run is over and sends no more frames.
                return
            if isinstance(data, str):
                self._handle_message(json.loads(data))
                continue
            frame = decode(data)
            if isinstance(frame, Pulse | Census):
                self._newest_step = (
                    max(self._newest_step, frame.step) if isinstance(frame, Pulse) else frame.step
                )
            self._resume_step = (
                max(self._resume_step, frame.step) if isinstance(frame, Pulse) else self._resume_step
            )
            yield frame

    def _is_done(self) -> bool:
        return self._ended_by_server or (
            self._over and self._channels == {"pulse"} and self._newest_step >= self._end
        )

    def _handle_message(self, message: dict[str, Any]) -> None:
        self._playing = self._playing and message.get("type") != "live"
        self._ended_by_server = message.get("type") == "end"
        status = message.get("status") if message.get("type") == "status" else None
        if message.get("type") == "hello":
            status = message["run"].get("status")
            self._recorded = message["run"]["recipe"]["corpus"]["kind"] == "recorded"
        if status is not None:
            phase = status["phase"]
            # A killed loop could not report its end, and nothing will continue it.
            ended = phase in ENDED_PHASES or (self._recorded and phase == Phase.RUNNING)
            self._over = ended and not status["alive"]
            self._end = status["step"]
