"""Steps, events, measures and lines of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.contract.sentences import say
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.curves import read_curve_measures
from lamplighter.runfolder.reading.snapshot import read_census, read_time
from lamplighter.runfolder.reading.step_figures import read_step_figures, step_facts
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.lines import decode_lines
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.reading.parameters import (
    AFTER,
    FORMAT,
    AttemptParam,
    FromStep,
    RunId,
    StepPath,
    ToStep,
)
from lamplighter.serving.reading.step_reading import (
    MAX_BYTES,
    MAX_STEPS,
    MIN_POINTS,
    PulseSelection,
    compare_row_sets,
    read_batch_text,
    select_pulses,
)
from lamplighter.serving.schemas.base import json_body, to_json_text
from lamplighter.serving.schemas.steps import (
    Event,
    EventList,
    LineSet,
    LinesList,
    Measures,
    MeasuresFilling,
    MeasuresList,
    StepDetails,
    Steps,
    StepSummary,
    StepText,
)
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.access.decision import caller_sees_text
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.content_negotiation import FRAME, JSON, negotiate_format
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import (
    BOUNDED_COST,
    CENSUS_BYTES,
    EVENT_BYTES,
    FROM_PYTHON,
    LIST_ENTRY_BYTES,
    check_bytes,
    check_json_numbers,
)
from lamplighter.web.http.route_table import AnswerFacts, Routes
from lamplighter.web.http.step_range import StepRange, resolve_step_range
from lamplighter.web.http.streaming import json_parts
from lamplighter.wire.binary import Floats, FrameError, UInts
from lamplighter.wire.frames import decode, encode
from lamplighter.wire.pulse_frames import Pulse

routes = Routes("steps")

MAX_ROWS = 500
MAX_EVENTS = 1_000
MAX_SEQUENCES = 64
_NO_STEPS = Steps(items=[], every=1, extremes=False)
OFFERED = (JSON, FRAME)
_LAYER_BYTES = 60
_TOKEN_TEXT_BYTES = 7
_VALUE_BYTES = 40
_MEASURED_AT_ONCE = 200


@routes.get(
    "/api/runs/{run}/steps",
    pool=Pool.DEAR,
    response_model=Steps,
    answers=AnswerFacts(OFFERED, etag=True, errors=(503,)),
)
def list_steps(
    run: RunId,
    request: Request,
    services: ServicesDep,
    from_: FromStep = 1,
    to: ToStep = None,
    every: Annotated[
        int | None, Query(ge=1, le=0xFFFF_FFFF, description="Return every n-th step. With `most`, 422.")
    ] = None,
    most: Annotated[
        int | None,
        Query(
            ge=MIN_POINTS,
            le=MAX_STEPS,
            description="Return about that many, including the extremes of the loss.",
        ),
    ] = None,
    attempt: AttemptParam = None,
    format: Annotated[Literal["json", "frame"] | None, FORMAT] = None,
    census: Annotated[
        bool, Query(description="Start with the census before `from`; only with `format=frame`, else 422.")
    ] = False,
) -> Response:
    """Return the figures of steps `from` to `to`, inclusive: at most 5,000. `every` selects every n-th step. `most`
    selects about that many: the smallest and the largest loss of each of several equally long stretches. With neither,
    the stride is chosen so that the steps fit.

    As `frame`, return their pulse frames of `docs/wire.md`, concatenated, byte for byte as sent to live viewers; with
    `census`, preceded by the census of the step before `from`.
    """
    if census and negotiate_format(request, OFFERED, format) is not FRAME:
        raise RefusedError(422, "a census is a frame: ask for format=frame with it")
    reply = services.reply(request, run, OFFERED, format)
    if every is not None and most is not None:
        raise RefusedError(422, "every and most both reduce the steps: use only one of them")
    if not reply.run.steps_path.exists():
        return reply.send(BOUNDED_COST, lambda: [] if reply.form is FRAME else json_body(_NO_STEPS))
    with services.catalog.open_steps(reply.run) as reader:
        range_ = resolve_step_range(reply.run, reader, max(1, from_), to, attempt)
        reply.tag("steps", range_.lineage, every, most, reply.form.name, census, immutable=range_.immutable)
        selection = select_pulses(services.run_index, reply.run, reader, range_, every, most)
        if reply.form is FRAME:
            size = selection.weigh(reader) + (CENSUS_BYTES * len(reply.run.vocabulary) if census else 0)
        else:
            each = LIST_ENTRY_BYTES + _LAYER_BYTES * selection.count_layers(reader)
            size = each * len(selection.steps)
    if reply.form is FRAME:
        return reply.send(size, lambda: _read_frames(services, reply.run, selection, census=census))
    return reply.send(size, lambda: _summaries(services, reply.run, selection))


@routes.get(
    "/api/runs/{run}/steps/{step}",
    pool=Pool.CHEAP,
    response_model=StepDetails,
    answers=AnswerFacts(etag=True, errors=(503,)),
)
def get_step(
    run: RunId, step: StepPath, request: Request, services: ServicesDep, attempt: AttemptParam = None
) -> Response:
    """Return one step: its batch's text, its rows by gradient and by distance moved, at most 500 each, and the rows
    that are in one set but not in another."""
    reply = services.reply(request, run)
    with services.catalog.open_steps(reply.run) as reader:
        range_ = resolve_step_range(reply.run, reader, step, step, attempt)
        reply.tag("step", range_.lineage, immutable=range_.immutable)
        tokens = reply.run.recipe.batch_tokens + reply.run.recipe.sequences
        check_json_numbers(JSON, tokens, FROM_PYTHON, what="the tokens of its batch")

        size = sum(reader.pulse_sizes([step])) + _TOKEN_TEXT_BYTES * tokens

    def make() -> Iterable[bytes]:
        with services.catalog.open_steps(reply.run) as reader:
            records = reader.pulses_at([step])
        if not records:
            raise RefusedError(404, say("step_not_recorded", step=step, last=range_.newest_step))
        pulse = _decode_pulse(records[0][1])
        details = StepDetails(
            **step_facts(pulse),
            tokens=[],
            gradient=_largest(pulse.gradient_ids, pulse.gradient_norms) if pulse.gradient_known else None,
            moved=_largest(pulse.moved_ids, pulse.moved_distances) if pulse.moved_known else None,
            differences=compare_row_sets(pulse),
        )
        return json_parts(details.model_dump(exclude={"tokens"}), "tokens", read_batch_text(reply.run, step))

    return reply.send(size, make)


@routes.get(
    "/api/runs/{run}/steps/{step}/text",
    pool=Pool.CHEAP,
    response_model=StepText,
    answers=AnswerFacts(etag=True, errors=(503,)),
)
def get_step_text(
    run: RunId,
    step: StepPath,
    request: Request,
    services: ServicesDep,
    sequences: Annotated[
        int, Query(ge=1, le=MAX_SEQUENCES, description="Maximum number of sequences of the batch to return.")
    ] = 1,
    attempt: AttemptParam = None,
) -> Response:
    """Return the beginning of the text that one step read: the first sequences of its batch."""
    reply = services.reply(request, run)
    with services.catalog.open_steps(reply.run) as reader:
        range_ = resolve_step_range(reply.run, reader, step, step, attempt)
        if not reader.pulse_sizes([step]):
            raise RefusedError(404, say("step_not_recorded", step=step, last=range_.newest_step))
    reply.tag("text", range_.lineage, sequences, immutable=range_.immutable)
    size = _TOKEN_TEXT_BYTES * sequences * (reply.run.recipe.model.context + 1)
    return reply.send(
        size, lambda: json_parts({"step": step}, "tokens", read_batch_text(reply.run, step, sequences))
    )


@routes.get("/api/runs/{run}/events", pool=Pool.CHEAP, response_model=EventList)
def list_events(
    run: RunId,
    request: Request,
    services: ServicesDep,
    after: Annotated[int | None, AFTER] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_EVENTS, description="The most events to return.")] = MAX_EVENTS,
) -> Response:
    """Return the timeline events, oldest first: the newest `limit`, or the first after an id."""
    reply = services.reply(request, run)

    def make() -> list[bytes]:
        if not reply.run.steps_path.exists():
            return json_body(EventList(items=[]))
        with services.catalog.open_steps(reply.run) as reader:
            found = reader.newest_events(limit) if after is None else reader.events(after, limit)
        if not caller_sees_text(request, reply.run):
            # A trainer's error message may quote the text or name its file.
            found = [replace(event, message="") for event in found]
        return json_body(EventList(items=[Event(**vars(event)) for event in found]))

    return reply.send(EVENT_BYTES * limit, make)


@routes.get(
    "/api/runs/{run}/measures",
    pool=Pool.CHEAP,
    response_model=MeasuresList,
    answers=AnswerFacts(errors=(422, 503)),
)
def list_measures(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return the measures computed from the record, by step, without superseded steps. 422 if there are too many for
    one response.
    """
    reply = services.reply(request, run)
    count = characters = 0
    lineage, filling = Lineage(), None
    with suppress(RefusedError), services.catalog.open_history(reply.run) as history:
        lineage = history.steps.lineage()
        if history.steps.phase().has_ended:
            curve = read_curve_measures(reply.run, history)
            filling = MeasuresFilling(filled=curve.filled, of=len(curve.wanted))
    with suppress(FileNotFoundError), MeasuresReader(reply.run.measures_path) as measured:
        count, characters = measured.size()
    size = characters + _VALUE_BYTES * count
    check_json_numbers(JSON, count, FROM_PYTHON, what="the measures of this run")
    check_bytes("the measures of this run", size, MAX_BYTES, FROM_PYTHON)
    return reply.send(size, lambda: _measures(reply.run, lineage, filling))


