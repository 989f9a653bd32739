"""Runs that are pushed: programs on other machines send their fragments, each with a token for its own runs."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import Header, Path
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.contract.reason import give_reason
from lamplighter.contract.sentences import say
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.fragments.fragment import (
    IDENTITY_HEADER,
    KEY_HEADER,
    KEY_PATTERN,
    Fragment,
    Position,
    decode_fragment,
)
from lamplighter.runfolder.fragments.received_run import BUSY_ERRORS, GapError, OtherContentError
from lamplighter.runfolder.writing.free_space import spare_bytes
from lamplighter.serving.jobs.push_limits import MAX_FRAGMENT_REQUEST, MAX_RUN_BYTES
from lamplighter.serving.jobs.received_runs import InTrashError, OtherOriginError
from lamplighter.serving.reading.parameters import RunId
from lamplighter.serving.schemas.base import ApiModel, json_response
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.access.credentials import Pusher
from lamplighter.web.capacity.caller import identify_caller
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import Pricing
from lamplighter.web.http.route_table import Access, AnswerFacts, Routes


class PushPosition(ApiModel):
    """How far a run has arrived; a pusher goes on from there."""

    attempt: int
    step: int
    """The highest step up to which all have arrived, of that attempt."""
    event: int
    """The id of the last event, by the sender's own count."""
    applied: int
    """The id of the last applied request, likewise."""
    made: int
    """When the last fragment was made, in microseconds since 1970."""


routes = Routes("push")

_BODY = {
    "required": True,
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}
FragmentParam = Annotated[
    str, Path(pattern=r"^\d{1,10}-\d{1,10}-\d{1,10}-[0-9a-f]{16}\.frag$", description="The fragment's name.")
]
DigestHeader = Annotated[
    str, Header(alias="Content-Digest", max_length=200, description="`sha-256=:...:` of the body (RFC 9530).")
]

KeyHeader = Annotated[
    str | None,
    Header(alias=KEY_HEADER, pattern=KEY_PATTERN, description="The key of the run, with its steps."),
]


@routes.get(
    "/api/push/{run}",
    pool=Pool.PUSH,
    access=Access.PUSH,
    polled=True,
    pricing=Pricing.FIXED,
    response_model=PushPosition,
    answers=AnswerFacts(errors=(404, 429, 503), headers=(IDENTITY_HEADER,)),
)
def get_push_position(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return how far a run of this pusher has arrived, and in `X-Lamplighter-Run-Identity` which run it is. 404 before its opening."""
    pusher = _pusher(request)
    services.push_limits.count_request(pusher)
    try:
        found = services.received_runs.position(run, _origin(pusher))
    except (OtherOriginError, *BUSY_ERRORS) as error:
        raise _refusal(error, run) from error
    if found is None:
        raise RefusedError(404, f"{run} has not begun to arrive")
    return _answer(*found, 200)


@routes.put(
    "/api/push/{run}/fragments/{fragment}",
    access=Access.PUSH,
    body_limit=MAX_FRAGMENT_REQUEST,
    pricing=Pricing.FIXED,
    status_code=201,
    response_model=PushPosition,
    responses={200: {"model": PushPosition}},
    answers=AnswerFacts(errors=(409, 410, 413, 422, 429, 503, 507), headers=(IDENTITY_HEADER,)),
    openapi_extra={"requestBody": _BODY},
)
async def put_fragment(
    run: RunId,
    fragment: FragmentParam,
    content_digest: DigestHeader,
    request: Request,
    services: ServicesDep,
    run_key: KeyHeader = None,
) -> Response:
    """Take over a fragment (`docs/wire.md`), once however often it is sent: 201, or 200 if all of it had arrived. An
    opening begins the run. The answer is how far the run has arrived.

    409 if fragments before it are missing, and with the code `push_name_taken` if another run has that name: steps are taken with
    the key of their run alone. 410 if the run is in the trash; 413 if it, or the run, is too large; 422 if
    it is damaged or invalid; 429 with `Retry-After` if the pusher sends too often or too much; 507 if the disk is nearly full.
    """
    pusher = _pusher(request)
    services.push_limits.count_request(pusher)
    with services.push_limits.receiving(pusher, run, request.headers.get("content-length", "")) as unpack:
        parts = bytearray()
        async for chunk in request.stream():
            parts += chunk
        work = partial(
            _take_over, services, pusher, run, fragment, content_digest, bytes(parts), run_key, unpack
        )
        del parts
        answer = await services.pools.run_in(Pool.PUSH, work, caller=identify_caller(request))
    if fragment.startswith("0-0-0-") and answer.status_code == 201:
        request.state.audited = "opening"
    return answer


def _take_over(
    services: Services,
    pusher: Pusher,
    run: str,
    name: str,
    content_digest: str,
    data: bytes,
    key: str | None,
    unpack: Callable[[int], None],
) -> Response:
    try:
        found = decode_fragment(data)
        digest = base64.b64encode(bytes.fromhex(found.digest)).decode()
        if content_digest.strip() != f"sha-256=:{digest}:":
            raise RefusedError(422, "the body is not the one that Content-Digest describes: send it again")
        if found.file_name != name:
            raise FormatError(f"the fragment is called {found.file_name}")
        unpack(found.header.bytes)
        _require_room(services, pusher, run, found)
        new = services.received_runs.take_over(run, found, _origin(pusher), key)
        position = services.received_runs.position(run, _origin(pusher)) or (Position(), None)
    except FormatError as error:
        raise RefusedError(422, str(error)) from error
    except (OtherOriginError, InTrashError, GapError, OtherContentError, *BUSY_ERRORS) as error:
        raise _refusal(error, run) from error
    return _answer(*position, 201 if new else 200)


def _require_room(services: Services, pusher: Pusher, run: str, fragment: Fragment) -> None:
    if spare_bytes(services.settings.runs) < fragment.header.bytes:
        raise RefusedError(
            507, "the disk of the server is nearly full: go on later", headers={"Retry-After": "60"}
        )
    known = services.received_runs.find_received(run, _origin(pusher))
    if known is None:
        own = services.received_runs.count_runs(_origin(pusher))
        if own >= pusher.most_runs:
            raise RefusedError(413, f"this token may push {pusher.most_runs} runs, and {own} are there")
    elif known[0].steps_path.exists() and known[0].steps_path.stat().st_size > MAX_RUN_BYTES:
        raise RefusedError(413, f"a run that is pushed may have at most {MAX_RUN_BYTES / 1e9:,.0f} GB")


def _pusher(request: Request) -> Pusher:
    pusher = request.state.pusher
    assert isinstance(pusher, Pusher)  # The gate lets nothing else through.
    return pusher


def _origin(pusher: Pusher) -> str:
    # Not the token: a run goes on under a new one of the same prefix.
    return f"push {pusher.prefix}"


def _refusal(error: Exception, run: str) -> RefusedError:
    match error:
        case OtherOriginError():
            return RefusedError(409, say("push_name_taken", run=run))
        case InTrashError():
            return RefusedError(410, f"{run} is in the trash there: it comes back if a person takes it out")
        case _ if isinstance(error, BUSY_ERRORS):
            return RefusedError(503, f"{run} is being compacted or moved", headers={"Retry-After": "1"})
        case GapError():
            return RefusedError(409, f"fragments are missing: {error}")
        case _:
            return RefusedError(409, f"{run}: {error}", reason=give_reason("push_name_taken", run=run))


def _answer(position: Position, identity: str | None, status: int) -> Response:
    headers = {} if identity is None else {IDENTITY_HEADER: identity}
    return json_response(PushPosition(**position.model_dump()), status, headers)
