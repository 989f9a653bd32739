"""Rounds of the game *Odd one out*, decided by the rows of the embedding at a step."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from lamplighter.geometry.odd_one_out import PRODUCTS_PER_TRY, TRIES, WORDS, draw_rounds
from lamplighter.serving.reading.geometry_question import GEOMETRY_ANSWERS, SCALING_WORK, GeometryRequestDep
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.geometry import OddOneOut, OddOneOutRound
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.route_table import Routes

routes = Routes("geometry")

MAX_ROUNDS = 20
MAX_SEED = 1_000_000

Seed = Annotated[int, Query(ge=0, le=MAX_SEED, description="The same seed gives the same game at a step.")]
Rounds = Annotated[int, Query(ge=1, le=MAX_ROUNDS, description="Maximum number of rounds.")]


@routes.get(
    "/api/runs/{run}/geometry/odd-one-out",
    pool=Pool.DEAR,
    response_model=OddOneOut,
    answers=GEOMETRY_ANSWERS,
)
def get_odd_one_out(
    asking: GeometryRequestDep,
    seed: Seed = 0,
    rounds: Rounds = 10,
) -> Response:
    """Return rounds of four words, three of which are close together in the embedding at a step and one far from
    them."""
    asked = asking.open()
    passes = SCALING_WORK + PRODUCTS_PER_TRY * TRIES * rounds
    asked.check_work(passes * len(asked.table) * asked.reply.run.recipe.model.dim, f"{rounds} rounds")

    def make() -> list[bytes]:
        # The step is part of the seed, so that a game does not reveal the answers of another.
        drawn = draw_rounds(
            asked.open_matrix().vectors, asked.table.words(), rounds, (seed, asked.facts["step"])
        )
        return json_body(
            OddOneOut(
                **asked.facts,
                seed=seed,
                chance=1 / WORDS,
                rounds=[
                    OddOneOutRound(
                        words=[asked.word(row) for row in found.rows],
                        odd=found.odd,
                        cosine=found.cosines.tolist(),
                    )
                    for found in drawn
                ],
            )
        )

    return asked.reply.send(asked.large_cost(), make)
