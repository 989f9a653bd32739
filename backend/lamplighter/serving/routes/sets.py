"""Sets of runs: list, curves with a band, claims, and the spread of what the members learned."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.claims.board import make_set_board
from lamplighter.claims.gathering import read_moment
from lamplighter.contract.sentences import say
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.reading.curves import (
    LOSS,
    LOSS_HELD_OUT,
    MAX_STEPS,
    last_common_step,
    read_curves,
    read_measure_names,
)
from lamplighter.runfolder.run_folder import RUN_ID_PATTERN, RunFolder, list_folders
from lamplighter.runfolder.run_set import MAX_MEMBERS, RunSet
from lamplighter.serving.reading.board_price import price_board
from lamplighter.serving.reading.set_reading import (
    ReadMember,
    describe_curves,
    describe_set,
    group_members,
    list_members,
    read_set_state,
    spread_of,
)
from lamplighter.serving.reading.set_words import MAX_COMPARED, SetWords
from lamplighter.serving.schemas.base import StepNumber, json_body
from lamplighter.serving.schemas.sets import (
    MemberSpread,
    OfGroup,
    RelationSpread,
    SetClaims,
    SetCurves,
    SetList,
    SetSpread,
    SetSummary,
    SetWord,
)
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.access.decision import caller_sees_text
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import (
    LARGE_RESPONSE_BYTES,
    TOKEN_ENTRY_BYTES,
    Pricing,
    estimate_memory,
)
from lamplighter.web.http.route_table import AnswerFacts, Routes

routes = Routes("sets")

MAX_CURVES = 20
_DEFAULT_CURVES = (LOSS, LOSS_HELD_OUT, "purity_10nn")
_SUMMARY_BYTES = 10_000
"""Bytes of memory of a member: its summary, as Python objects and as JSON."""
_NUMBER_BYTES = 100
"""Bytes of memory of a number of a curve, as Python object and as JSON."""
_VOCABULARY_COPIES = 5
"""Entries of a token in memory while members are compared."""
_ACCURACY, _CONSISTENCY, _CHANCE = "analogy ", "consistency ", "analogy_chance"

SetId = Annotated[
    str, Path(alias="set", description="The set's id.", json_schema_extra={"pattern": f"^{RUN_ID_PATTERN}$"})
]
CommonStep = Annotated[
    StepNumber | None,
    Query(
        description="The step, or the newest kept one before it; by default the last that all finished members have."
    ),
]
GroupIndex = Annotated[
    int,
    Query(
        ge=0,
        le=MAX_MEMBERS,
        description="The members that differ only in their seed: the place of their settings in `groups`.",
    ),
]
_ANSWERS = AnswerFacts(etag=True, errors=(503,))


@routes.get("/api/sets", polled=True, pool=Pool.CHEAP, response_model=SetList)
def list_sets(request: Request, services: ServicesDep) -> Response:
    """Return every set, newest first, with the state of each member."""
    sets = services.catalog.run_store.sets()
    members = len(services.catalog.run_store.runs())

    def make() -> list[bytes]:
        described = [
            describe_set(services.catalog, one, lambda run: caller_sees_text(request, run)) for one in sets
        ]
        return json_body(SetList(items=described))

    return services.plain_reply(request).send(_SUMMARY_BYTES * members, make)


@routes.get("/api/sets/{set}", polled=True, pool=Pool.CHEAP, response_model=SetSummary)
def get_set(set_id: SetId, request: Request, services: ServicesDep) -> Response:
    """Return a set, with the state of each member."""
    reply = services.set_reply(request, set_id)
    members = list_members(services.catalog, reply.run_set)

    def make() -> list[bytes]:
        return json_body(
            describe_set(services.catalog, reply.run_set, lambda run: caller_sees_text(request, run))
        )

    return reply.send(_SUMMARY_BYTES * len(members), make)


@routes.delete("/api/sets/{set}", pricing=Pricing.FIXED, status_code=204)
def delete_set(set_id: SetId, services: ServicesDep) -> Response:
    """Move a set to the trash folder, with its members. Refused while it is swept, or a trainer holds a member."""
    found = services.catalog.run_store.find_set(set_id)
    # Their open files cannot be moved on every system.
    for member in list_folders(found.path):
        services.examiner_jobs.end(member.name)
    services.catalog.run_store.trash(found)
    return Response(status_code=204)


@routes.get("/api/sets/{set}/curves", polled=True, pool=Pool.DEAR, response_model=SetCurves, answers=_ANSWERS)
def get_set_curves(
    set_id: SetId,
    request: Request,
    services: ServicesDep,
    name: Annotated[
        list[Annotated[str, Query(max_length=200)]] | None,
        Query(
            max_length=MAX_CURVES,
            description="A measure, or `loss`; may be repeated. By default loss, loss_held_out and purity_10nn.",
        ),
    ] = None,
) -> Response:
    """Return measures of the members by step: quantiles over the members that differ only in their seed, and a line for
    each. `loss` is the mean of the last 16 batches up to a step."""
    reply = services.set_reply(request, set_id)
    names = list(dict.fromkeys(name or _DEFAULT_CURVES))
    members = list_members(services.catalog, reply.run_set)
    reply.tag("curves", names, read_set_state(reply.run_set), immutable=False)

    def make() -> list[bytes]:
        runs = [one.run for one in members if one.run is not None]
        keep = services.claim_figures.get_or_make
        groups = [describe_curves(one, names, keep) for one in group_members(members)]
        return json_body(SetCurves(set=reply.run_set.id, available=read_measure_names(runs), groups=groups))

    # As a large response it is made once for all concurrent requests.
    return reply.send(
        LARGE_RESPONSE_BYTES + _NUMBER_BYTES * MAX_STEPS * len(names) * (len(members) + 5), make
    )


@routes.get("/api/sets/{set}/claims", polled=True, pool=Pool.DEAR, response_model=SetClaims, answers=_ANSWERS)
def get_set_claims(set_id: SetId, request: Request, services: ServicesDep, group: GroupIndex = 0) -> Response:
    """Return 28 statements about learning, each with the number of members of a group in which it holds, as the board of
    each member says; of at most 50. Asks no question."""
    reply = services.set_reply(request, set_id)
    of, members = _choose_group(services, reply.run_set, group)
    reply.tag("claims", group, read_set_state(reply.run_set), immutable=False)

    def make() -> list[bytes]:
        board = make_set_board(
            [(one.id, one.run) for one in members],
            services.claim_figures,
            services.member_boards,
            MAX_COMPARED,
        )
        return json_body(
            SetClaims(
                **dict(of),
                members=len(members),
                answered=len(members) - len(board.unanswered),
                unanswered=board.unanswered,
                items=board.claims,
            )
        )

    # One board at a time, each with the evidence of a run and of its control.
    return reply.send(
        LARGE_RESPONSE_BYTES + 2 * max(map(_price_member, members[:MAX_COMPARED]), default=0), make
    )


@routes.get("/api/sets/{set}/spread", pool=Pool.DEAR, response_model=SetSpread, answers=_ANSWERS)
def get_set_spread(
    set_id: SetId,
    request: Request,
    services: ServicesDep,
    step: CommonStep = None,
    group: GroupIndex = 0,
) -> Response:
    """Return planted relations and the homonyms of Lamptown at a step, with their spread over the members of a group."""
    reply = services.set_reply(request, set_id)
    of, members = _choose_group(services, reply.run_set, group)
    wanted = _resolve_step(members, step)
    reply.tag("spread", group, wanted, read_set_state(reply.run_set), immutable=False)

    def make() -> list[bytes]:
        words = SetWords(services.catalog, members, wanted)
        homonyms = words.describe_homonyms()
        return json_body(
            SetSpread(
                **dict(of),
                step=wanted,
                left_out=words.left_out,
                relations=_spread_relations(members, wanted, services),
                homonyms=homonyms,
            )
        )

    return reply.send(_price_words(members), make)


@routes.get("/api/sets/{set}/word", pool=Pool.DEAR, response_model=SetWord, answers=_ANSWERS)
def get_set_word(
    set_id: SetId,
    request: Request,
    services: ServicesDep,
    token: Annotated[str, Query(min_length=1, max_length=200, description="The word.")],
    step: CommonStep = None,
    group: GroupIndex = 0,
) -> Response:
    """Return the ten nearest of a word in every member of a group, how many of them are the same beside what chance gives, and the
    word's place on each member's map, in one common frame."""
    reply = services.set_reply(request, set_id)
    of, members = _choose_group(services, reply.run_set, group)
    wanted = _resolve_step(members, step)
    reply.tag("word", group, token, wanted, read_set_state(reply.run_set), immutable=False)

    def make() -> list[bytes]:
        words = SetWords(services.catalog, members, wanted)
        return json_body(words.describe_word(of, token))

    return reply.send(_price_words(members), make)


def _choose_group(services: Services, run_set: RunSet, group: int) -> tuple[OfGroup, list[ReadMember]]:
    """Return what an answer says of a group, and its members.

    Raises:
        RefusedError: there is no such group (404).
    """
    groups = group_members(list_members(services.catalog, run_set))
    if group >= len(groups):
        raise RefusedError(404, say("set_without_group", group=group, last=len(groups) - 1))
    of = OfGroup(set=run_set.id, group=group, groups=[one.settings for one in groups])
    return of, groups[group].members


def _resolve_step(members: list[ReadMember], step: int | None) -> int:
    """Return the step to compare at.

    Raises:
        RefusedError: no member has begun (409).
    """
    last = last_common_step([one.run for one in members if one.run is not None])
    if last is None:
        raise RefusedError(409, say("set_not_begun"))
    return last if step is None else step


def _price_member(member: ReadMember) -> int:
    try:
        return 0 if member.run is None else price_board(member.run, read_moment(member.run))
    except READ_ERRORS:
        # Its board is not made.
        return 0


def _price_words(members: list[ReadMember]) -> int:
    """Return the bytes for comparing the members: their vocabularies, and one matrix at a time.

    Raises:
        RefusedError: a matrix is too large for the server (422).
    """
    largest = tokens = 0
    for run in (one.run for one in members):
        if run is None:
            continue
        try:
            largest = max(largest, 3 * _matrix_bytes(run))
            tokens += len(run.vocabulary)
        except READ_ERRORS:
            # It is left out.
            continue
    return LARGE_RESPONSE_BYTES + largest + _VOCABULARY_COPIES * TOKEN_ENTRY_BYTES * tokens


def _matrix_bytes(run: RunFolder) -> int:
    return estimate_memory(run, 4 * len(run.vocabulary) * run.recipe.model.dim)


def _spread_relations(members: list[ReadMember], step: int, services: Services) -> list[RelationSpread]:
    runs = {one.id: one.run for one in members if one.run is not None}
    available = read_measure_names(list(runs.values()))
    names = [name.removeprefix(_ACCURACY) for name in available if name.startswith(_ACCURACY)]
    wanted = [f"{part}{name}" for name in names for part in (_ACCURACY, _CONSISTENCY)] + [_CHANCE]
    found: dict[str, MemberSpread] = {}
    for curve in read_curves(list(runs.values()), wanted, services.claim_figures.get_or_make):
        values: dict[str, float | None] = {}
        for run_id, line in zip(runs, curve.lines[:, curve.steps <= step], strict=True):
            known = line[np.isfinite(line)]
            values[run_id] = float(known[-1]) if len(known) else None
        found[curve.name] = spread_of(values)
    return [
        RelationSpread(
            name=name,
            accuracy=found[f"{_ACCURACY}{name}"],
            consistency=found[f"{_CONSISTENCY}{name}"],
            chance=found[_CHANCE].median,
        )
        for name in names
    ]
