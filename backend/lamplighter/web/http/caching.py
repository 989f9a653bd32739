"""HTTP caching: whether a client already has a response, and how long it may keep it.

A finished step of an attempt never changes. Nor do the steps before it: a newer attempt that begins at or before a step
replaces that step too. So a response about steps up to a current one of its attempt never changes, and its tag follows
from the lineage alone, without computing the response.
"""

from __future__ import annotations

import re
from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import Response

import lamplighter
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_set import RunSet

_TAG = re.compile(r'(?:W/)?("[^"\x00-\x20]*")')


def entity_tag(subject: RunFolder | RunSet, *parts: object) -> str:
    """Return a strong entity tag of a run or a set, the version of this program and `parts`.

    `parts` must include everything that the response depends on, and have a stable repr.
    """
    # The creation time distinguishes it from an earlier one with the same name.
    key = repr((lamplighter.__version__, subject.id, subject.created, *parts))
    return f'"{blake2b(key.encode(), digest_size=12).hexdigest()}"'


def cache_headers(etag: str, *, immutable: bool) -> dict[str, str]:
    """Return the headers that say how long a response may be cached."""
    keep = "private, max-age=31536000, immutable" if immutable else "no-cache"
    return {"ETag": etag, "Cache-Control": keep, "Vary": "Accept"}


def not_modified(request: Request, headers: dict[str, str]) -> Response | None:
    """Return a 304 response if the client has the version tagged in the headers, by weak or strong comparison; else
    None.

    `If-None-Match: *` cannot be answered here, because it is not yet known whether there is a response.
    """
    known_tags = ",".join(request.headers.getlist("if-none-match"))
    if headers.get("ETag") in _TAG.findall(known_tags):
        return Response(status_code=304, headers=headers)
    return None


def accepts_any_version(request: Request) -> bool:
    """Return whether the client sent `If-None-Match: *`: it has some version."""
    return ",".join(request.headers.getlist("if-none-match")).strip() == "*"


def not_modified_if_any(request: Request, headers: dict[str, str]) -> Response | None:
    """Return a 304 response if the client sent `If-None-Match: *`, else None. Call it once there is a response."""
    if "ETag" in headers and accepts_any_version(request):
        return Response(status_code=304, headers=headers)
    return None
