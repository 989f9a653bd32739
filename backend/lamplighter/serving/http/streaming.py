"""Responses that are sent while they are produced, and the limit on how many of them run at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

import anyio
from numpy.typing import NDArray
from pydantic_core import to_json
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from lamplighter.serving.http.problems import RefusedError

_SLOTS = 4
_SLOT_BYTES = 64 << 20
"""Bytes of memory that one slot stands for."""
_WAIT_SECONDS = 0.5
_PIECE_BYTES = 1 << 18
_SEND_SECONDS = 30.0
"""Seconds allowed for a client to read one piece: a client that stopped reading keeps no slot and no open
file."""


class LargeResponseLimiter:
    """A limit on large responses at a time: each holds a matrix, and shares the machine with the trainer."""

    def __init__(self, slots: int = _SLOTS) -> None:
        """Start with this many free slots."""
        self._slots = slots
        self._free = slots
        self._changed = threading.Condition()

    def acquire(self, size: int = 0) -> Callable[[], None]:
        """Take one slot, plus more in proportion to the `size` bytes of memory that a response takes.

        Returns:
            A function that gives them back; calling it again does nothing.

        Raises:
            RefusedError: the slots did not become free within half a second (503).
        """
        count = min(self._slots, 1 + size // _SLOT_BYTES)
        with self._changed:
            if not self._changed.wait_for(lambda: self._free >= count, timeout=_WAIT_SECONDS):
                raise RefusedError(
                    503,
                    "this server is making as many large answers as it can at once: try again in a few seconds",
                    headers={"Retry-After": "3"},
                )
            self._free -= count
        holding = [count]

        def release() -> None:
            with self._changed:
                self._free += holding.pop() if holding else 0
                self._changed.notify_all()

        return release


class StreamedResponse(StreamingResponse):
    """A response that sends its parts while threads produce them, and drops a client that stops reading."""

    def __init__(
        self,
        parts: Iterator[bytes],
        headers: dict[str, str],
        media_type: str,
        release: Callable[[], None],
        *,
        length: int | None = None,
    ) -> None:
        """Send `parts` (a generator is closed in the end), then call `release`.

        Args:
            parts: the body.
            headers: the headers of the response.
            media_type: the media type of the response.
            release: called once, when everything has been sent or the client is gone.
            length: total bytes, if known.
        """
        if length is not None:
            headers = {**headers, "Content-Length": str(length)}
        pieces = _pieces(parts)
        super().__init__(pieces, headers=headers, media_type=media_type)
        self._pieces = pieces
        self._release = release

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""

        async def patient(message: Message) -> None:
            with anyio.fail_after(_SEND_SECONDS):
                await send(message)

        try:
            await super().__call__(scope, receive, patient)
        except (TimeoutError, ClientDisconnect):
            # The client is gone, or as good as gone; the server closes the connection of an unfinished
            # response.
            return
        finally:
            self._pieces.close()
            self._release()


def json_parts(facts: dict[str, Any], name: str, blocks: Iterable[NDArray[Any]]) -> Iterator[bytes]:
    """Yield a JSON object of `facts` and, last, a list `name` given in blocks; NaN and infinities become
    null."""
    yield to_json(facts, inf_nan_mode="null")[:-1] + b',"' + name.encode() + b'":['
    started = False
    for block in blocks:
        if len(block):
            yield (b"," if started else b"") + to_json(block.tolist(), inf_nan_mode="null")[1:-1]
            started = True
    yield b"]}"


def _pieces(parts: Iterator[bytes]) -> Generator[memoryview]:
    """Split parts into pieces that even a slow client reads in time."""
    try:
        for part in parts:
            view = memoryview(part)
            for offset in range(0, len(view), _PIECE_BYTES):
                yield view[offset : offset + _PIECE_BYTES]
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
