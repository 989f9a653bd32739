"""A reply: its format and its tag first, then its price, and only then its body.

A route states, in this order: the run and the formats, what the response depends on, its cost, and how to make it.
    Cached copies of the client, HEAD and large bodies are handled here.

A finished step of an attempt never changes. Nor do the steps before it: a newer attempt that begins at or before a
step replaces that step too. So a response about steps up to a current one of its attempt never changes, and its tag
follows from the lineage alone, without computing the response.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import Response

import lamplighter
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_set import RunSet
from lamplighter.web.capacity.caller import identify_caller
from lamplighter.web.capacity.response_cache import BodyOrder, ResponseCache
from lamplighter.web.http.content_negotiation import ResponseFormat
from lamplighter.web.http.response_cost import LARGE_RESPONSE_BYTES, mark_priced
from lamplighter.web.http.streaming import LargeResponse

_TAG = re.compile(r'(?:W/)?("[^"\x00-\x20]*")')


def entity_tag(subject: RunFolder | RunSet, *parts: object) -> str:
    """Return a strong entity tag of a run or a set, the version of this program and `parts`, which must include
    everything that the response depends on, and have a stable repr.
    """
    # The creation time distinguishes it from an earlier one with the same name.
    key = repr((lamplighter.__version__, subject.id, subject.created, *parts))
    return f'"{blake2b(key.encode(), digest_size=12).hexdigest()}"'


def cache_headers(etag: str, *, immutable: bool) -> dict[str, str]:
    """Return the headers that say how long a response may be cached."""
    keep = "private, max-age=31536000, immutable" if immutable else "no-cache"
    return {"ETag": etag, "Cache-Control": keep, "Vary": "Accept"}


def not_modified(request: Request, headers: dict[str, str]) -> Response | None:
    """Return a 304 response if the client has the version tagged in the headers, by weak or strong comparison;
    else None. `If-None-Match: *` cannot be answered before it is known whether there is a response.
    """
    known_tags = ",".join(request.headers.getlist("if-none-match"))
    if headers.get("ETag") in _TAG.findall(known_tags):
        return Response(status_code=304, headers=headers)
    return None


def accepts_any_version(request: Request) -> bool:
    return ",".join(request.headers.getlist("if-none-match")).strip() == "*"


def not_modified_if_any(request: Request, headers: dict[str, str]) -> Response | None:
    """Return a 304 response if the client sent `If-None-Match: *`, else None. Call it once there is a response."""
    if "ETag" in headers and accepts_any_version(request):
        return Response(status_code=304, headers=headers)
    return None


class Reply:
    """A reply under construction: about a run, a set of runs, or neither of them, which has no tag."""

    run: RunFolder
    """Only of a reply about a run."""
    run_set: RunSet
    """Only of a reply about a set."""

    def __init__(
        self,
        request: Request,
        cache: ResponseCache,
        subject: RunFolder | RunSet | None,
        form: ResponseFormat,
        *,
        status: int = 200,
    ) -> None:
        """Start a reply in the format `form`; `cache` makes it if it is large. `status` applies to a reply with a
        body.
        """
        self._request = request
        self._cache = cache
        self._subject = subject
        if isinstance(subject, RunFolder):
            self.run = subject
        elif subject is not None:
            self.run_set = subject
        self._key: str | None = None
        self._headers: dict[str, str] = {}
        self._status = status
        self.form = form

    @property
    def head_only(self) -> bool:
        """Return whether the client wants only the headers."""
        return bool(getattr(self._request.state, "head", False))

    def add_header(self, name: str, value: str) -> None:
        self._headers[name] = value

    def send(self, cost: int, make: Callable[[], Iterable[bytes]], *, length: int | None = None) -> Response:
        """Return the response: 304 if it is tagged and the client has it; a small body in one piece; a large one
        streamed. A large one is made after this returns, if a slot is free (else 503), and once for all concurrent
        requests if it has a tag or a key.

        Args:
            cost: the approximate bytes of memory to make the body; at least `LARGE_RESPONSE_BYTES` if that is slow.
                State it before reading or computing any of the body.
            make: produces the parts of the body, in a thread; not called if the client has them. An error before the
                first part becomes a problem. It may run after the route has returned, so it must open its own files.
            length: total bytes, if known. The body is then not made for a HEAD request.
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

    def tag(self, *parts: object, immutable: bool) -> None:
        """Set the tag of the reply.

        Args:
            parts: everything that the reply depends on besides its subject, with a stable repr.
            immutable: True if the reply can never change, so that the client may cache it.
        """
        self._headers |= cache_headers(self.key(*parts), immutable=immutable)

    def require_wanted(self) -> None:
        """Call this now and then while the body of a tag takes long to make.

        Raises:
            AbandonedError: all its clients have left.
        """
        assert self._key is not None
        self._cache.require_wanted(self._key)

    def key(self, *parts: object) -> str:
        """Set what the reply depends on, as `tag` does, but only for the server: the client gets no tag."""
        assert self._subject is not None
        self._key = entity_tag(self._subject, *parts)
        return self._key

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
