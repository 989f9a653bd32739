"""A reply: its format and its tag first, then its price, and only then its body.

A route names what is its own, in this order: the run and the formats, what the answer depends on, what it takes to
make, and how it is made. The client's own copy, HEAD, and what is large are dealt with here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from starlette.requests import Request
from starlette.responses import Response

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.web.capacity.body import BodyOrder
from lamplighter.web.capacity.caller import identify_caller
from lamplighter.web.capacity.response_cache import ResponseCache
from lamplighter.web.http.caching import (
    accepts_any_version,
    cache_headers,
    entity_tag,
    not_modified,
    not_modified_if_any,
)
from lamplighter.web.http.content_negotiation import ResponseFormat
from lamplighter.web.http.response_cost import LARGE_RESPONSE_BYTES, mark_priced
from lamplighter.web.http.streaming import LargeResponse


class PlainReply:
    """A reply that is about no single run and has no tag, in the making."""

    def __init__(
        self, request: Request, cache: ResponseCache, form: ResponseFormat, *, status: int = 200
    ) -> None:
        """Begin the reply in the format `form`; `cache` makes it if it is large. `status` is that of a reply with a
        body.
        """
        self._request = request
        self._cache = cache
        self._key: str | None = None
        self._headers: dict[str, str] = {}
        self._status = status
        self.form = form

    @property
    def head_only(self) -> bool:
        """Return whether the client wants only the headers."""
        return bool(getattr(self._request.state, "head", False))

    def add_header(self, name: str, value: str) -> None:
        """Add a header."""
        self._headers[name] = value

    def send(self, cost: int, make: Callable[[], Iterable[bytes]], *, length: int | None = None) -> Response:
        """Return the response: 304 if it is tagged and the client has it, a small body in one piece, a large one
        sent while it is made. A large one is made after this returns, if a slot is free (else 503), and once for all
        who ask for it, if it has a tag or a key.

        Args:
            cost: about how many bytes of memory it takes to make the body; at least `LARGE_RESPONSE_BYTES` if that
                takes long. Nothing of the body may be read or computed before it is stated.
            make: produces the parts of the body, in a thread; not called if the client has them. May raise, before the
                first part, an error that becomes a problem. It may run after the route has returned, so it opens what
                it reads itself.
            length: total bytes, if known. The body of a HEAD request is then not made.
        """
        return mark_priced(self._send(cost, make, length))

    def _send(self, cost: int, make: Callable[[], Iterable[bytes]], length: int | None) -> Response:
        request, headers, media_type = self._request, self._headers, self.form.media_type
        if known := not_modified(request, headers):
            return known
        large = cost >= LARGE_RESPONSE_BYTES
        if self.head_only and (large or length is not None):
            return _headers_only_response(headers, media_type, length)
        if not large:
            body = b"".join(make())
            return not_modified_if_any(request, headers) or Response(body, self._status, headers, media_type)
        any_version = "ETag" in headers and accepts_any_version(request)
        order = BodyOrder(self._key, cost, make, length, identify_caller(request))
        return LargeResponse(
            self._cache, order, headers, media_type, status=self._status, any_version=any_version
        )


class Reply(PlainReply):
    """A reply about a run, in the making."""

    def __init__(
        self,
        request: Request,
        cache: ResponseCache,
        run: RunFolder,
        form: ResponseFormat,
        *,
        status: int = 200,
    ) -> None:
        """Begin the reply about `run` in the format `form`."""
        super().__init__(request, cache, form, status=status)
        self.run = run

    def tag(self, *parts: object, immutable: bool) -> None:
        """Set the tag of the reply. `parts` are everything that it depends on besides the run, with a stable repr.

        Args:
            parts: the arguments of its entity tag.
            immutable: True if the reply can never change, so that the client may keep it.
        """
        self._key = entity_tag(self.run, *parts)
        self._headers |= cache_headers(self._key, immutable=immutable)

    def key(self, *parts: object) -> None:
        """Name everything that the reply depends on, as `tag` does, for the server alone: the client gets no tag."""
        self._key = entity_tag(self.run, *parts)

    def add_facts(self, **facts: str | int | bool) -> None:
        """Add a header for each fact: `step=7` becomes `X-Lamplighter-Step: 7`."""
        for name, value in facts.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            self._headers[f"X-Lamplighter-{name.strip('_').title()}"] = text


def _headers_only_response(headers: dict[str, str], media_type: str, length: int | None) -> Response:
    response = Response(headers=headers, media_type=media_type)
    del response.headers["content-length"]
    if length is not None:
        response.headers["content-length"] = str(length)
    return response
