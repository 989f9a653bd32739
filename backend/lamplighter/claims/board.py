"""The board: the state of all 28 claims on a run, and on how many members of a set each holds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import parse_qs

from lamplighter.claims.claim import Claim, ClaimRole, ClaimState, Finding, Link, Unit, tell, waiting
from lamplighter.claims.codes import ClaimNumber, GroupCode, WaitCode
from lamplighter.claims.control import find_other_seed, gather_with_control, read_control
from lamplighter.claims.evidence import Evidence
from lamplighter.claims.gathering import read_moment
from lamplighter.claims.intervals import share_interval
from lamplighter.claims.questions_asked import BY_BUTTON, list_questions, rotation_question
from lamplighter.claims.rules import arithmetic, matrix, meaning, motion, rows, surroundings
from lamplighter.contract.documented_model import DocumentedRecord
from lamplighter.contract.questions import WHOLE_SOFTMAX, Question, question_id
from lamplighter.runfolder.errors import READ_ERRORS, MissingVocabularyError
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_set import MAX_MEMBERS

_GROUPS = (meaning, matrix, rows, arithmetic, motion, surroundings)
CLAIMS: tuple[Claim, ...] = tuple(
    sorted((claim for group in _GROUPS for claim in group.CLAIMS), key=lambda claim: claim.number)
)
"""All claims, by number."""
GROUP_OF = {claim.number: group.GROUP for group in _GROUPS for claim in group.CLAIMS}
"""The subject of each claim, by its number."""


@dataclass(frozen=True, kw_only=True)
class ClaimRow(Finding):
    """A claim about learning, with the finding on this run. Its words are in `texts/`, by its number."""

    number: ClaimNumber
    role: ClaimRole
    """A claim, which a run may show to be false; what follows from the recipe; a check of this program; or a definition."""
    group: GroupCode
    """The subject it shares with other claims."""
    view: str
    """The query string of the view that shows it."""
    answer_id: str | None
    """The id of the examination whose answer the view shows; null if it shows none, or none exists yet."""
    show_question: dict[str, Any] | None
    """The question to post to `examinations` before the view is opened, where the board itself computes what
    it shows; null if there is none.
    """
    break_by: Link
    """The button that shows the claim's limits."""
    control: Finding | None
    """The finding of the same rule on the control; null without a control."""


_ABOUT_WORDS = frozenset({2, 3, 6, 7, 9, 13, 14})
"""The claims about words of a text, of which a batch reads a few; they do not apply to sums."""


def make_board(evidence: Evidence) -> list[ClaimRow]:
    return [_make_row(claim, evidence) for claim in CLAIMS]


def judge(claim: Claim, evidence: Evidence) -> Finding:
    """Return the finding of a claim, which waits if numbers of an imported answer overflow."""
    if evidence.sums and claim.number in _ABOUT_WORDS:
        return waiting("text_of_words")
    try:
        finding = claim.find(evidence)
    except (ArithmeticError, ValueError):
        return waiting("finite_numbers")
    told = (value for one in (*finding.reason, *finding.figures) for value in one.values.values())
    numbers = (*told, *(figure.value for figure in finding.figures))
    if (
        evidence.sampled
        and finding.state is ClaimState.UNMEASURED
        and not WHOLE_SOFTMAX.isdisjoint(claim.kinds)
    ):
        return replace(finding, reason=(tell("sampled_softmax"),))
    if all(math.isfinite(number) for number in numbers if isinstance(number, int | float)):
        return finding
    return waiting("finite_numbers")


def _make_row(claim: Claim, evidence: Evidence) -> ClaimRow:
    view = claim.show(evidence)
    kind = parse_qs(view.removeprefix("?")).get("ask", [""])[0]
    stored = evidence.answers.get(kind) if kind in claim.kinds else None
    return ClaimRow(
        **vars(judge(claim, evidence)),
        number=claim.number,
        role=claim.role,
        group=GROUP_OF[claim.number],
        view=view,
        answer_id=None if stored is None else stored.id,
        show_question=rotation_question(evidence) if kind == "rotation" else None,
        break_by=claim.break_by(evidence),
        control=None if evidence.control is None else judge(claim, evidence.control),
    )


@dataclass(frozen=True)
class BoardQuestion:
    """A question whose answer some claims wait for, or would renew."""

    id: str
    question: Question
    claims: tuple[int, ...]
    """The numbers of the claims."""
    answered: bool
    """True if a stored answer serves, regardless of who asked for it."""
    by_button: bool
    """True if only a person may start it."""


def list_board_questions(evidence: Evidence, lineage: Lineage) -> list[BoardQuestion]:
    """Return the questions of the board, in the order in which to ask them. While a run trains, an answer
    serves until the run has twice its steps, so an open board asks rarely.
    """
    found: list[BoardQuestion] = []
    least = evidence.examined_step // 2 if evidence.training else evidence.examined_step
    for question in list_questions(evidence, by_button=True):
        kind: str = question.kind
        stored = evidence.answers.get(kind)
        found.append(
            BoardQuestion(
                question_id(lineage.attempt_at(question.last_step), question),
                question,
                tuple(claim.number for claim in CLAIMS if kind in claim.kinds),
                stored is not None and stored.answer.step >= least,
                kind in BY_BUTTON,
            )
        )
    return found


def count_states(rows: list[ClaimRow]) -> dict[ClaimRole, Counter[ClaimState]]:
    """Return the number of claims in each state, by role."""
    found = {role: Counter[ClaimState]() for role in ClaimRole}
    for row in rows:
        found[row.role][row.state] += 1
    return found


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
    """Make the board of each finished member, as its own page shows it, and count the states. `members`: ids
    and runs that differ in nothing but the seed; None for a run that was moved away. At most `limit` boards
    are made; further members are unanswered.
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