def _measures(run: RunFolder, lineage: Lineage, filling: MeasuresFilling | None) -> Iterator[bytes]:
    yield f'{{"filling":{"null" if filling is None else to_json_text(filling)},"items":['.encode()
    separator = b""
    with suppress(FileNotFoundError), MeasuresReader(run.measures_path) as measured:
        steps = measured.steps() if lineage else []
        for start in range(0, len(steps), _MEASURED_AT_ONCE):
            some = steps[start : start + _MEASURED_AT_ONCE]
            for step, values in measured.by_step(int(some[0]), int(some[-1]), lineage=lineage).items():
                yield separator + to_json_text(Measures(step=step, values=dict(values))).encode()
                separator = b","
    yield b"]}"


def _read_frames(
    services: Services, run: RunFolder, selection: PulseSelection, *, census: bool
) -> Iterator[bytes]:
    with services.catalog.open_steps(run) as reader:
        if census:
            yield _census_frame(run, reader, selection.range_)
        yield from selection.read_pulses(reader)


def _summaries(services: Services, run: RunFolder, selection: PulseSelection) -> list[bytes]:
    with services.catalog.open_steps(run) as reader:
        # The rows of a pulse are large: keep only its figures.
        figures = read_step_figures(run)
        if figures is not None:
            facts = figures.facts_at(list(selection.steps))
        else:
            facts = [step_facts(_decode_pulse(record)) for record in selection.read_pulses(reader)]
        counts: list[int] | list[None] = [None] * len(facts)
        if selection.counted:
            counts = services.run_index.touched_row_counts(run, reader, [one["step"] for one in facts])
    # 0 after a step means that no batch is recorded.
    items = [StepSummary(**one, ever_rows=count or None) for one, count in zip(facts, counts, strict=True)]
    return json_body(Steps(items=items, every=selection.stride, extremes=selection.extremes))


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


