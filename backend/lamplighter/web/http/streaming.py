"""Responses whose bodies are read from the spool, while they are made or afterwards, bodies of JSON in parts, and files
to download.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

from numpy.typing import NDArray
from pydantic_core import to_json
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from lamplighter.web.capacity.pace import ABORT
from lamplighter.web.capacity.response_cache import BodyOrder, BodyReader, ResponseCache
from lamplighter.web.http.problems import problem_response

HELD_BYTES = 1 << 18
"""Size in bytes from which a finished body takes room in the spool while its client reads it."""


class SpooledResponse(StreamingResponse):
    """A response whose body comes from the spool in pieces."""

    def __init__(
        self,
        reader: BodyReader,
        headers: dict[str, str] | None = None,
        media_type: str | None = None,
        status: int = 200,
    ) -> None:
        """Send the data of `reader`, and close it at the end."""
        self._pieces = reader.pieces()
        super().__init__(self._pieces, status_code=status, headers=headers, media_type=media_type)
        self._reader = reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response; an error before its first bytes becomes a problem."""
        abort = scope.get("extensions", {}).get(ABORT)
        if abort is not None:
            self._reader.leave_by(abort)
        try:
            if not await self._begin(receive):
                return
            body = self._reader.body
            length = body.size if body.done else body.length
            if length is not None:
                self.headers["content-length"] = str(length)
            await super().__call__(scope, receive, send)
        except ClientDisconnect:
            return
        finally:
            await self._pieces.aclose()
            self._reader.close()

    async def _begin(self, receive: Receive) -> bool:
        """Wait for the first bytes. Return False if the client leaves before."""
        begun = asyncio.ensure_future(self._reader.begin())
        left = asyncio.ensure_future(self.listen_for_disconnect(receive))
        try:
            await asyncio.wait((begun, left), return_when=asyncio.FIRST_COMPLETED)
            # A body that no route reads is no departure, even one that is too long.
            gone = left.done() and left.exception() is None
            if gone and not begun.done():
                return False
            await begun
            return True
        finally:
            begun.cancel()
            left.cancel()


class LargeResponse(Response):
    """A response whose body is made once for all concurrent requests, if a slot is free."""

    def __init__(
        self,
        cache: ResponseCache,
        order: BodyOrder,
        headers: dict[str, str],
        media_type: str,
        *,
        status: int = 200,
        any_version: bool,
    ) -> None:
        """Send the answer to `order`, made or held by `cache`. `any_version`: the client has some version, so
        answer 304 once there is one.
        """
        super().__init__(status_code=status, headers=headers, media_type=media_type)
        del self.headers["content-length"]
        self._cache = cache
        self._order = order
        self._any_version = any_version

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reader = self._cache.open(self._order)
        headers = dict(self.headers)
        if self._any_version:
            try:
                await reader.begin()
            finally:
                reader.close()
            await Response(status_code=304, headers=headers)(scope, receive, send)
            return
        await SpooledResponse(reader, headers, status=self.status_code)(scope, receive, send)


def spool_body(response: Response, cache: ResponseCache, *, presenter: bool) -> Response:
    """Return a finished response whose body takes room in the spool, if it is large. Call it from a thread. Raises
    BusyError.
    """
    if type(response) is not Response or len(response.body) <= HELD_BYTES:
        return response
    reader = cache.hold(bytes(response.body), presenter=presenter)
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return SpooledResponse(reader, headers, status=response.status_code)


def json_parts(facts: dict[str, Any], name: str, blocks: Iterable[NDArray[Any]]) -> Iterator[bytes]:
    """Yield a JSON object of `facts` and, last, a list `name` given in blocks; NaN and infinities become null."""
    yield to_json(facts, inf_nan_mode="null")[:-1] + b',"' + name.encode() + b'":['
    started = False
    for block in blocks:
        if len(block):
            yield (b"," if started else b"") + to_json(block.tolist(), inf_nan_mode="null")[1:-1]
            started = True
    yield b"]}"


_REFUSALS = {
    400: "Range does not name a range of bytes, as in bytes=0-1023",
    416: "the file ends before the range that Range names",
}


class DownloadResponse(FileResponse):
    """A file, or the part in `Range`. An invalid range is refused with a problem."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal: Response | None = None

        async def send_unless_refused(message: Message) -> None:
            nonlocal refusal
            if message["type"] == "http.response.start" and message["status"] in _REFUSALS:
                status: int = message["status"]
                kept = (
                    {"Content-Range": f"bytes */{self.headers['content-length']}"} if status == 416 else None
                )
                refusal = problem_response(status, _REFUSALS[status], headers=kept)
            if refusal is None:
                await send(message)

        await super().__call__(scope, receive, send_unless_refused)
        if refusal is not None:
            await refusal(scope, receive, send)
