"""The class, for its presenter: the door, the members, what they may see, the presenter's view, the questions and the
predictions of the course.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, Path
from starlette.responses import Response

from lamplighter.claims.gathering import read_moment
from lamplighter.contract.reason import Reason
from lamplighter.contract.sentences import say
from lamplighter.platform.qr_code import qr_rows
from lamplighter.runfolder.run_store import NoSuchRunError
from lamplighter.serving.classroom.classroom import is_our_text
from lamplighter.serving.classroom.questions.asked_questions import write_answers
from lamplighter.serving.classroom.questions.asking import make_question, measure_answer
from lamplighter.serving.classroom.questions.lesson_question import LessonQuestion, make_lesson_question
from lamplighter.serving.classroom.questions.question import Question
from lamplighter.serving.reading.parameters import RunId
from lamplighter.serving.schemas.base import json_response
from lamplighter.serving.schemas.classroom import (
    ClassChange,
    ClassMember,
    ClassQuestion,
    ClassText,
    LessonAnswersList,
    LessonPlace,
    MemberChange,
    PresentedView,
    QuestionChange,
    QuestionToClass,
    SchoolClass,
    TextChange,
)
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.content_negotiation import CSV
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import Pricing
from lamplighter.web.http.route_table import Access, AnswerFacts, Routes
from lamplighter.web.settings import SettingsError

routes = Routes("classroom")

_VIEW_BODY = 4_096
_NO_QUESTION, _NO_VIEWER = say("no_question"), say("no_such_viewer")
_Member = Annotated[str, Path(description="The viewer's id.", pattern=r"^[0-9a-f]{16}$")]


@routes.get(
    "/api/class",
    polled=True,
    pool=Pool.CHEAP,
    access=Access.PRESENT,
    pricing=Pricing.FIXED,
    response_model=SchoolClass,
)
def get_class(services: ServicesDep) -> Response:
    """Return the class: how to join it, its members, what they may see, and the question."""
    return json_response(_describe(services))


@routes.patch(
    "/api/class", pricing=Pricing.FIXED, response_model=SchoolClass, answers=AnswerFacts(errors=(409,))
)
def change_class(change: Annotated[ClassChange, Body()], services: ServicesDep) -> Response:
    """Open or close the door, start or stop listening on the network, let the class follow or not. 409 without a
    class."""
    _require_class(services)
    if change.door is not None:
        services.classroom.door = change.door
    if change.following is not None:
        services.classroom.following = change.following
    if change.listening is not None:
        try:
            (services.class_listening.start if change.listening else services.class_listening.stop)()
        except SettingsError as error:
            raise RefusedError(409, str(error), reason=Reason("class_not_listening")) from error
    return json_response(_describe(services))


@routes.post("/api/class/code", pricing=Pricing.FIXED, response_model=SchoolClass)
def change_code(services: ServicesDep) -> Response:
    """Change the code and the link, which invalidates the old ones. Members stay."""
    services.classroom.renew_code()
    return json_response(_describe(services))


@routes.delete("/api/class/members", pricing=Pricing.FIXED, status_code=204)
def end_class(services: ServicesDep) -> Response:
    """End the class: remove every viewer, change the code, and forget the question and its answers."""
    services.classroom.end_class()
    services.classroom.save()
    return Response(status_code=204)


@routes.delete(
    "/api/class/members/{member}",
    pricing=Pricing.FIXED,
    status_code=204,
    answers=AnswerFacts(errors=(404, 422)),
)
def remove_member(member: _Member, services: ServicesDep) -> Response:
    """Remove a viewer from the class at once. Anyone who knows the code can return: close the door, or change the
    code."""
    if not services.classroom.end_session(member):
        raise RefusedError(404, _NO_VIEWER)
    return Response(status_code=204)


@routes.patch(
    "/api/class/members/{member}",
    pricing=Pricing.FIXED,
    response_model=SchoolClass,
    answers=AnswerFacts(errors=(404,)),
)
def change_member(
    member: _Member, change: Annotated[MemberChange, Body()], services: ServicesDep
) -> Response:
    """Set the role of a viewer."""
    if not services.classroom.set_role(member, change.role):
        raise RefusedError(404, _NO_VIEWER)
    return json_response(_describe(services))


@routes.post("/api/class/texts/{run}", pricing=Pricing.FIXED, response_model=SchoolClass)
def give_text(run: RunId, change: Annotated[TextChange, Body()], services: ServicesDep) -> Response:
    """Let the class see the text of a run, or withdraw it."""
    services.classroom.give_text(services.catalog.find_run(run), change.given)
    return json_response(_describe(services))


@routes.post("/api/class/view", pricing=Pricing.FIXED, status_code=204, body_limit=_VIEW_BODY)
def show_view(view: Annotated[PresentedView, Body()], services: ServicesDep) -> Response:
    """Send the presenter's view to the viewers who follow."""
    services.classroom.show_view(view.query)
    return Response(status_code=204)


