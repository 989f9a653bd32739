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
from lamplighter.runfolder.lineage import attempt_at
from lamplighter.runfolder.reading.snapshot import NoSnapshotError, touches
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables import steps as steps_file
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.steps import StepsReader
from lamplighter.serving.http.caching import Attempt, Span, anything, headers, span, tag, unchanged
from lamplighter.serving.http.content_negotiation import FRAME, JSON, UNCHANGED, choose, described
from lamplighter.serving.http.problems import Refused
from lamplighter.serving.http.route_table import Routes
from lamplighter.serving.reading.downsampling import LEAST, keep_extremes
from lamplighter.serving.reading.run_index import FURTHEST
from lamplighter.serving.schemas.base import Items, Step, as_json
from lamplighter.serving.schemas.steps import Event, Measures, StepInFull, StepInList, Steps
from lamplighter.serving.services import AHouse, House
from lamplighter.wire.frames import Census, Floats, FrameError, Pulse, UInts, decode, decode_as, encode

routes = Routes("steps")

MOST_STEPS = 5_000
MOST_ROWS = 500
MOST_EVENTS = 1_000
_NO_STEPS = Steps(items=[], every=1, extremes=False)


OFFERED = (JSON, FRAME)


@routes.get("/api/runs/{run}/steps", response_model=Steps, responses=described(OFFERED))
def steps(
    run: str,
    request: Request,
    house: AHouse,
    from_: Annotated[Step, Query(alias="from")] = 1,
    to: Step | None = None,
    every: Annotated[int | None, Query(ge=1, le=0xFFFF_FFFF)] = None,
    most: Annotated[int | None, Query(ge=LEAST, le=MOST_STEPS)] = None,
    attempt: Attempt = None,
    format: Annotated[Literal["json", "frame"] | None, Query()] = None,
    census: bool = False,
) -> Response:
    """Return the figures of steps `from` to `to`, inclusive: at most 5,000. `every` takes every n-th step. `most` takes
    about that many: the smallest and the largest loss of each of several equally long stretches. With neither, the
    stride is chosen so that the steps fit.

    As `frame`, return their pulse frames of `docs/wire.md` one after the other, byte for byte as a live viewer got
    them; with `census`, preceded by the census of the step before `from`.
    """
    form = choose(request, OFFERED, format)
    if census and form is not FRAME:
        raise Refused(422, "a census is a frame: ask for format=frame with it")
    found = house.library.find(run)
    if every is not None and most is not None:
        raise Refused(422, "every and most are two ways to take fewer steps: name one of them")
    if not found.steps_path.exists():
        return Response(media_type=FRAME.media_type) if form is FRAME else as_json(_NO_STEPS)
    with house.library.steps(found) as reader:
        asked = span(found, reader, max(1, from_), to, attempt)
        told = headers(tag(found, "steps", asked.line, every, most, form.name, census), lasting=asked.lasting)
        if done := unchanged(request, told) or anything(request, told):
            return done
        kept, stride = _choose(house, found, reader, asked, every, most)
        if stride == 1 and kept is None:
            records = reader.pulses(asked.first, asked.last, limit=MOST_STEPS)
        else:
            chosen = range(asked.first, asked.last + 1, stride)[:MOST_STEPS] if kept is None else kept
            records = reader.pulses_of(chosen)
        if form is FRAME:
            frames = [data for _, data in records]
            if census:
                frames.insert(0, _census(found, reader, asked))
            return Response(b"".join(frames), headers=told, media_type=FRAME.media_type)
        counted = most is not None and asked.last <= FURTHEST
        ever = house.findings.ever_lit(found, reader, [at for at, _ in records]) if counted else []
    items = [
        StepInList(**_facts(_pulse(data)), ever_rows=ever[i] if counted else None)
        for i, (_, data) in enumerate(records)
    ]
    return as_json(Steps(items=items, every=stride, extremes=kept is not None), headers=told)


