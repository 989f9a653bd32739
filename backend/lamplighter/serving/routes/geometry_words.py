"""Geometry of chosen words at a step: an analogy, an axis, the ranks of pairs, and the games."""

from __future__ import annotations

import re
from typing import Annotated

import numpy as np
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.geometry.analogies import answer_analogy, chance_accuracy, measure_axis
from lamplighter.geometry.neighbours import nearest_rows
from lamplighter.geometry.odd_one_out import PRODUCTS_PER_TRY, TRIES, WORDS, draw_rounds
from lamplighter.geometry.pairs import mutual_ranks_of_pairs, mutual_ranks_of_units
from lamplighter.runfolder.reading.curves import choose_curve_steps
from lamplighter.serving.reading.geometry_question import (
    GEOMETRY_ANSWERS,
    SCALING_WORK,
    GeometryQuestion,
    GeometryRequestDep,
)
from lamplighter.serving.reading.parameters import AttemptParam, RunId, ToStep
from lamplighter.serving.reading.token_table import ID_LIST, TokenTable, parse_id_list, require_token
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.geometry import (
    Analogy,
    AxisPositions,
    OddOneOut,
    OddOneOutRound,
    PairRank,
    PairRankCurves,
    PairRanks,
    PairRankSeries,
)
from lamplighter.serving.schemas.vectors import Neighbour
from lamplighter.serving.services import ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.problems import FieldError, RefusedError
from lamplighter.web.http.response_cost import check_json_numbers
from lamplighter.web.http.route_table import AnswerFacts, Routes
from lamplighter.web.http.step_range import resolve_step_range
from living_map.rows import unit_rows

routes = Routes("geometry")

MAX_END_TOKENS = 500
"""Maximum number of tokens at one end of an axis."""
MAX_PAIRS = 16
"""Maximum number of pairs in one request."""
PAIR_LIST = r"[0-9]{1,7}-[0-9]{1,7}(,[0-9]{1,7}-[0-9]{1,7})*"

AnalogyWord = Annotated[int, Query(ge=0, le=0xFFFF_FFFF, description="The id of a token of a - b + c.")]
AxisEnd = Annotated[
    str,
    Query(
        max_length=MAX_END_TOKENS * 8,
        description=f"The tokens of one end: at most {MAX_END_TOKENS} ids separated by commas, each once.",
        json_schema_extra={"pattern": f"^{ID_LIST}$"},
    ),
]
PairList = Annotated[
    str,
    Query(
        max_length=MAX_PAIRS * 16,
        description=f"At most {MAX_PAIRS} pairs of ids, as in pairs=3-17,5-99.",
        json_schema_extra={"pattern": f"^{PAIR_LIST}$"},
    ),
]


@routes.get(
    "/api/runs/{run}/geometry/analogy", pool=Pool.DEAR, response_model=Analogy, answers=GEOMETRY_ANSWERS
)
def get_analogy(
    asking: GeometryRequestDep,
    a: AnalogyWord,
    b: AnalogyWord,
    c: AnalogyWord,
    most: Annotated[int, Query(ge=1, le=100, description="Maximum number of answers to list.")] = 10,
) -> Response:
    """Return the words nearest to a - b + c by cosine, with and without excluding the three, and those nearest to c
    alone.
    """
    asked = asking.open()
    for token_id in (a, b, c):
        require_token(asked.table, token_id)

    def make() -> list[bytes]:
        vectors = asked.open_rows().vectors
        ruled, whole = answer_analogy(vectors, a, b, c, most)
        ids, cosines = nearest_rows(vectors, np.array([c]), most + 2)
        others = ~np.isin(ids[0], (a, b))
        return json_body(
            Analogy(
                **asked.facts,
                a=asked.word(a),
                b=asked.word(b),
                c=asked.word(c),
                with_rule=asked.neighbours(*ruled),
                without_rule=asked.neighbours(*whole),
                nearest_of_c=asked.neighbours(ids[0][others][:most], cosines[0][others][:most]),
                chance=chance_accuracy(len(vectors)),
            )
        )

    return asked.reply.send(asked.pass_cost(3 * most * len(Neighbour.model_fields)), make)


@routes.get(
    "/api/runs/{run}/geometry/axis", pool=Pool.DEAR, response_model=AxisPositions, answers=GEOMETRY_ANSWERS
)
def get_axis(
    asking: GeometryRequestDep, from_: Annotated[AxisEnd, Query(alias="from")], to: AxisEnd
) -> Response:
    """Return the position of every token along the direction from the mean of some rows to the mean of others."""
    asked = asking.open()
    start = parse_id_list(asked.table, from_, "from", MAX_END_TOKENS)
    end = parse_id_list(asked.table, to, "to", MAX_END_TOKENS)
    check_json_numbers(asked.reply.form, len(asked.table), "read the rows with format=npy instead")

    def make() -> list[bytes]:
        axis = measure_axis(asked.open_rows().vectors, start, end)
        return json_body(
            AxisPositions(
                **asked.facts,
                from_=[asked.word(token_id) for token_id in start.tolist()],
                to=[asked.word(token_id) for token_id in end.tolist()],
                length=axis.length,
                positions=None if axis.positions is None else axis.positions.tolist(),
                spread=axis.spread,
                spread_chance=axis.spread_by_chance,
            )
        )

    return asked.reply.send(asked.pass_cost(len(asked.table)), make)


