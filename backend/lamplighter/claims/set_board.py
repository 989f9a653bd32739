"""The claims of a set: for how many of its members each claim holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lamplighter.claims.board import CLAIMS, GROUP_OF, ClaimRow, make_board
from lamplighter.claims.claim import Claim, ClaimRole, ClaimState, Unit
from lamplighter.claims.codes import ClaimNumber, GroupCode, WaitCode
from lamplighter.claims.control import find_other_seed, gather_with_control, read_control
from lamplighter.claims.gathering import read_moment
from lamplighter.claims.intervals import share_interval
from lamplighter.contract.documented_model import DocumentedRecord
from lamplighter.runfolder.errors import READ_ERRORS, MissingVocabularyError
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_set import MAX_MEMBERS

Lack = Literal["missing", "unfinished", "unreadable", "too_many"]
"""`too_many`: only the first members of a large set are asked."""


@dataclass(frozen=True)
class MemberFinding(DocumentedRecord):
    """The finding on a claim in one member."""

    run: str
    state: ClaimState
    value: float | None
    """The first figure of the finding; null if it has none."""
    unit: Unit
    waits_for: WaitCode | None
    """The code of what a missing number waits for; null if none is missing."""


@dataclass(frozen=True)
class SetClaim(DocumentedRecord):
    """A claim, with the number of finished members in each state: "holds in n of m", with an interval."""

    number: ClaimNumber
    role: ClaimRole
    group: GroupCode
    states: dict[str, int]
    """The number of members by `ClaimState`; their sum is the number of members with a board."""
    measured: int
    """The number of members in which it is measured: the m of "holds in n of m"."""
    low: float | None
    """The lower end of the 95 % interval of the share of seeds in which it holds (Wilson 1927); null if none is measured."""
    high: float | None
    """Its upper end."""
    members: list[MemberFinding]


@dataclass(frozen=True)
class UnansweredMember(DocumentedRecord):
    """A member without an answer, and why."""

    run: str
    reason: Lack


@dataclass(frozen=True)
class SetBoard:
    """The claims of a set by number, and the members that have no board."""

    claims: list[SetClaim]
    unanswered: list[UnansweredMember]


def make_set_board(
    members: Sequence[tuple[str, RunFolder | None]],
    cache: LruCache,
    boards: LruCache | None = None,
    limit: int = MAX_MEMBERS,
) -> SetBoard:
    """Make the board of each finished member, as its own page shows it, and count the states.

    `members`: ids and runs that differ in nothing but the seed; None for a run that was moved away. At most
    `limit` boards are made; further members are unanswered.
    """
    findings: list[list[MemberFinding]] = []
    unanswered = [UnansweredMember(run_id, "too_many") for run_id, _ in members[limit:]]
    for run_id, run in members[:limit]:
        try:
            if run is None:
                unanswered.append(UnansweredMember(run_id, "missing"))
            elif read_status(run).phase is not Phase.FINISHED:
                unanswered.append(UnansweredMember(run_id, "unfinished"))
            else:
                findings.append(_read_findings(run, cache, cache if boards is None else boards))
        except (*READ_ERRORS, MissingVocabularyError):
            unanswered.append(UnansweredMember(run_id, "unreadable"))
    claims = [_count(claim, [of[index] for of in findings]) for index, claim in enumerate(CLAIMS)]
    return SetBoard(claims, unanswered)


def _count(claim: Claim, members: list[MemberFinding]) -> SetClaim:
    states = Counter(one.state for one in members)
    measured = len(members) - states[ClaimState.UNMEASURED]
    low = high = None
    if measured:
        low, high = share_interval(states[ClaimState.HOLDS] / measured, measured)
    return SetClaim(
        number=claim.number,
        role=claim.role,
        group=GROUP_OF[claim.number],
        states={state: states[state] for state in ClaimState},
        measured=measured,
        low=low,
        high=high,
        members=members,
    )


def _read_findings(run: RunFolder, cache: LruCache, boards: LruCache) -> list[MemberFinding]:
    moment, control = read_moment(run), read_control(run)
    other_seed = find_other_seed(run, moment.step)

    def make() -> list[MemberFinding]:
        evidence = gather_with_control(run, cache, moment, control, other_seed)
        return [_describe(run, row) for row in make_board(evidence)]

    key = (
        "set claims",
        str(run.path),
        run.created,
        moment,
        control and control.key,
        other_seed and other_seed.id,
    )
    return boards.get_or_make(key, make)


def _describe(run: RunFolder, row: ClaimRow) -> MemberFinding:
    figure = row.figures[0] if row.figures else None
    return MemberFinding(
        run.id, row.state, figure and figure.value, figure.unit if figure else "", row.waits_for
    )