@routes.get("/api/runs/{run}/steps/{step}", response_model=StepInFull, responses=UNCHANGED)
def step(run: str, step: Step, request: Request, house: AHouse, attempt: Attempt = None) -> Response:
    """Return one step: its batch's text, and its rows by gradient and by distance moved, at most 500 each."""
    found = house.library.find(run)
    with house.library.steps(found) as reader:
        asked = span(found, reader, step, step, attempt)
        told = headers(tag(found, "step", asked.line), lasting=asked.lasting)
        if asked.line and (done := unchanged(request, told)):
            return done
        records = reader.pulses_of([step])
    if not records:
        raise Refused(404, f"step {step} is not recorded; the last is {asked.newest}")
    if done := anything(request, told):
        return done
    pulse = _pulse(records[0][1])
    return as_json(
        StepInFull(
            **_facts(pulse),
            tokens=_batch(found, step),
            gradient=_largest(pulse.gradient_ids, pulse.gradient_norms),
            moved=_largest(pulse.moved_ids, pulse.moved_distances),
        ),
        headers=told,
    )


@routes.get("/api/runs/{run}/events", response_model=Items[Event])
def events(
    run: str,
    house: AHouse,
    after: Annotated[int | None, Query(ge=0, le=0x7FFF_FFFF_FFFF_FFFF)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_EVENTS)] = MOST_EVENTS,
) -> Response:
    """Return the timeline events, oldest first: the newest `limit`, or the first after an id."""
    found = house.library.find(run)
    if not found.steps_path.exists():
        return as_json(Items[Event](items=[]))
    with house.library.steps(found) as reader:
        found_events = _newest_events(reader, limit) if after is None else reader.events(after, limit)
        items = [
            Event(id=e.id, time=e.time, attempt=e.attempt, step=e.step, kind=e.kind, message=e.message)
            for e in found_events
        ]
    return as_json(Items[Event](items=items))


@routes.get("/api/runs/{run}/measures", response_model=Items[Measures])
def measures(run: str, house: AHouse) -> Response:
    """Return the measures computed from the record, by step, without superseded steps."""
    found = house.library.find(run)
    by_step: dict[int, dict[str, float]] = {}
    if found.steps_path.exists():
        with house.library.steps(found) as reader:
            line = reader.line()
        with suppress(FileNotFoundError), MeasuresReader(found.measures_path) as measured:
            by_step = measured.by_step(line=line)
    return as_json(Items[Measures](items=[Measures(step=s, values=dict(v)) for s, v in by_step.items()]))


def _choose(
    house: House, run: RunFolder, reader: StepsReader, asked: Span, every: int | None, most: int | None
) -> tuple[list[int] | None, int]:
    """Return the steps to show (None: a regular stride), and the stride."""
    if most is None:
        return None, every or max(1, math.ceil(len(asked) / MOST_STEPS))
    if len(asked) <= most:
        # The whole range fits.
        return list(range(asked.first, asked.last + 1)), 1
    if asked.last > FURTHEST:
        return None, math.ceil(len(asked) / most)
    at, losses = house.findings.losses(run, reader, asked.first, asked.last)
    return (at[keep_extremes([losses], most)].tolist() if len(at) else []), 1


def _census(run: RunFolder, reader: StepsReader, asked: Span) -> bytes:
    """Return the census frame of the step before the requested ones.

    Raises:
        Refused: nothing is recorded at or before that step (404).
    """
    at = min(asked.first, asked.newest + 1) - 1
    try:
        so_far = touches(reader, at)
    except NoSnapshotError as error:
        raise Refused(404, f"nothing is recorded at or before step {at} yet") from error
    when = [decode_as(data, Pulse).time for _, data in reader.pulses_of([at])]
    time = when[0] if when else run.created
    return encode(Census(attempt_at(reader.line(), at), at, time, so_far.touches, so_far.last_lit))


def _newest_events(reader: StepsReader, limit: int) -> list[steps_file.Event]:
    newest: deque[steps_file.Event] = deque(maxlen=limit)
    while batch := reader.events(newest[-1].id if newest else 0, limit=MOST_EVENTS):
        newest += batch
    return list(newest)


def _pulse(data: bytes) -> Pulse:
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


def _batch(run: RunFolder, step: int) -> list[list[int]]:
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