@routes.get(
    "/api/runs/{run}/geometry/ranks", pool=Pool.DEAR, response_model=PairRanks, answers=GEOMETRY_ANSWERS
)
def get_pair_ranks(asking: GeometryRequestDep, pairs: PairList) -> Response:
    """Return the rank of each word of some pairs among the words nearest to the other, by cosine, at a step."""
    asked = asking.open()
    wanted = _parse_pairs(asked.table, pairs)

    def make() -> list[bytes]:
        class_of = asked.reply.run.vocabulary.class_of()
        items: list[PairRank] = []
        ranks = mutual_ranks_of_pairs(asked.open_rows().vectors, wanted)
        for (a, b), (rank_of_b, rank_of_a, cosine) in zip(wanted, ranks, strict=True):
            together = class_of[a] >= 0 and class_of[a] == class_of[b]
            items.append(
                PairRank(
                    a=asked.word(a),
                    b=asked.word(b),
                    cosine=cosine,
                    rank_of_b=rank_of_b,
                    rank_of_a=rank_of_a,
                    class_rank=float((class_of == class_of[a]).sum() / 2) if together else None,
                )
            )
        return json_body(PairRanks(**asked.facts, items=items, chance=len(asked.table) / 2))

    # Each word of a pair has a cosine with every token.
    return asked.reply.send(asked.pass_cost(20 * len(wanted)) + 8 * len(wanted) * len(asked.table), make)


@routes.get(
    "/api/runs/{run}/geometry/ranks/curves",
    pool=Pool.DEAR,
    response_model=PairRankCurves,
    answers=AnswerFacts(etag=True, errors=(409, 503), headers=("X-Lamplighter-Attempt",)),
)
def get_pair_rank_curves(
    run: RunId,
    pairs: PairList,
    request: Request,
    services: ServicesDep,
    to: ToStep = None,
    attempt: AttemptParam = None,
) -> Response:
    """Return the ranks of some pairs at each step of the run's curve, up to `to`."""
    reply = services.reply(request, run)
    table = services.catalog.token_table(reply.run)
    wanted = _parse_pairs(table, pairs)
    with services.catalog.open_history(reply.run) as history:
        range_ = resolve_step_range(reply.run, history.steps, 0, to, attempt)
        steps = choose_curve_steps(reply.run, history, range_.last)
    lasting = attempt is not None and bool(steps) and steps[-1] == range_.last
    reply.tag("geometry rank curves", range_.lineage, steps, pairs, immutable=lasting)
    reply.add_facts(attempt=range_.attempt)
    asked = GeometryQuestion(
        services.catalog, reply, table, {"attempt": range_.attempt, "step": range_.last, "exact": True}
    )
    by_number = SCALING_WORK + 2 * len(wanted)
    asked.check_work(
        len(steps) * by_number * len(table) * reply.run.recipe.model.dim, f"ranks at {len(steps)} steps"
    )

    def make() -> list[bytes]:
        ranks: list[list[tuple[int, int]]] = []
        with services.catalog.open_history(reply.run) as history:
            for step in steps:
                units = unit_rows(services.catalog.exact_matrix(reply.run, history, range_, step).vectors)
                ranks.append([mutual_ranks_of_units(units, a, b) for a, b in wanted])
        return json_body(
            PairRankCurves(
                attempt=range_.attempt,
                steps=steps,
                items=[
                    PairRankSeries(
                        a=asked.word(a),
                        b=asked.word(b),
                        rank_of_b=[at_step[index][0] for at_step in ranks],
                        rank_of_a=[at_step[index][1] for at_step in ranks],
                    )
                    for index, (a, b) in enumerate(wanted)
                ],
                chance=len(table) / 2,
            )
        )

    return reply.send(asked.large_cost(), make)


def _parse_pairs(table: TokenTable, text: str) -> list[tuple[int, int]]:
    if not re.fullmatch(PAIR_LIST, text):
        raise _wrong_pairs("this is a list of pairs of token ids, as in pairs=3-17,5-99")
    pairs = [tuple(int(part) for part in pair.split("-")) for pair in text.split(",")]
    if len(pairs) > MAX_PAIRS:
        raise _wrong_pairs(f"at most {MAX_PAIRS} pairs can be requested at once")
    for a, b in pairs:
        require_token(table, a)
        require_token(table, b)
        if a == b:
            raise _wrong_pairs(f"{a}-{b} is one token: name two different ones")
    return [(a, b) for a, b in pairs]


def _wrong_pairs(message: str) -> RefusedError:
    return RefusedError(422, f"pairs: {message}", [FieldError(field="pairs", message=message)])


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