def _decode_pulse(data: bytes) -> Pulse:
    frame = decode(data)
    if not isinstance(frame, Pulse):
        raise FrameError("a step's record is not a pulse")
    return frame


def _largest(ids: UInts, values: Floats) -> list[tuple[int, float | None]]:
    order = np.argsort(-values, kind="stable")[:MAX_ROWS]
    return [(int(ids[i]), float(values[i])) for i in order]


MAX_SAID = 5_000
"""Maximum number of steps with lines in one response: those of a run of a million steps."""
_SAID_AT_ONCE = 100
_LINE_COPIES = 4
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
    return reply.send(_LINE_COPIES * sum(sizes.values()), lambda: _line_parts(services, reply.run, range_))


def _line_parts(services: Services, run: RunFolder, range_: StepRange) -> Iterator[bytes]:
    yield b'{"items":['
    separator = b""
    first = range_.first
    while first <= range_.last:
        with services.catalog.open_steps(run) as reader:
            range_.require_current(reader)
            found = reader.lines(first, range_.last, _SAID_AT_ONCE)
        for step, text in found.items():
            lines = decode_lines(text, len(run.vocabulary))
            item = LineSet(step=step, attempt=range_.lineage.attempt_at(step), lines=lines)
            yield separator + to_json_text(item).encode()
            separator = b","
        if len(found) < _SAID_AT_ONCE:
            break
        first = max(found) + 1
    yield b"]}"
