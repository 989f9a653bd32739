"""Answers that are sent as they are made, and how many of them at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

import anyio
from numpy.typing import NDArray
from pydantic_core import to_json
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from lamplighter.serving.problems import Refused
from lamplighter.serving.validators import anything

LARGE = 4 << 20
"""Bytes from which on an answer has to pass the turnstile."""

_PLACES = 4
_A_PLACE = 64 << 20
"""Bytes of memory that go with a place."""
_MOMENT = 0.5
_PIECE = 1 << 18
_PATIENCE = 30.0
"""Seconds for a client to take a piece: one that stopped reading keeps no place, and no file open."""


class Turnstile:
    """Lets a few large answers be made at once: each holds a matrix, and shares the machine with the trainer."""

    def __init__(self, places: int = _PLACES) -> None:
        """Have so many places."""
        self._places = places
        self._free = places
        self._changed = threading.Condition()

    def enter(self, size: int = 0) -> Callable[[], None]:
        """Take a place, or for an answer that takes `size` bytes of memory as many as are due to it.

        Returns:
            What gives them back, however often it is called.

        Raises:
            Refused: they are not free, not for half a second (503).
        """
        taken = min(self._places, 1 + size // _A_PLACE)
        with self._changed:
            if not self._changed.wait_for(lambda: self._free >= taken, timeout=_MOMENT):
                raise Refused(
                    503,
                    "this server is making as many large answers as it can at once: try again in a few seconds",
                    headers={"Retry-After": "3"},
                )
            self._free -= taken
        holding = [taken]

        def leave() -> None:
            with self._changed:
                self._free += holding.pop() if holding else 0
                self._changed.notify_all()

        return leave


class Streamed(StreamingResponse):
    """Sends parts as they are made, in threads; a reader that stands still is left."""

    def __init__(
        self,
        parts: Iterator[bytes],
        headers: dict[str, str],
        media_type: str,
        leave: Callable[[], None],
        *,
        length: int | None = None,
    ) -> None:
        """Send `parts` (a generator is closed in the end), then call `leave`.

        Args:
            parts: what to send.
            headers: of the answer.
            media_type: of the answer.
            leave: called once, when all is sent or nobody wants it any more.
            length: bytes in all, where that is known.
        """
        if length is not None:
            headers = {**headers, "Content-Length": str(length)}
        pieces = _pieces(parts)
        super().__init__(pieces, headers=headers, media_type=media_type)
        self._pieces = pieces
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""

        async def patient(message: Message) -> None:
            with anyio.fail_after(_PATIENCE):
                await send(message)

        try:
            await super().__call__(scope, receive, patient)
        except (TimeoutError, ClientDisconnect):
            # Gone, or as good as gone: an answer that was not finished has its connection closed.
            return
        finally:
            self._pieces.close()
            self._leave()


def answer(
    request: Request,
    turnstile: Turnstile,
    make: Callable[[], Iterable[bytes]],
    size: int,
    headers: dict[str, str],
    media_type: str,
    *,
    length: int | None = None,
) -> Response:
    """An answer in one piece if it is small; else one that is sent as it is made, if there is a place for it.

    Args:
        request: a HEAD request gets the head alone, and nothing is made.
        turnstile: where large answers pass.
        make: makes the parts; may raise, at once, what becomes a problem.
        size: about how many bytes of memory it takes to make it; at least `LARGE` where it takes long.
        headers: of the answer.
        media_type: of the answer.
        length: how many bytes it has, where that is known.

    Raises:
        Refused: too many large answers at once (503).
    """
    if head_only(request) and (size >= LARGE or length is not None):
        return _head(headers, media_type, length)
    if size < LARGE:
        body = b"".join(make())
        return anything(request, headers) or Response(body, headers=headers, media_type=media_type)
    leave = turnstile.enter(size)
    try:
        parts = iter(make())
        if found := anything(request, headers):
            leave()
            return found
        return Streamed(parts, headers, media_type, leave, length=length)
    except BaseException:
        leave()
        raise


def head_only(request: Request) -> bool:
    """Whether a request wants the head of the answer alone."""
    return bool(getattr(request.state, "head", False))


def json_parts(facts: dict[str, Any], name: str, blocks: Iterable[NDArray[Any]]) -> Iterator[bytes]:
    """A JSON object of `facts` and, last, a list `name` that is given in blocks; what is not finite becomes null."""
    yield to_json(facts, inf_nan_mode="null")[:-1] + b',"' + name.encode() + b'":['
    begun = False
    for block in blocks:
        if len(block):
            yield (b"," if begun else b"") + to_json(block.tolist(), inf_nan_mode="null")[1:-1]
            begun = True
    yield b"]}"


def _pieces(parts: Iterator[bytes]) -> Generator[memoryview]:
    """Parts in pieces that a slow reader, too, takes in time."""
    try:
        for part in parts:
            view = memoryview(part)
            for at in range(0, len(view), _PIECE):
                yield view[at : at + _PIECE]
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()


def _head(headers: dict[str, str], media_type: str, length: int | None) -> Response:
    response = Response(headers=headers, media_type=media_type)
    del response.headers["content-length"]
    if length is not None:
        response.headers["content-length"] = str(length)
    return response
