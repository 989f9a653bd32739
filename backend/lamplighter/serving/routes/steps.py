"""Steps, events and measures of a run."""

from __future__ import annotations

import math
from collections import deque
from contextlib import suppress
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.model.batches import batch_positions
from lamplighter.runfolder.reading.snapshot import NoSnapshotError, read_census, read_time
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables import steps as steps_file
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.steps import StepsReader
from lamplighter.serving.http.content_negotiation import FRAME, JSON, negotiate_format
from lamplighter.serving.http.problems import RefusedError
from lamplighter.serving.http.response_cost import BOUNDED_COST
from lamplighter.serving.http.route_table import AnswerFacts, Routes
from lamplighter.serving.http.step_range import StepRange, resolve_step_range
from lamplighter.serving.reading.downsampling import MIN_POINTS, keep_extremes
from lamplighter.serving.reading.parameters import (
    AFTER,
    FORMAT,
    AttemptParam,
    FromStep,
    RunId,
    StepPath,
    ToStep,
)
from lamplighter.serving.reading.run_index import LAST_INDEXED_STEP
from lamplighter.serving.schemas.base import json_body, json_response
from lamplighter.serving.schemas.steps import (
    EventList,
    EventResponse,
    Measures,
    MeasuresList,
    StepDetails,
    Steps,
    StepSummary,
)
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.wire.binary import Floats, FrameError, UInts
from lamplighter.wire.frames import decode, encode
from lamplighter.wire.pulse_frames import Pulse

routes = Routes("steps")

MOST_STEPS = 5_000
MOST_ROWS = 500
MOST_EVENTS = 1_000
_NO_STEPS = Steps(items=[], every=1, extremes=False)
OFFERED = (JSON, FRAME)


@routes.get("/api/runs/{run}/steps", response_model=Steps, answers=AnswerFacts(OFFERED, etag=True))
def list_steps(
    run: RunId,
    request: Request,
    services: ServicesDep,
    from_: FromStep = 1,
    to: ToStep = None,
    every: Annotated[
        int | None, Query(ge=1, le=0xFFFF_FFFF, description="Take every n-th step. With `most`, 422.")
    ] = None,
    most: Annotated[
        int | None,
        Query(
            ge=MIN_POINTS,
            le=MOST_STEPS,
            description="Take about that many, the extremes of the loss among them.",
        ),
    ] = None,
    attempt: AttemptParam = None,
    format: Annotated[Literal["json", "frame"] | None, FORMAT] = None,
    census: Annotated[
        bool, Query(description="Begin with the census before `from`; only with `format=frame`, else 422.")
    ] = False,
) -> Response:
    """Return the figures of steps `from` to `to`, inclusive: at most 5,000. `every` takes every n-th step. `most` takes
    about that many: the smallest and the largest loss of each of several equally long stretches. With neither, the
    stride is chosen so that the steps fit.

    As `frame`, return their pulse frames of `docs/wire.md` one after the other, byte for byte as a live viewer got
    them; with `census`, preceded by the census of the step before `from`.
    """
    if census and negotiate_format(request, OFFERED, format) is not FRAME:
        raise RefusedError(422, "a census is a frame: ask for format=frame with it")
    reply = services.reply(request, run, OFFERED, format)
    if every is not None and most is not None:
        raise RefusedError(422, "every and most are two ways to take fewer steps: name one of them")
    if not reply.run.steps_path.exists():
        return Response(media_type=FRAME.media_type) if reply.form is FRAME else json_response(_NO_STEPS)
    with services.catalog.open_steps(reply.run) as reader:
        range_ = resolve_step_range(reply.run, reader, max(1, from_), to, attempt)
        reply.tag("steps", range_.lineage, every, most, reply.form.name, census, immutable=range_.immutable)

        def make() -> list[bytes]:
            selected, stride = _choose_steps(services, reply.run, reader, range_, every, most)
            records = _read_pulses(reader, range_, selected, stride)
            if reply.form is FRAME:
                before = [_census_frame(reply.run, reader, range_)] if census else []
                return before + [data for _, data in records]
            counts: list[int] | list[None] = [None] * len(records)
            if most is not None and range_.last <= LAST_INDEXED_STEP:
                steps = [step for step, _ in records]
                counts = services.run_index.touched_row_counts(reply.run, reader, steps)
            items = [
                StepSummary(**_facts(_decode_pulse(data)), ever_rows=count)
                for (_, data), count in zip(records, counts, strict=True)
            ]
            return json_body(Steps(items=items, every=stride, extremes=selected is not None))

        return reply.send(BOUNDED_COST, make)


@routes.get("/api/runs/{run}/steps/{step}", response_model=StepDetails, answers=AnswerFacts(etag=True))
def get_step(
    run: RunId, step: StepPath, request: Request, services: ServicesDep, attempt: AttemptParam = None
) -> Response:
    """Return one step: its batch's text, and its rows by gradient and by distance moved, at most 500 each."""
    reply = services.reply(request, run)
    with services.catalog.open_steps(reply.run) as reader:
        range_ = resolve_step_range(reply.run, reader, step, step, attempt)
        reply.tag("step", range_.lineage, immutable=range_.immutable)

        def make() -> list[bytes]:
            records = reader.pulses_at([step])
            if not records:
                raise RefusedError(404, f"step {step} is not recorded; the last is {range_.newest_step}")
            pulse = _decode_pulse(records[0][1])
            return json_body(
                StepDetails(
                    **_facts(pulse),
                    tokens=_batch_token_ids(reply.run, step),
                    gradient=_largest(pulse.gradient_ids, pulse.gradient_norms),
                    moved=_largest(pulse.moved_ids, pulse.moved_distances),
                )
            )

        return reply.send(BOUNDED_COST, make)


