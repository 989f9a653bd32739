"""HTTP caching: whether a client already has a response, and how long it may keep it.

A finished step of an attempt never changes. Nor does what led to it: a newer attempt that begins at or before
a step takes that step itself. So a response about steps up to one that still counts in its attempt is the
same for ever, and its tag follows from the lineage alone, without rebuilding anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

import lamplighter
from lamplighter.runfolder.lineage import Line, attempt_at
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepsReader
from lamplighter.serving.http.problems import Fault, Refused

Attempt = Annotated[int | None, Query(ge=1, le=0xFFFF_FFFF)]
"""The attempt in which the last requested step must count; the response may then be kept for ever."""

_TAG = re.compile(r'(?:W/)?("[^"\x00-\x20]*")')


@dataclass(frozen=True)
class Span:
    """The steps that a request is about, inclusive, none of them superseded. Empty if `first` > `last`."""

    first: int
    last: int
    line: Line
    """The stretches of the lineage that they belong to, clipped to them."""
    newest: int
    """The run's last step."""
    lasting: bool
    """True if the request named the attempt: the response about these steps never changes."""

    @property
    def attempt(self) -> int:
        """Return the attempt that the last step belongs to; 0 if there is none."""
        return self.line[-1][0] if self.line else 0

    def __len__(self) -> int:
        return max(0, self.last - self.first + 1)


def span(
    run: RunFolder, reader: StepsReader, first: int, last: int | None, attempt: int | None = None
) -> Span:
    """Return the existing steps from `first` to `last` (None: the newest).

    Raises:
        Refused: the last step does not count in `attempt` (409), there is no such step (404) or attempt
            (404), or `attempt` was given without a last step (422).
    """
    line = reader.line()
    newest = reader.last()[1]
    if attempt is not None:
        if last is None:
            message = "with attempt, say also to which step: name it with to"
            raise Refused(422, message, [Fault(field="to", message=message)])
        _check(run, line, newest, last, attempt)
    end = newest if last is None else min(last, newest)
    return Span(first, end, clipped(line, first, end), newest, attempt is not None)


def clipped(line: Line, first: int, last: int) -> Line:
    """Return the part of a lineage between two steps, inclusive."""
    return [
        (attempt, max(low, first), min(high, last))
        for attempt, low, high in line
        if max(low, first) <= min(high, last)
    ]


def _check(run: RunFolder, line: Line, newest: int, step: int, attempt: int) -> None:
    if not line or attempt > line[-1][0]:
        newest_attempt = line[-1][0] if line else 0
        raise Refused(404, f"{run.id} has no attempt {attempt}: its newest is {newest_attempt}")
    if step > newest:
        raise Refused(404, f"step {step} is not recorded; the last is {newest}")
    if (holds := attempt_at(line, step)) != attempt:
        raise Refused(409, f"step {step} counts in attempt {holds}, not in {attempt}: ask with "
                      f"attempt={holds}, or leave attempt out for what counts now")  # fmt: skip


def tag(run: RunFolder, *of: object) -> str:
    """Return a strong entity tag of a run, the version of this program and the further arguments.

    These must include everything that the response depends on, and have a stable repr.
    """
    # The creation time tells a run from an earlier one with the same name.
    told = repr((lamplighter.__version__, run.id, run.created, *of))
    return f'"{blake2b(told.encode(), digest_size=12).hexdigest()}"'


def headers(etag: str, *, lasting: bool) -> dict[str, str]:
    """Return the headers that say how long a response may be kept."""
    keep = "private, max-age=31536000, immutable" if lasting else "no-cache"
    return {"ETag": etag, "Cache-Control": keep, "Vary": "Accept"}


def unchanged(request: Request, told: dict[str, str]) -> Response | None:
    """Return a 304 response if the client has the version that the headers tag, weakly or strongly; else
    None.

    `If-None-Match: *` cannot be answered here, because it is not known yet whether there is a response.
    """
    asked = ",".join(request.headers.getlist("if-none-match"))
    if told["ETag"] in _TAG.findall(asked):
        return Response(status_code=304, headers=told)
    return None


def anything(request: Request, told: dict[str, str]) -> Response | None:
    """Return a 304 response if the client sent `If-None-Match: *`, else None. Call it once there is a
    response."""
    if ",".join(request.headers.getlist("if-none-match")).strip() == "*":
        return Response(status_code=304, headers=told)
    return None
