"""Requests to a run: pause, pace, continue, change the map; and questions to its model, with their answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Body, Path
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.contract.answers import StoredAnswerError, parse_answer
from lamplighter.contract.questions import Question, QuestionError
from lamplighter.contract.strict_input import explain_validation_error
from lamplighter.processes.asked_question import (
    AskedQuestion,
    ExaminationRefusedError,
    ask_question,
    ask_to_cancel,
    check_question,
    read_examination,
)
from lamplighter.runfolder.importing.imported_run import is_imported
from lamplighter.runfolder.reading.current_map import merge_settings, read_map_settings
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.examinations import ExaminationEntry, ExaminationsReader
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.serving.jobs.examiners import OpenQuestion
from lamplighter.serving.reading.parameters import RunId
from lamplighter.serving.schemas.base import json_body, json_response, to_json_text
from lamplighter.serving.schemas.requests import (
    AcceptedRequest,
    ContinueRequest,
    Examination,
    ExaminationDetails,
    ExaminationList,
    MapRequest,
    RunRequest,
    describe_examination,
)
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.problems import FieldError, RefusedError
from lamplighter.web.http.response_cost import BOUNDED_COST, LIST_ENTRY_BYTES, Pricing
from lamplighter.web.http.route_table import AnswerFacts, Routes

routes = Routes("requests")

_ANSWERS = AnswerFacts(errors=(507,))


@routes.post(
    "/api/runs/{run}/requests",
    pricing=Pricing.FIXED,
    status_code=202,
    response_model=AcceptedRequest,
    answers=_ANSWERS,
)
def send_request(
    request: Request, run: RunId, run_request: Annotated[RunRequest, Body()], services: ServicesDep
) -> Response:
    """Send a request to a run. It takes effect at a step boundary and is then acknowledged on the live socket. 409 if
    it cannot take effect: a finished run can only be continued, and only once. 507 on a full disk; a pause and a stop
    use reserved space.
    """
    request.state.audited = run_request.kind
    run_folder = services.catalog.find_run(run)
    if isinstance(run_request, MapRequest):
        return _store_map_change(run_folder, run_request, services)
    body = run_request.model_dump(exclude={"kind", "confirmed"})
    if isinstance(run_request, ContinueRequest):
        services.require_request_fits(run_folder, run_request.kind)
        services.require_confirmed(run_folder, "Continuing it", confirmed=run_request.confirmed)
        if run_request.learning_rate is None:
            del body["learning_rate"]
    accepted = services.store_request(run_folder, run_request.kind, body)
    return json_response(AcceptedRequest(request=accepted), 202)


def _store_map_change(run: RunFolder, run_request: MapRequest, services: Services) -> Response:
    """Store a map change. It is possible in any phase: a projector is started for it if none is running."""
    body = run_request.model_dump(exclude={"kind"}, exclude_none=True)
    with services.request_lock:
        try:
            merge_settings(read_map_settings(run).requested, body)
        except ValidationError as error:
            raise RefusedError(422, explain_validation_error(error)) from error
        number = RequestsWriter(run.path, services.server_id).add("map", body)
    return json_response(AcceptedRequest(request=f"{services.server_id}:{number}"), 202)


ExaminationId = Annotated[
    str, Path(description="The question's id.", json_schema_extra={"pattern": "^[0-9a-f]{16}$"})
]
_PARSED = 24
"""Bytes of a parsed answer for each byte of its JSON."""
_COPIES = 12
"""Copies of a question in memory while a list is made: as text, as objects, and as the response's JSON."""


@routes.post(
    "/api/runs/{run}/examinations",
    tags=["examinations"],
    status_code=202,
    response_model=Examination,
    answers=AnswerFacts(errors=(507,)),
)
def ask_about_model(
    request: Request,
    run: RunId,
    question: Annotated[Question, Body(discriminator="kind")],
    services: ServicesDep,
) -> Response:
    """Ask about a run's model after a step. The examiner, a process that is started for it, recomputes the recorded
    steps up to there; the live socket reports the state of the question. The same question is answered once. 409 if the
    run has no model here, or has not reached that step.
    """
    request.state.audited = f"examine ({question.kind})"
    reply = services.reply(request, run, status=202)
    asked = _check(reply.run, question)
    services.require_confirmed(reply.run, "Asking its model", confirmed=question.confirmed)
    entry = read_examination(reply.run, asked.id)
    if entry is None or entry.state != "done":
        _ask(reply.run, asked, services)
    reply.add_header("Location", f"/api/runs/{reply.run.id}/examinations/{asked.id}")
    return reply.send(
        BOUNDED_COST, lambda: json_body(describe_examination(_find(reply.run, asked.id, services)))
    )


@routes.post("/api/runs/{run}/examiner", tags=["examinations"], pricing=Pricing.FIXED, status_code=204)
def prepare_examiner(run: RunId, services: ServicesDep) -> Response:
    """Start a run's examiner, which takes seconds, because a question is being written. Nothing happens if it runs
    already, if the run has no model here, or if it was imported, whose questions need a confirmation.
    """
    found = services.catalog.find_run(run)
    if found.is_prepared and found.recipe.corpus.kind != "recorded" and not is_imported(found):
        services.examiner_jobs.prepare(found)
    return Response(status_code=204)