@routes.post(
    "/api/class/question",
    pricing=Pricing.FIXED,
    status_code=201,
    response_model=ClassQuestion,
    answers=AnswerFacts(errors=(404, 409)),
)
def ask_class(body: Annotated[QuestionToClass, Body()], services: ServicesDep) -> Response:
    """Ask the class; an earlier question is forgotten, except for those with written answers.

    `about` names the measured quantity, which is read from the record:

    - `lit_next`: the number of different words in the batch of the next step.
    - `lit_word`: whether a word is among them; choice 0 is yes.
    - `read_later`: how often a word is read in the next `steps` steps.
    - `moved_later`: how far a word's vector has moved by then, in percent of its length when the question was asked.
    - `loss_later`: the loss then, the mean over ten steps; `falls_later`: whether that is lower (0) or higher (1).
    - `nearest`: which of two to six `words` then has the highest cosine similarity to the word.

    Nothing is measured for `how` and `change`, the two questions before and after the lesson (`when`): their answers are
    written, kept until the class ends, and shown in `answers.csv` alone. Asked a second time, they open again.
    """
    run = services.catalog.find_run(body.run)
    table = services.catalog.token_table(run)
    question = make_question(body, run, services.catalog.status(run), table)
    question = services.classroom.questions.ask(question)
    return json_response(question.shown_to_presenter(), 201)


@routes.patch(
    "/api/class/question",
    pricing=Pricing.FIXED,
    response_model=ClassQuestion,
    answers=AnswerFacts(errors=(404, 409)),
)
def change_question(change: Annotated[QuestionChange, Body()], services: ServicesDep) -> Response:
    """Close the question, or reveal its answer. 409 while training has not reached the step that answers it."""
    question = services.classroom.questions.current
    if question is None:
        raise RefusedError(404, _NO_QUESTION)
    if change.state == "closed":
        question.close()
    elif question.when:
        raise RefusedError(409, "nothing is measured here: the written answers are in answers.csv")
    elif isinstance(question, LessonQuestion):
        services.lesson_revealer.reveal([question])
        services.classroom.questions.note_lessons_revealed()
    elif question.state != "revealed":
        run = services.catalog.find_run(question.run)
        measured = measure_answer(question, run, services.catalog)
        question.reveal(measured)
    services.classroom.questions.note_changed()
    return json_response(question.shown_to_presenter())


@routes.delete("/api/class/question", pricing=Pricing.FIXED, status_code=204)
def drop_question(services: ServicesDep) -> Response:
    """Forget the question and its answers."""
    services.classroom.questions.drop_current()
    return Response(status_code=204)


@routes.get(
    "/api/class/answers.csv",
    pool=Pool.CHEAP,
    access=Access.PRESENT,
    pricing=Pricing.FIXED,
    answers=AnswerFacts((CSV,), errors=(404,)),
)
def get_answers(services: ServicesDep) -> Response:
    """Return the answers as CSV, sorted and anonymous: all of the course, those of the current question, and the written
    ones. `lamplighter class-report` reads it; `level` is for a teacher who marks the written answers.
    """
    questions = services.classroom.questions
    asked: list[Question] = [*questions.lessons(), *questions.written()]
    if (current := questions.current) is not None and current not in asked:
        asked.append(current)
    if not asked:
        raise RefusedError(404, _NO_QUESTION)
    headers = {"Content-Disposition": 'attachment; filename="answers.csv"', "Cache-Control": "no-store"}
    return Response(write_answers(asked), headers=headers, media_type=f"{CSV.media_type}; charset=utf-8")


def _require_class(services: Services) -> None:
    if not services.class_listening.available:
        raise RefusedError(409, say("class_not_started"))


def _describe(services: Services) -> SchoolClass:
    classroom, listening = services.classroom, services.class_listening
    code, secret = classroom.code_and_secret()
    addresses = [str(address) for address in listening.addresses]
    link = f"{addresses[0]}/#{secret}" if addresses else ""
    _, behind = services.class_hub.counts()
    here = services.class_hub.connected_ids()
    question = classroom.questions.current
    return SchoolClass(
        available=listening.available,
        listening=listening.listening,
        door=classroom.door,
        addresses=addresses,
        code=code,
        link=link,
        qr=qr_rows(link) if link else [],
        encrypted=listening.encrypted,
        most=classroom.most,
        members=[
            ClassMember(
                id=member.id,
                number=member.number,
                browser=member.browser,
                role=member.role,
                joined=member.joined,
                connected=member.id in here,
            )
            for member in classroom.members()
        ],
        connected=len(here),
        behind=behind,
        following=classroom.following,
        texts=_texts(services),
        question=question and question.shown_to_presenter(),
        lessons=classroom.questions.revealed_lessons,
        written=[one.shown_to_presenter() for one in classroom.questions.written()],
        pointed=classroom.pointed,
        wrong_codes=classroom.wrong_codes,
    )


def _texts(services: Services) -> list[ClassText]:
    """Return the permissions of the runs that the class watches, and of the newest."""
    newest = [run.id for run in services.catalog.run_store.runs()[:1]]
    found: list[ClassText] = []
    for run_id in sorted({*services.class_hub.watched_runs(), *newest}):
        try:
            run = services.catalog.find_run(run_id)
            given, own = services.classroom.may_see_text(run), not is_our_text(run)
        except (NoSuchRunError, OSError, ValueError):
            continue
        found.append(ClassText(run=run.id, given=given, own=own))
    return found


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
def come_to_stage(place: Annotated[LessonPlace, Body()], services: ServicesDep) -> Response:
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
