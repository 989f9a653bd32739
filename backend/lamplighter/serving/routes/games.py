"""Games that are decided by the rows of the embedding at a step: rounds of *Odd one out*, ways of *Neighbour navigator*."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from fastapi import Query
from numpy.typing import NDArray
from starlette.responses import Response

from lamplighter.geometry.neighbour_navigator import draw_navigation
from lamplighter.geometry.odd_one_out import PRODUCTS_PER_TRY, TRIES, WORDS, draw_rounds
from lamplighter.serving.capacity.thread_pools import Pool
from lamplighter.serving.http.route_table import Routes
from lamplighter.serving.reading.geometry_question import (
    GEOMETRY_ANSWERS,
    SCALING_WORK,
    GeometryRequestDep,
)
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.geometry import NavigatorGame, NeighbourNavigator, OddOneOut, OddOneOutRound

routes = Routes("geometry")

MOST_ROUNDS = 20
MOST_SEED = 1_000_000
MOST_WORDS = 4_000
"""Most words between which one goes: an answer holds the neighbours of all that can be reached, and few people know more words."""

Seed = Annotated[int, Query(ge=0, le=MOST_SEED, description="The same one gives the same game at a step.")]
Rounds = Annotated[int, Query(ge=1, le=MOST_ROUNDS, description="The most rounds to draw.")]


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
    """Return rounds of four words, three of which lie close together in the space of a step and one far from them."""
    asked = asking.open()
    passes = SCALING_WORK + PRODUCTS_PER_TRY * TRIES * rounds
    asked.check_work(passes * len(asked.table) * asked.reply.run.recipe.model.dim, f"{rounds} rounds")

    def make() -> list[bytes]:
        # With the step in the seed, one game does not give away the places of the answers in another.
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


@routes.get(
    "/api/runs/{run}/geometry/neighbour-navigator",
    pool=Pool.DEAR,
    response_model=NeighbourNavigator,
    answers=GEOMETRY_ANSWERS,
)
def get_neighbour_navigator(
    asking: GeometryRequestDep,
    seed: Seed = 0,
) -> Response:
    """Return a start, a goal that can be reached from it by going from each word to one of those nearest to it in the space of
    a step, and the neighbours of all words on the way.
    """
    asked = asking.open()
    most = min(MOST_WORDS, len(asked.table))
    asked.check_work(
        (SCALING_WORK + most) * most * asked.reply.run.recipe.model.dim, f"the neighbours of {most:,} words"
    )

    def make() -> list[bytes]:
        words = np.flatnonzero(asked.table.words())
        playing = _most_frequent(words, asked.reply.run.vocabulary.counts)
        # With the step in the seed, the way at one step is not that at another.
        drawn = draw_navigation(asked.open_matrix().vectors, playing, (seed, asked.facts["step"]))
        return json_body(
            NeighbourNavigator(
                **asked.facts,
                seed=seed,
                words=len(words),
                playing=len(playing),
                game=drawn
                and NavigatorGame(
                    start=asked.word(drawn.way[0]),
                    goal=asked.word(drawn.way[-1]),
                    way=list(drawn.way),
                    token_ids=drawn.rows.tolist(),
                    neighbours=drawn.neighbours.tolist(),
                    chance=drawn.chance.tolist(),
                ),
            )
        )

    return asked.reply.send(asked.large_cost(), make)


def _most_frequent(words: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return at most `MOST_WORDS` of some words, ascending: those that occur most often, or the first where nobody counted."""
    return np.sort(words[np.argsort(-counts[words], kind="stable")[:MOST_WORDS]])
