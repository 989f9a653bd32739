"""The frames of a run for programs, which pull them: each answer says the place to go on from."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.runfolder.reading.playback import (
    CHANNELS,
    PLACE_PATTERN,
    NoSuchStepError,
    Place,
    Playback,
)
from lamplighter.runfolder.role_lock import RoleState, role_state
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.live.file_changes import see_files
from lamplighter.serving.reading.parameters import RunId
from lamplighter.serving.schemas.base import StepNumber, to_json_text
from lamplighter.serving.schemas.steps import FramesHead
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.capacity.caller import identify_caller
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.content_negotiation import FRAME
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import estimate_memory
from lamplighter.web.http.route_table import AnswerFacts, Routes
from lamplighter.wire.envelope import encode_envelope

routes = Routes("steps")

_OFFERED = (FRAME,)
_MAX_WAIT = 30
_MAX_STEPS = 128
"""Maximum steps of one answer."""
_CHECK_SECONDS = 0.5
"""Seconds between checks whether the loop of a waiting request's run is alive, which no file tells."""


@routes.get(
    "/api/runs/{run}/frames",
    pool=Pool.NONE,
    polled=True,
    answers=AnswerFacts(_OFFERED, errors=(503,)),
)
async def pull_frames(
    run: RunId,
    request: Request,
    services: ServicesDep,
    channels: Annotated[
        str, Query(description="Any of `pulse` (which also gives the census), `layout`, `rows`.")
    ] = "pulse,layout",
    from_: Annotated[
        StepNumber | None,
        Query(alias="from", description="The step whose state comes first; by default, the newest."),
    ] = None,
    after: Annotated[
        str | None,
        Query(
            pattern=f"^{PLACE_PATTERN}$",
            description="The `place` of the last answer: only what follows is sent.",
        ),
    ] = None,
    newest: Annotated[
        bool, Query(description="Leave out the steps before the newest, and all but the newest layouts.")
    ] = False,
    wait: Annotated[
        int, Query(ge=0, le=_MAX_WAIT, description="Seconds to wait until there is a frame.")
    ] = 0,
) -> Response:
    """Return the state at a step, then the frames of the steps after it, as an envelope of `docs/wire.md`: at most 128 steps,
    or about 4 MB. Its first part is a JSON object (`FramesHead`). With no frame to send, the answer waits for the next one;
    it comes within 50 ms of its commit.

    As long as each request names the place of the last answer in `after`, no frame is sent twice and none is left out. When a
    new attempt supersedes steps already sent, the state at the last step that still counts comes first.
    """
    wanted = channels.split(",")
    if not all(name in CHANNELS for name in wanted):
        raise RefusedError(422, f"channels: any of {', '.join(CHANNELS)}")
    place = None if after is None else Place.parse(after)
    pull = partial(
        _Pull,
        services,
        request,
        run,
        partial(Playback, first=from_, channels=wanted, place=place, newest_only=newest),
    )
    pool, caller = Pool.DEAR if "rows" in wanted else Pool.CHEAP, identify_caller(request)
    deadline = time.monotonic() + wait
    while True:
        found = await services.pools.run_in(pool, pull, caller=caller)
        if found.response is None and await _wait(services, found, deadline):
            continue
        return found.response or found.respond()


class _Pull:
    """One look at a run for the frames after a place."""

    def __init__(
        self, services: Services, request: Request, run: str, playback: Callable[[RunFolder], Playback]
    ) -> None:
        self._reply = services.reply(request, run, _OFFERED)
        self.run = self._reply.run
        self._playback = playback(self.run)
        if "rows" in self._playback.channels:
            estimate_memory(self.run, 0)
        self.seen = see_files(self.run)
        self.frames = self._read()
        recorded = self.run.recipe.corpus.kind == "recorded"
        # A loop that was killed could not report its end, and nothing will continue it.
        self.may_end = self._playback.run_ended or recorded
        self.over = self.may_end and not self.is_at_work()
        if self.over and not self.frames:
            # What the loop recorded just before its end.
            self.frames = self._read()
        self.response = self.respond() if self.frames or self.over else None
        """None while there is nothing to tell."""

    def is_at_work(self) -> bool:
        return role_state(self.run.path, "trainer") is not RoleState.FREE

    def respond(self) -> Response:
        place = self._playback.place
        text = FramesHead(
            place=str(place) if self._playback.begun else None,
            step=place.step,
            more=place.step < self._playback.newest,
            over=self.over,
        )
        body = encode_envelope([to_json_text(text), *self.frames], compress=False)
        return self._reply.send(len(body), lambda: [body])

    def _read(self) -> list[bytes]:
        try:
            return self._playback.read_next(_MAX_STEPS)
        except FileNotFoundError:
            # The run has not begun.
            return []
        except NoSuchStepError as error:
            raise RefusedError(404, str(error)) from error


async def _wait(services: Services, found: _Pull, deadline: float) -> bool:
    """Wait until there may be news of a run. Return False if there is none until the deadline."""
    while (left := deadline - time.monotonic()) > 0:
        seconds = min(left, _CHECK_SECONDS) if found.may_end else left
        if await services.file_changes.wait(found.run, found.seen, seconds):
            return True
        if found.may_end and not await anyio.to_thread.run_sync(found.is_at_work):
            return True
    return False
