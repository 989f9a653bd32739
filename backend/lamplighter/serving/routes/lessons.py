"""The course: its parts, and one part with the numbers of a run."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.claims.gathering import read_moment
from lamplighter.contract.sentences import say
from lamplighter.lessons.numbers import find_questions, missing_words, price_text_numbers, resolve_numbers
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.tables.examinations import ExaminationsReader
from lamplighter.serving.reading.board_price import ANSWER_COPIES, price_board
from lamplighter.serving.reading.parameters import RunId
from lamplighter.serving.schemas.base import json_body, json_response
from lamplighter.serving.schemas.lessons import (
    LessonList,
    LessonPart,
    TeacherPageAnswer,
    describe_part,
    describe_parts,
)
from lamplighter.serving.services import ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import LARGE_RESPONSE_BYTES, Pricing
from lamplighter.web.http.route_table import Access, AnswerFacts, Routes

routes = Routes("lessons")

PartNumber = Annotated[int, Path(ge=1, le=99, description="The number of a part of the course.")]
TaughtNumber = Annotated[
    int,
    Path(ge=0, le=99, description="The number of a part of the course; 0: the introduction for teachers."),
]
LanguageCode = Annotated[
    str,
    Query(
        pattern="^[a-z]{2}$",
        description="The language of the text (ISO 639); untranslated parts are in English.",
    ),
]


@routes.get("/api/lessons", pool=Pool.PAGE, pricing=Pricing.FIXED, response_model=LessonList)
def list_lessons(services: ServicesDep, lang: LanguageCode = "en") -> Response:
    """Return the parts of the course, by number."""
    parts, pages = services.lessons.texts(lang)
    return json_response(describe_parts(list(parts.values()), pages))


@routes.get(
    "/api/lessons/{part}/teacher",
    pool=Pool.CHEAP,
    access=Access.PRESENT,
    pricing=Pricing.FIXED,
    response_model=TeacherPageAnswer,
    answers=AnswerFacts(errors=(404,)),
)
def get_teacher_page(part: TaughtNumber, services: ServicesDep, lang: LanguageCode = "en") -> Response:
    """Return the teacher's page about a part: questions to ask, expected answers, and a worksheet. Its links are view
    queries, and its numbers are names of the part's numbers.
    """
    page = services.lessons.teacher_pages(lang).get(part)
    if page is None:
        raise RefusedError(
            404, f"part {part} has no page for the teacher: GET /api/lessons lists those that have"
        )
    return json_response(TeacherPageAnswer.model_validate(vars(page)))


@routes.get(
    "/api/runs/{run}/lessons/{part}",
    polled=True,
    pool=Pool.DEAR,
    response_model=LessonPart,
    answers=AnswerFacts(etag=True, errors=(503,)),
)
def get_lesson(
    run: RunId, part: PartNumber, request: Request, services: ServicesDep, lang: LanguageCode = "en"
) -> Response:
    """Return a part of the course as a tree, with this run's numbers in its text. Asks no question: a stage contains
    the question that the presenter may ask. While the run trains, the numbers are updated every 100 steps, and after
    each new measure or answer.
    """
    reply = services.reply(request, run)
    found = services.lessons.parts(lang).get(part)
    if found is None:
        raise RefusedError(404, say("no_such_part", part=part))
    if not reply.run.is_prepared:
        raise RefusedError(404, say("run_without_numbers", run=reply.run.id))
    moment = read_moment(reply.run)
    questions = find_questions(reply.run, found, moment)
    revisions = [
        (one.id, one.entry and (one.entry.revision, one.entry.state, one.entry.share))
        for one in questions.values()
    ]
    reply.tag("lesson", found.digest, moment, revisions, immutable=False)

    def make() -> list[bytes]:
        lacking = missing_words(found, reply.run.vocabulary)
        numbers = resolve_numbers(reply.run, found, moment, questions, services.claim_figures)
        return json_body(
            describe_part(
                found,
                step=moment.step,
                training=moment.training,
                missing_words=lacking,
                questions=questions,
                numbers=numbers,
            )
        )

    # The rows of its words take less than the board, on which some of its numbers depend.
    size = LARGE_RESPONSE_BYTES + price_board(reply.run, moment) + price_text_numbers(found, reply.run)
    with suppress(*READ_ERRORS), ExaminationsReader(reply.run.examinations_path) as reader:
        size += ANSWER_COPIES * sum(reader.answer_bytes(one.id) for one in questions.values())
    return reply.send(size, make)