@routes.get("/api/runs/{run}/events", response_model=EventList)
def list_events(
    run: RunId,
    services: ServicesDep,
    after: Annotated[int | None, AFTER] = None,
    limit: Annotated[
        int, Query(ge=1, le=MOST_EVENTS, description="The most events to return.")
    ] = MOST_EVENTS,
) -> Response:
    """Return the timeline events, oldest first: the newest `limit`, or the first after an id."""
    run_folder = services.catalog.find_run(run)
    if not run_folder.steps_path.exists():
        return json_response(EventList(items=[]))
    with services.catalog.open_steps(run_folder) as reader:
        found_events = _read_newest_events(reader, limit) if after is None else reader.events(after, limit)
        items = [
            EventResponse(
                id=e.id, time=e.time, attempt=e.attempt, step=e.step, kind=e.kind, message=e.message
            )
            for e in found_events
        ]
    return json_response(EventList(items=items))


@routes.get("/api/runs/{run}/measures", response_model=MeasuresList)
def list_measures(run: RunId, services: ServicesDep) -> Response:
    """Return the measures computed from the record, by step, without superseded steps."""
    run_folder = services.catalog.find_run(run)
    by_step: dict[int, dict[str, float]] = {}
    if run_folder.steps_path.exists():
        with services.catalog.open_steps(run_folder) as reader:
            lineage = reader.lineage()
        with suppress(FileNotFoundError), MeasuresReader(run_folder.measures_path) as measured:
            by_step = measured.by_step(lineage=lineage)
    return json_response(MeasuresList(items=[Measures(step=s, values=dict(v)) for s, v in by_step.items()]))


def _choose_steps(
    services: Services,
    run: RunFolder,
    reader: StepsReader,
    range_: StepRange,
    every: int | None,
    most: int | None,
) -> tuple[list[int] | None, int]:
    """Return the steps to show (None: a regular stride), and the stride."""
    if most is None:
        return None, every or max(1, math.ceil(len(range_) / MOST_STEPS))
    if len(range_) <= most:
        # The whole range fits.
        return list(range(range_.first, range_.last + 1)), 1
    if range_.last > LAST_INDEXED_STEP:
        return None, math.ceil(len(range_) / most)
    recorded_steps, losses = services.run_index.losses(run, reader, range_.first, range_.last)
    return (recorded_steps[keep_extremes([losses], most)].tolist() if len(recorded_steps) else []), 1


def _read_pulses(
    reader: StepsReader, range_: StepRange, selected: list[int] | None, stride: int
) -> list[tuple[int, bytes]]:
    if stride == 1 and selected is None:
        return reader.pulses(range_.first, range_.last, limit=MOST_STEPS)
    return reader.pulses_at(
        range(range_.first, range_.last + 1, stride)[:MOST_STEPS] if selected is None else selected
    )


def _census_frame(run: RunFolder, reader: StepsReader, range_: StepRange) -> bytes:
    """Return the census frame of the step before the requested ones.

    Raises:
        RefusedError: nothing is recorded at or before that step (404).
    """
    previous_step = min(range_.first, range_.newest_step + 1) - 1
    time = read_time(reader, previous_step)
    try:
        return encode(
            read_census(reader, reader.lineage(), previous_step, run.created if time is None else time)
        )
    except NoSnapshotError as error:
        raise RefusedError(404, f"nothing is recorded at or before step {previous_step} yet") from error


def _read_newest_events(reader: StepsReader, limit: int) -> list[steps_file.TimelineEvent]:
    newest: deque[steps_file.TimelineEvent] = deque(maxlen=limit)
    while batch := reader.events(newest[-1].id if newest else 0, limit=MOST_EVENTS):
        newest += batch
    return list(newest)


def _decode_pulse(data: bytes) -> Pulse:
    frame = decode(data)
    if not isinstance(frame, Pulse):
        raise FrameError("a step's record is not a pulse")
    return frame


def _facts(pulse: Pulse) -> dict[str, Any]:
    return {
        "attempt": pulse.attempt,
        "step": pulse.step,
        "time": pulse.time,
        "loss": pulse.loss,
        "learning_rate": pulse.learning_rate,
        "tokens_per_second": pulse.tokens_per_second,
        "step_seconds": pulse.step_seconds,
        "observe_seconds": pulse.observe_seconds,
        "batch_rows": len(pulse.batch_ids),
        "gradient_rows": len(pulse.gradient_ids),
        "moved_rows": len(pulse.moved_ids),
        "verified": pulse.verified,
        "layer_norms": pulse.layer_norms.tolist(),
    }


def _batch_token_ids(run: RunFolder, step: int) -> list[list[int]]:
    """Return the token ids that the step read: the corpus at the positions of its batch, last targets included."""
    if step == 0:
        return []
    try:
        ids = run.token_ids
    except FileNotFoundError:
        return []
    return ids[batch_positions(run.recipe, len(ids), step)].tolist()


def _largest(ids: UInts, values: Floats) -> list[tuple[int, float | None]]:
    order = np.argsort(-values, kind="stable")[:MOST_ROWS]
    return [(int(ids[i]), float(values[i])) for i in order]
