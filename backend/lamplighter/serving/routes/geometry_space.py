"""Geometry of the whole space at a step: frequencies, relations, lengths, touches, nearest by chance, cooccurring words."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import Annotated

import numpy as np
from fastapi import Query
from numpy.typing import NDArray
from starlette.responses import Response

from lamplighter.corpora import distribution
from lamplighter.corpora.modular import number_ids
from lamplighter.geometry import neighbours
from lamplighter.geometry.analogies import (
    DRAWS,
    MAX_QUESTIONS,
    analogy_hits,
    analogy_questions,
    analogy_shares,
    consistency_by_chance,
    offset_consistency,
)
from lamplighter.geometry.fourier import (
    fourier_by_chance,
    frequency_plane,
    frequency_shares,
    plane_share,
)
from lamplighter.geometry.neighbours import row_lengths
from lamplighter.geometry.rank import rank_correlation
from lamplighter.geometry.stayed_rows import measure_stayed
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import read_training_start
from lamplighter.runfolder.reading.snapshot import read_touches
from lamplighter.serving.reading.geometry_question import (
    GEOMETRY_ANSWERS,
    SCALING_WORK,
    GeometryQuestion,
    GeometryRequestDep,
    spearman_deviation,
)
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.geometry import (
    Cooccurrence,
    Fourier,
    FourierChance,
    FrequencyPlane,
    Lengths,
    MeetingGroup,
    NearestByChance,
    RelationMeetings,
    Relations,
    RelationScore,
    StayedRow,
    StayedRows,
    TouchCounts,
)
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import BOUNDED_COST, check_json_numbers
from lamplighter.web.http.route_table import Routes
from lamplighter.wire.vocabulary import Relation

routes = Routes("geometry")

_PAIR_WORK = 2 * SCALING_WORK * (DRAWS + 1)
"""Multiplications charged for each number of a pair: two rows are gathered and their offset scaled, once for the pair
and once for each draw of random pairs."""
_GROUPS = 4
_SAME = "read the rows with format=npy instead"


@routes.get(
    "/api/runs/{run}/geometry/relations", pool=Pool.DEAR, response_model=Relations, answers=GEOMETRY_ANSWERS
)
def get_relations(asking: GeometryRequestDep) -> Response:
    """Return for every planted relation the share of its analogies that the embedding answers, beside simpler
    baselines, and how parallel the offsets of its pairs are.
    """
    asked = asking.open()
    _check_work(asked, passes=3)

    def make() -> list[bytes]:
        vectors, class_of = asked.open_matrix().vectors, asked.reply.run.vocabulary.class_of()
        items = [_score(vectors, class_of, relation) for relation in asked.reply.run.vocabulary.relations]
        return json_body(Relations(**asked.facts, items=items))

    return asked.reply.send(asked.large_cost(), make)


@routes.get(
    "/api/runs/{run}/geometry/lengths", pool=Pool.DEAR, response_model=Lengths, answers=GEOMETRY_ANSWERS
)
def get_lengths(asking: GeometryRequestDep) -> Response:
    """Return the Euclidean length of every row beside its token's count in the text, by token id."""
    asked = asking.open()
    check_json_numbers(asked.reply.form, 2 * len(asked.table), _SAME)

    def make() -> list[bytes]:
        lengths = row_lengths(asked.open_rows().vectors)
        counts = _counts(asked)
        return json_body(
            Lengths(
                **asked.facts,
                lengths=lengths.tolist(),
                counts=None if counts is None else counts.tolist(),
                spearman=None if counts is None else rank_correlation(lengths, counts.astype(np.float64)),
                chance_deviation=None if counts is None else spearman_deviation(len(lengths)),
            )
        )

    return asked.reply.send(asked.pass_cost(2 * len(asked.table)), make)


@routes.get(
    "/api/runs/{run}/geometry/touches", pool=Pool.DEAR, response_model=TouchCounts, answers=GEOMETRY_ANSWERS
)
def get_touches(asking: GeometryRequestDep) -> Response:
    """Return the number of batches that had read each row by a step, beside its token's count in the text, and the
    unread rows.
    """
    asked = asking.open()
    check_json_numbers(asked.reply.form, 3 * len(asked.table), _SAME)

    def make() -> list[bytes]:
        touches = None
        with asked.catalog.open_steps(asked.reply.run) as reader, suppress(NoSnapshotError):
            touches = read_touches(reader, asked.facts["step"]).recorded
        counts = _counts(asked)
        both = touches is not None and counts is not None
        return json_body(
            TouchCounts(
                **asked.facts,
                touches=None if touches is None else touches.tolist(),
                counts=None if counts is None else counts.tolist(),
                spearman=rank_correlation(touches.astype(np.float64), counts.astype(np.float64))
                if touches is not None and counts is not None
                else None,
                chance_deviation=spearman_deviation(len(asked.table)) if both else None,
                never_lit=None if touches is None else np.flatnonzero(touches == 0).tolist(),
            )
        )

    return asked.reply.send(asked.pass_cost(3 * len(asked.table)), make)


