"""Files to download, whole or in parts."""

from __future__ import annotations

from starlette.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send

from lamplighter.web.http.problems import problem_response

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