@routes.get(
    "/api/runs/{run}/examinations", tags=["examinations"], pool=Pool.CHEAP, response_model=ExaminationList
)
def list_examinations(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return the questions about a run, without their answers."""
    reply = services.reply(request, run)
    count, size = 0, 0
    try:
        with ExaminationsReader(reply.run.examinations_path) as reader:
            count, size = reader.size()
    except FileNotFoundError:
        pass
    cost = LIST_ENTRY_BYTES * count + _COPIES * size
    return reply.send(
        cost,
        lambda: json_body(
            ExaminationList(items=[describe_examination(entry) for entry in _list(reply.run, services)])
        ),
    )


@routes.get(
    "/api/runs/{run}/examinations/{examination}",
    tags=["examinations"],
    pool=Pool.CHEAP,
    response_model=ExaminationDetails,
    answers=AnswerFacts(etag=True),
)
def get_examination(
    run: RunId, examination: ExaminationId, request: Request, services: ServicesDep
) -> Response:
    """Return a question and, once it is done, its answer."""
    reply = services.reply(request, run)
    entry = _find(reply.run, examination, services)
    size = 0
    if entry.state == "done":
        with ExaminationsReader(reply.run.examinations_path) as reader:
            size = reader.answer_bytes(examination)
    reply.tag("examination", entry.id, entry.revision, entry.state, entry.problem, immutable=False)
    return reply.send(BOUNDED_COST + _PARSED * size, lambda: [_with_answer(reply.run, entry)])


@routes.delete(
    "/api/runs/{run}/examinations/{examination}",
    tags=["examinations"],
    pricing=Pricing.FIXED,
    status_code=204,
    answers=AnswerFacts(errors=(507,)),
)
def cancel_examination(run: RunId, examination: ExaminationId, services: ServicesDep) -> Response:
    """Cancel a question that is not answered yet. An answered one keeps its answer."""
    found = services.catalog.find_run(run)
    if _find(found, examination, services).is_open:
        with services.request_lock:
            ask_to_cancel(found, services.server_id, examination)
    return Response(status_code=204)


def _check(run: RunFolder, question: Question) -> AskedQuestion:
    try:
        return check_question(run, question)
    except ExaminationRefusedError as error:
        raise RefusedError(409, str(error), reason=error.reason) from error
    except QuestionError as error:
        field, _, message = str(error).partition(": ")
        faults = [FieldError(field=field, message=message)]
        raise RefusedError(422, str(error), faults, reason=error.reason) from error


def _ask(run: RunFolder, asked: AskedQuestion, services: Services) -> None:
    def write() -> int:
        with services.request_lock:
            return ask_question(run, services.server_id, asked)

    services.examiner_jobs.ask(run, asked, write)


def _find(run: RunFolder, asked_id: str, services: Services) -> ExaminationEntry:
    """Return the state of a question.

    Raises:
        RefusedError: it was never asked (404).
    """
    found = next((entry for entry in _list(run, services, asked_id) if entry.id == asked_id), None)
    if found is None:
        raise RefusedError(404, f"there is no question {asked_id[:16]!r} about this run")
    return found


def _list(run: RunFolder, services: Services, asked_id: str | None = None) -> list[ExaminationEntry]:
    """Return the questions about a run, or one of them, including those of this server that no examiner has read
    yet."""
    pending = {question.asked.id: question for question in services.examiner_jobs.open_questions(run)}
    found: dict[str, ExaminationEntry] = {}
    applied = 0
    try:
        with ExaminationsReader(run.examinations_path) as reader:
            applied = reader.last_applied().get(services.server_id, 0)
            entries = reader.entries() if asked_id is None else [reader.entry(asked_id)]
        found = {entry.id: entry for entry in entries if entry is not None}
    except FileNotFoundError:
        pass
    problem = services.examiner_jobs.problem(run)
    for name, question in pending.items():
        if asked_id in (None, name):
            found[name] = _as_it_is(found.get(name), question, problem, taken_up=question.request <= applied)
    return list(found.values())


def _as_it_is(
    entry: ExaminationEntry | None, question: OpenQuestion, problem: str | None, *, taken_up: bool
) -> ExaminationEntry:
    if entry is None or not taken_up:
        entry = ExaminationEntry(
            id=question.asked.id,
            **question.asked.as_fields(),
            state="waiting",
            share=0.0,
            activity="",
            problem=None,
            asked=0.0,
            made=None,
            tries=0,
            revision=0,
        )
    if problem is not None and entry.is_open:
        return replace(entry, state="failed", problem=problem)
    return entry


def _with_answer(run: RunFolder, entry: ExaminationEntry) -> bytes:
    answer = None
    if entry.state == "done":
        with ExaminationsReader(run.examinations_path) as reader:
            answer = reader.answer(entry.id)
        try:
            parse_answer(entry.kind, answer or "null")
        except StoredAnswerError:
            answer = None
    body = to_json_text(describe_examination(entry))
    return f'{body[:-1]},"answer":{answer or "null"}}}'.encode()