@routes.get(
    "/api/runs/{run}/geometry/fourier", pool=Pool.DEAR, response_model=Fourier, answers=GEOMETRY_ANSWERS
)
def get_fourier(
    asking: GeometryRequestDep,
    frequency: Annotated[
        int | None, Query(ge=1, le=99, description="A frequency; by default, the two strongest.")
    ] = None,
) -> Response:
    """Return the share of each frequency in the rows of the numbers of a run of sums, beside random rows of the same
    lengths, and the numbers' places in the planes of the two strongest.
    """
    asked = asking.open()
    ids = number_ids(asked.reply.run.recipe.corpus, len(asked.table))
    if ids is None:
        nothing = Fourier(**asked.facts, shares=[], chance=None, planes=[])
        return asked.reply.send(BOUNDED_COST, lambda: json_body(nothing))
    most = (len(ids) - 1) // 2
    if frequency is not None and frequency > most:
        raise RefusedError(422, f"frequency: {len(ids)} numbers have frequencies 1 to {most}")

    def make() -> list[bytes]:
        rows = asked.open_matrix().vectors[ids]
        shares = frequency_shares(rows)
        strongest = 1 + np.argsort(-shares[:most], kind="stable")[:2]
        chosen = strongest.tolist() if frequency is None else [frequency]
        return json_body(
            Fourier(
                **asked.facts,
                shares=shares.tolist(),
                chance=FourierChance(**asdict(fourier_by_chance(rows))),
                planes=[_lay_on_plane(rows, one, float(shares[one - 1])) for one in chosen],
            )
        )

    return asked.reply.send(asked.pass_cost(6 * len(ids)), make)


def _lay_on_plane(rows: NDArray[np.float32], frequency: int, share: float) -> FrequencyPlane:
    plane = frequency_plane(rows, frequency)
    places = (rows - rows.mean(axis=0)) @ plane
    return FrequencyPlane(
        frequency=frequency,
        share=share,
        variance=plane_share(rows, plane),
        coordinates=[(float(x), float(y)) for x, y in places],
    )


@routes.get(
    "/api/runs/{run}/geometry/stayed", pool=Pool.DEAR, response_model=StayedRows, answers=GEOMETRY_ANSWERS
)
def get_stayed(
    asking: GeometryRequestDep,
    most: Annotated[int, Query(ge=1, le=10_000, description="Maximum number of rows to list.")] = 200,
) -> Response:
    """Return the rows that have not turned since the first kept step by more than rounding does: training never read
    them. Weight decay may have made them shorter.
    """
    asked = asking.open()

    def make() -> list[bytes]:
        with asked.catalog.open_history(asked.reply.run) as history:
            matrix = asked.read_rows(history)
            start, steps = read_training_start(history, matrix.step)
        found = measure_stayed(start.vectors, matrix.vectors, steps)
        ids = found.ids
        return json_body(
            StayedRows(
                **asked.facts,
                from_=start.step,
                training_steps=steps,
                rows=len(found.turned),
                stayed=len(ids),
                limit=float(np.nanmax(found.limit[ids])) if len(ids) else None,
                nearest_other=found.nearest_other,
                median_other=found.median_other,
                scale=found.median_scale,
                items=[
                    StayedRow(
                        **asked.word(token_id).model_dump(),
                        turned=found.turned.item(token_id),
                        scale=found.scale.item(token_id),
                    )
                    for token_id in ids[:most].tolist()
                ],
            )
        )

    return asked.reply.send(asked.pass_cost(40 * most), make)


@routes.get(
    "/api/runs/{run}/geometry/chance",
    pool=Pool.DEAR,
    response_model=NearestByChance,
    answers=GEOMETRY_ANSWERS,
)
def get_nearest_by_chance(asking: GeometryRequestDep) -> Response:
    """Return the mean cosine of a row with its nearest neighbour, as measured and for as many random directions."""
    asked = asking.open()

    def make() -> list[bytes]:
        vectors = asked.open_matrix().vectors
        size, dim = vectors.shape
        return json_body(
            NearestByChance(
                **asked.facts,
                nearest_cosine=neighbours.nearest_cosine(vectors),
                nearest_cosine_chance=neighbours.nearest_cosine_by_chance(size, dim),
                random_pair_deviation=neighbours.random_cosine_deviation(dim),
                rows=min(size, neighbours.MAX_QUERIES),
            )
        )

    return asked.reply.send(asked.large_cost(), make)


