"""The lines that the model of a run generated during training."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.lines import decode_lines
from lamplighter.serving.reading.parameters import AttemptParam, FromStep, RunId, ToStep
from lamplighter.serving.schemas.base import json_body, to_json_text
from lamplighter.serving.schemas.steps import LineSet, LinesList
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import BOUNDED_COST
from lamplighter.web.http.route_table import AnswerFacts, Routes
from lamplighter.web.http.step_range import StepRange, resolve_step_range

routes = Routes("steps")

MAX_SAID = 5_000
"""Maximum number of steps with lines in one response: those of a run of a million steps."""
_AT_ONCE = 100
_ROOM = 4
"""Bytes of memory for each character of a line in the record, as objects and as JSON."""


@routes.get(
    "/api/runs/{run}/lines",
    pool=Pool.CHEAP,
    response_model=LinesList,
    answers=AnswerFacts(etag=True, errors=(422, 503)),
)
def list_lines(
    run: RunId,
    request: Request,
    services: ServicesDep,
    from_: FromStep = 0,
    to: ToStep = None,
    attempt: AttemptParam = None,
) -> Response:
    """Return the lines that the model generated during training, by step from `from` to `to`, inclusive, without
    superseded steps: a few lines of twelve tokens each, the first greedily, the others by sampling. Empty for a run
    that was recorded elsewhere. 422 for the lines of more than 5,000 steps.
    """
    reply = services.reply(request, run)
    if not reply.run.steps_path.exists():
        return reply.send(BOUNDED_COST, lambda: json_body(LinesList(items=[])))
    with services.catalog.open_steps(reply.run) as reader:
        range_ = resolve_step_range(reply.run, reader, from_, to, attempt)
        sizes = reader.lines_sizes(range_.first, range_.last, MAX_SAID + 1)
    if len(sizes) > MAX_SAID:
        raise RefusedError(
            422, f"at most {MAX_SAID:,} steps with lines are sent at once: ask for fewer steps with to"
        )
    # The lines of step 0 are recorded shortly after the step itself.
    immutable = range_.immutable and range_.last > 0
    reply.tag("lines", range_.lineage, len(sizes), immutable=immutable)
    return reply.send(_ROOM * sum(sizes.values()), lambda: _parts(services, reply.run, range_))


def _parts(services: Services, run: RunFolder, range_: StepRange) -> Iterator[bytes]:
    yield b'{"items":['
    separator = b""
    first = range_.first
    while first <= range_.last:
        with services.catalog.open_steps(run) as reader:
            range_.require_current(reader)
            found = reader.lines(first, range_.last, _AT_ONCE)
        for step, text in found.items():
            lines = decode_lines(text, len(run.vocabulary))
            item = LineSet(step=step, attempt=range_.lineage.attempt_at(step), lines=lines)
            yield separator + to_json_text(item).encode()
            separator = b","
        if len(found) < _AT_ONCE:
            break
        first = max(found) + 1
    yield b"]}"
