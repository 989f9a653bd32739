"""The board of claims: what a run shows of 28 statements about learning."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from lamplighter.claims.board import list_board_questions, make_board
from lamplighter.claims.control import find_other_seed, gather_with_control, read_control
from lamplighter.claims.gathering import read_moment
from lamplighter.contract.sentences import say
from lamplighter.serving.reading.board_price import price_board
from lamplighter.serving.reading.parameters import RunId
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.claims import ClaimBoard, describe_board
from lamplighter.serving.services import ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import LARGE_RESPONSE_BYTES
from lamplighter.web.http.route_table import AnswerFacts, Routes

routes = Routes("claims")


@routes.get(
    "/api/runs/{run}/claims",
    polled=True,
    pool=Pool.DEAR,
    response_model=ClaimBoard,
    answers=AnswerFacts(etag=True, errors=(503,)),
)
def list_claims(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return 28 statements about learning, each with its numbers on this run, their null values, the state derived by a
    rule, and the same for the control, if there is one; and the questions for the model that they wait for. Asks no
    question. While the run or its control trains, the board is updated every 100 steps, and after each new measure or
    answer.
    """
    reply = services.reply(request, run)
    if not reply.run.is_prepared:
        raise RefusedError(404, say("run_without_claims", run=reply.run.id))
    moment, control = read_moment(reply.run), read_control(reply.run)
    other_seed = find_other_seed(reply.run, moment.step)
    reply.tag("claims", moment, control and control.key, other_seed and other_seed.id, immutable=False)

    def make() -> list[bytes]:
        evidence = gather_with_control(reply.run, services.claim_figures, moment, control, other_seed)
        questions = list_board_questions(evidence, moment.lineage)
        return json_body(describe_board(evidence, make_board(evidence), questions, control))

    price = price_board(reply.run, moment)
    if control is not None:
        # It has as many rows of the same width; reading its own vocabulary would be slow.
        price += price_board(reply.run, control.moment)
    # As a large response it is made once for all concurrent requests.
    return reply.send(LARGE_RESPONSE_BYTES + price, make)