@routes.get(
    "/api/runs/{run}/geometry/cooccurrence",
    pool=Pool.DEAR,
    response_model=Cooccurrence,
    answers=GEOMETRY_ANSWERS,
)
def get_cooccurrence(asking: GeometryRequestDep) -> Response:
    """Return for every planted relation the score of its pairs beside how often the two words of a pair cooccur in the
    text (after Merullo, Smith, Wiegreffe and Elazar 2025, arXiv 2504.12459).
    """
    asked = asking.open()
    _check_work(asked, passes=1)

    def make() -> list[bytes]:
        try:
            text = asked.reply.run.token_ids
        except FileNotFoundError:
            return json_body(Cooccurrence(**asked.facts, window=distribution.WINDOW, tokens=None, items=None))
        vectors = asked.open_matrix().vectors
        items: list[RelationMeetings] = []
        for relation in asked.reply.run.vocabulary.relations:
            pairs = [pair for pair in dict.fromkeys(relation.pairs) if pair[0] != pair[1]]
            pairs = pairs[: distribution.MAX_PAIRS]
            items.append(_group(vectors, relation.name, pairs, distribution.count_meetings(text, pairs)))
        read = min(len(text), distribution.MAX_TOKENS)
        return json_body(Cooccurrence(**asked.facts, window=distribution.WINDOW, tokens=read, items=items))

    return asked.reply.send(asked.large_cost(), make)


def _check_work(asked: GeometryQuestion, *, passes: int) -> None:
    run = asked.reply.run
    relations, dim = run.vocabulary.relations, run.recipe.model.dim
    pairs = sum(len(relation.pairs) for relation in relations)
    analogies = passes * len(relations) * MAX_QUESTIONS * len(asked.table)
    asked.check_work(
        (analogies + _PAIR_WORK * pairs) * dim, f"the {pairs:,} pairs of {len(relations):,} relations"
    )


def _counts(asked: GeometryQuestion) -> NDArray[np.int64] | None:
    vocabulary = asked.reply.run.vocabulary
    return vocabulary.counts if vocabulary.counts_known else None


def _score(vectors: NDArray[np.float32], class_of: NDArray[np.integer], relation: Relation) -> RelationScore:
    shares = analogy_shares(vectors, relation.pairs, class_of)
    chance, deviation = consistency_by_chance(vectors, relation.pairs, class_of)
    return RelationScore(
        name=relation.name,
        pairs=len(set(relation.pairs)),
        questions=shares.questions,
        score=shares.accuracy if shares.questions else None,
        chance=shares.chance,
        right_class=shares.right_class,
        nearest_of_c=shares.nearest_of_c,
        without_rule=shares.without_exclusion,
        consistency=offset_consistency(vectors, relation.pairs),
        consistency_chance=chance,
        consistency_deviation=deviation,
    )


def _group(
    vectors: NDArray[np.float32], name: str, pairs: list[tuple[int, int]], meetings: NDArray[np.int64]
) -> RelationMeetings:
    """Group a relation's pairs by how often their words cooccur, and score each group."""
    questions = analogy_questions(pairs)
    hits = analogy_hits(vectors, questions)
    place = {pair: index for index, pair in enumerate(pairs)}
    of = np.array([place[c, d] for _, _, c, d in questions.tolist()], dtype=np.int64)
    asked = np.bincount(of, minlength=len(pairs))
    right = np.bincount(of, weights=hits, minlength=len(pairs))
    # Pairs with equal counts stay together.
    edges = np.unique(np.quantile(meetings, np.linspace(0, 1, _GROUPS + 1)[1:-1])) if len(pairs) else []
    group_of = np.searchsorted(edges, meetings, side="left")
    groups: list[MeetingGroup] = []
    for group in np.unique(group_of).tolist():
        members = group_of == group
        total = int(asked[members].sum())
        groups.append(
            MeetingGroup(
                least=int(meetings[members].min()),
                most=int(meetings[members].max()),
                pairs=int(members.sum()),
                questions=total,
                score=float(right[members].sum()) / total if total else None,
            )
        )
    scored = asked > 0
    return RelationMeetings(
        name=name,
        groups=groups,
        spearman=rank_correlation(right[scored] / asked[scored], meetings[scored].astype(np.float64)),
        chance_deviation=spearman_deviation(int(scored.sum())),
    )
