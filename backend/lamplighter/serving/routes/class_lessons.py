"""The course with a class: the presenter's place in it, and the class's predictions."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body
from starlette.responses import Response

from lamplighter.claims.gathering import read_moment
from lamplighter.contract.sentences import say
from lamplighter.serving.classroom.questions.lesson_question import make_lesson_question
from lamplighter.serving.schemas.base import json_response
from lamplighter.serving.schemas.classroom import LessonAnswersList, LessonPlace
from lamplighter.serving.services import LeadingDep, ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import Pricing
from lamplighter.web.http.route_table import Access, AnswerFacts, Routes

routes = Routes("classroom")


@routes.get(
    "/api/class/lessons",
    pool=Pool.CHEAP,
    access=Access.PRESENT,
    pricing=Pricing.FIXED,
    response_model=LessonAnswersList,
)
def get_lesson_answers(services: ServicesDep) -> Response:
    """Return the class's revealed predictions in the course, beside the measured numbers."""
    return json_response(LessonAnswersList(items=services.classroom.questions.shown_lessons()))


@routes.post(
    "/api/class/lesson",
    pricing=Pricing.FIXED,
    status_code=204,
    answers=AnswerFacts(errors=(404, 409)),
)
def come_to_stage(place: Annotated[LessonPlace, Body()], services: LeadingDep) -> Response:
    """Set the presenter's place in the course. The class is asked a stage's prediction, which closes when the presenter
    moves on; at a number, and at the end of a part, the predictions so far are revealed. Part 0 leaves the course.
    """
    if not services.class_listening.available:
        raise RefusedError(409, say("class_not_started"))
    classroom, revealer = services.classroom, services.lesson_revealer
    if not place.part:
        classroom.questions.close_lesson(leave=True)
        return Response(status_code=204)
    run, part = revealer.find_part(place.run, place.part, place.lang)
    if place.stage > len(part.stages):
        raise RefusedError(
            404, f"part {part.number} has {len(part.stages)} stages, so there is no stage {place.stage}"
        )
    stage = part.stages[place.stage - 1]
    if stage.prediction:
        step = read_moment(run).step
        classroom.questions.ask_lesson(
            make_lesson_question(part, place.stage, stage.prediction, run.id, step)
        )
    else:
        classroom.questions.close_lesson()
    if stage.kind == "number" or place.stage == len(part.stages):
        before = [
            one
            for one in classroom.questions.lessons()
            if one.stands_before(run.id, part.number, place.stage)
        ]
        if revealer.reveal(before):
            classroom.questions.note_lessons_revealed()
    return Response(status_code=204)
